"""One house, one tariff, one strategy: through time, half-hour by half-hour.

At each half-hour the strategy sees the house as the site loop would show it, and decides. Then
the half-hour happens, step by step, and is paid for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ohmstead.backtest.cells import Cells, order_of
from ohmstead.backtest.foresight import Foresight
from ohmstead.backtest.left import worth, worths_at_end
from ohmstead.backtest.strategies import Player
from ohmstead.backtest.tariffs import Known, Tariff
from ohmstead.backtest.world import World
from ohmstead.control.decide import decide
from ohmstead.model import BatteryReading, Decision, SiteSnapshot
from ohmstead.site.planning import Outlook, plan_for, step_for, why_not

__all__ = ["Outcome", "replay", "without_battery"]


_NO_LIMIT_W: Final = 1e6
"""More than a house can draw."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a replay cost, and what has flown."""

    house: str
    tariff: str
    strategy: str
    days: float
    cost: float = 0.0
    """Of energy, in the currency's main unit."""
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    load_kwh: float = 0.0
    pv_kwh: float = 0.0
    charged_kwh: float = 0.0
    discharged_kwh: float = 0.0
    curtailed_kwh: float = 0.0
    first_kwh: float = 0.0
    """What was stored at the beginning."""
    last_kwh: float = 0.0
    """What was stored at the end."""
    more_left: float = 0.0
    """What the energy left is worth more than that of the beginning."""
    plans: int = 0
    costs: list[float] = field(default_factory=list)
    """Day by day."""

    @property
    def net(self) -> float:
        """The cost, had the battery ended as it began."""
        return self.cost - self.more_left


def replay(
    world: World,
    tariff: Tariff,
    player: Player,
    told: Callable[[Decision], None] | None = None,
) -> Outcome:
    """Return what *world* would have cost on *tariff* under *player*; *told* hears decisions."""
    run = _Run(world, tariff, player)
    for half in range(world.begin, world.end):
        decision = run.decide(half)
        if told is not None:
            told(decision)
        run.live(half, decision)
    return run.finished()


def without_battery(world: World, tariff: Tariff) -> Outcome:
    """Return what *world* would have cost with no battery, all its sun fed in."""
    first, each = world.begin * world.steps_each, world.steps_each
    hours = world.step.total_seconds() / 3_600_000
    last = world.end * each
    load, pv = world.load_w[first:last] * hours, world.pv_w[first:last] * hours
    plant = world.plant
    most = load + plant.export_max_w * hours
    if plant.inverter_w is not None:
        most = np.minimum(most, plant.inverter_w * hours)
    used = np.minimum(pv, most)
    grid = load - used
    buy = np.repeat(np.asarray(tariff.buy[world.begin : world.end]), each)
    sell = np.repeat(np.asarray(tariff.sell[world.begin : world.end]), each)
    costs = np.where(grid > 0, grid * buy, grid * sell)
    a_day = 48 * each
    return Outcome(
        house=world.name,
        tariff=tariff.name,
        strategy="no_battery",
        days=world.days,
        cost=float(costs.sum()),
        import_kwh=float(np.maximum(grid, 0).sum()),
        export_kwh=float(np.maximum(-grid, 0).sum()),
        load_kwh=float(load.sum()),
        pv_kwh=float(used.sum()),
        curtailed_kwh=float((pv - used).sum()),
        costs=[float(costs[n : n + a_day].sum()) for n in range(0, len(costs), a_day)],
    )


class _Run:
    """A replay under way."""

    def __init__(self, world: World, tariff: Tariff, player: Player) -> None:
        self._world, self._tariff, self._player = world, tariff, player
        self._known = Known(tariff, world.zone)
        self._foresight = Foresight(world)
        self._cells = Cells(world.plant, world.step)
        self._memory: dict[str, str] = {}
        hours = world.step.total_seconds() / 3_600_000
        self._load: list[float] = (world.load_w * hours).tolist()
        self._pv: list[float] = (world.pv_w * hours).tolist()
        self._per_hour = 1 / hours
        self._battery_w = 0.0
        self._outcome = Outcome(
            house=world.name,
            tariff=tariff.name,
            strategy=player.name,
            days=world.days,
            first_kwh=world.plant.start_kwh,
        )

    def decide(self, half: int) -> Decision:
        """Return what the strategy decides at the beginning of *half*."""
        site = self._snapshot(half)
        planning = self._player.planning
        if planning is not None and why_not(site, planning) is None:
            outlook = Outlook(
                load=self._foresight.load(half),
                solar=self._foresight.sun(half),
                import_limit_w=min(self._world.plant.import_max_w, _NO_LIMIT_W),
                export_limit_w=self._world.plant.export_max_w,
            )
            make = plan_for if self._player.looks_ahead else step_for
            site = replace(site, plan=make(site, outlook, planning))
            self._outcome.plans += 1
        decision = decide(site, self._player.chain)
        self._memory = dict(decision.memory)
        return decision

    def live(self, half: int, decision: Decision) -> None:
        """Let *half* happen under *decision*, and pay for it."""
        world, cells, outcome = self._world, self._cells, self._outcome
        order = order_of(decision.command, world.plant, world.step)
        first = half * world.steps_each
        brought = sent = bus = 0.0
        for step in range(first, first + world.steps_each):
            load, pv = self._load[step], self._pv[step]
            bus, grid, curtailed = cells.live(order, load, pv)
            if grid > 0:
                brought += grid
            else:
                sent -= grid
            if bus > 0:
                outcome.discharged_kwh += bus
            else:
                outcome.charged_kwh -= bus
            outcome.load_kwh += load
            outcome.pv_kwh += pv - curtailed
            outcome.curtailed_kwh += curtailed
        self._battery_w = bus * self._per_hour
        outcome.import_kwh += brought
        outcome.export_kwh += sent
        self._pay(half, brought * self._tariff.buy[half] - sent * self._tariff.sell[half])

    def finished(self) -> Outcome:
        """Return the outcome, when all has happened."""
        outcome, worths = self._outcome, worths_at_end(self._world, self._tariff)
        outcome.last_kwh = self._cells.stored
        outcome.more_left = worth(worths, outcome.last_kwh) - worth(worths, outcome.first_kwh)
        return outcome

    # ---- how it is done -------------------------------------------------------------------

    def _pay(self, half: int, cost: float) -> None:
        costs = self._outcome.costs
        if (half - self._world.begin) % 48 == 0:
            costs.append(0.0)
        costs[-1] += cost
        self._outcome.cost += cost

    def _snapshot(self, half: int) -> SiteSnapshot:
        """Return what the site loop would show at the beginning of *half*: nothing later."""
        world, plant = self._world, self._world.plant
        before = half * world.steps_each - 1
        load_w = float(world.load_w[before]) if before >= 0 else None
        pv_w = float(world.pv_w[before]) if before >= 0 else None
        now = world.at(half)
        return SiteSnapshot(
            at=now,
            timezone=world.zone,
            battery=BatteryReading(
                soc_pct=min(self._cells.stored / plant.capacity_kwh * 100, 100.0),
                power_w=self._battery_w,
                capacity_kwh=plant.capacity_kwh,
                max_charge_w=plant.charge_w,
                max_discharge_w=plant.discharge_w,
            ),
            load_w=load_w,
            pv_w=pv_w,
            prices=self._known.at(now),
            memory=self._memory,
        )
