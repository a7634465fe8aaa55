"""How the owner of givenergy-scripts runs his house, its times fit for a tariff's cheap hours.

He charges gently at night to a target, sells the sun at once in summer, keeps the battery within
a corridor by day and exports in the evening what is left. He looks at no forecast and at no
price: that he sets his times by his tariff is all that it knows of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time, tzinfo
from functools import partial
from typing import Final

from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import HALF_HOUR, Plant
from ohmstead.control.decide import Strategy
from ohmstead.control.evening_export import EveningExport, evening_export
from ohmstead.control.gentle_charge import GentleCharge, gentle_charge
from ohmstead.control.soc_corridor import Corridor, SocCorridor, soc_corridor
from ohmstead.control.solar_export import SolarExport, solar_export

__all__ = ["ScriptHours", "hours_of", "scripts_chain"]

_TARGET_PCT: Final = 85.0
_FLOOR_PCT: Final = 8.0
_FOR_THE_PEAK_PCT: Final = 25.0
_BY_DAY_PCT: Final = 60.0
_BY_EVENING_PCT: Final = 40.0
_CORRIDOR_W: Final = 2_000.0
_EVENING: Final = (time(16, 30), time(19, 55))
_A_DAY: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptHours:
    """The times that such an owner sets, on the wall clock; as they stand, his own."""

    charge_from: time = time(0, 30)
    charge_until: time = time(5, 30)
    idle_from: time | None = None
    export_from: time = time(20)
    export_until: time = time(22, 30)
    sells_by_day: bool = True
    """Whether a kWh of the night pays when it is sold by day."""


def hours_of(tariff: Tariff, zone: tzinfo) -> ScriptHours:
    """Return the times fit for *tariff*; where no hours are cheap every day, the owner's own."""
    usual = ScriptHours()
    bought, sold = _by_clock(tariff.buy, tariff, zone), _by_clock(tariff.sell, tariff, zone)
    cheap = None if bought is None else _run_of(bought, min(bought))
    if bought is None or sold is None or cheap is None:
        return usual
    found = replace(usual, charge_from=cheap[0], charge_until=cheap[1])
    if cheap[0] > time(12):  # never before midnight: a day's counters hold all of the charge
        found = replace(found, charge_from=usual.charge_from, idle_from=cheap[0])
    dear = _run_of(sold, max(sold))
    if dear is not None and dear[1] > time(12):
        found = replace(found, export_from=dear[0], export_until=dear[1])
    usually = sorted(sold)[len(sold) // 2]
    return replace(found, sells_by_day=usually > min(bought))


def scripts_chain(plant: Plant, hours: ScriptHours) -> list[tuple[str, Strategy]]:
    """Return the strategies in their order, for *plant*; the inverter's own mode is to follow."""
    corridor = SocCorridor(
        parts=(
            Corridor(
                start=hours.charge_until,
                end=_EVENING[0],
                min_soc_pct=_FOR_THE_PEAK_PCT,
                max_soc_pct=_BY_DAY_PCT,
            ),
            Corridor(
                start=_EVENING[0],
                end=_EVENING[1],
                min_soc_pct=min(plant.reserve_pct, _BY_EVENING_PCT - 1),
                max_soc_pct=_BY_EVENING_PCT,
            ),
        ),
        power_w=_CORRIDOR_W,
        export=hours.sells_by_day,
    )
    evening = EveningExport(
        start=hours.export_from,
        end=hours.export_until,
        floor_pct=max(_FLOOR_PCT, plant.reserve_pct),
        max_w=max(plant.discharge_w, 1_000.0),
    )
    night = GentleCharge(
        start=hours.charge_from,
        end=hours.charge_until,
        target_pct=_TARGET_PCT,
        idle_from=hours.idle_from,
    )
    day = SolarExport(start=hours.charge_until)
    return [
        ("evening_export", partial(evening_export, settings=evening)),
        ("soc_corridor", partial(soc_corridor, settings=corridor)),
        ("gentle_charge", partial(gentle_charge, settings=night)),
        ("solar_export", partial(solar_export, settings=day)),
    ]


# ---- how it is done -----------------------------------------------------------------------


def _by_clock(prices: Sequence[float], tariff: Tariff, zone: tzinfo) -> list[float] | None:
    """Return the price of each half-hour of the wall clock; None if days differ."""
    found: dict[int, float] = {}
    for number, price in enumerate(prices):
        local = (tariff.start + number * HALF_HOUR).astimezone(zone)
        place = local.hour * 2 + local.minute // 30
        if found.setdefault(place, price) != price:
            return None
    return [found[place] for place in range(_A_DAY)] if len(found) == _A_DAY else None


def _run_of(prices: Sequence[float], price: float) -> tuple[time, time] | None:
    """Return the one part of the day at *price*; None if it is all of it or in pieces."""
    begins = [n for n in range(_A_DAY) if prices[n] == price != prices[n - 1]]
    ends = [n for n in range(_A_DAY) if prices[n] != price == prices[n - 1]]
    if len(begins) != 1:
        return None
    return _clock(begins[0]), _clock(ends[0])


def _clock(place: int) -> time:
    return time(*divmod(30 * place, 60))
