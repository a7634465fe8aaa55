"""The demonstration: a day by plan over real sockets, and the same day played otherwise."""

import io
import re
from bisect import bisect_right
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ohmstead import app
from ohmstead.cli import cli
from ohmstead.cli.common import plan_of
from ohmstead.cli.demo_day import open_demo
from ohmstead.cli.demo_past import cloud_of, live_before
from ohmstead.cli.demo_played import Meter, Played, five_pence, play, self_use, wish
from ohmstead.cli.demo_strip import strip
from ohmstead.cli.demo_sum import costs_of, summary
from ohmstead.cli.demo_worth import value_left
from ohmstead.clock import ManualClock
from ohmstead.forecasts.load_history import LoadHistorySettings, load_history
from ohmstead.history.book import Book
from ohmstead.history.settings import HistorySettings
from ohmstead.model import BatteryCommand, BatteryMode, Plan, PlanSlot, SiteSnapshot, Tick
from ohmstead.simulation import SCENARIOS, House

WINTER, PLUNGE, AUTUMN = (SCENARIOS[name] for name in ("winter", "plunge", "dst_autumn"))
HALF_HOUR = timedelta(minutes=30)


def hours_on(hours: float) -> datetime:
    return WINTER.start + timedelta(hours=hours)


def printed(*renderables: object, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(*renderables)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class TestOverSockets:
    def test_a_day_is_told_and_what_it_saved(self) -> None:
        arguments = ["demo", "--once-through", "--speed", "3600", "--plain"]
        result = CliRunner().invoke(cli, [*arguments, "--listen", "127.0.0.1:0"])
        assert result.exit_code == 0, result.output
        assert "the plan until" in result.output
        assert "The same day in three ways" in result.output
        assert re.search(r"The plan (saved|cost) .* self-use", result.output)

    def test_the_screen_has_the_plan_in_it(self) -> None:
        arguments = ["demo", "--once-through", "--speed", "7200", "--scenario", "plunge"]
        result = CliRunner().invoke(cli, [*arguments, "--listen", "127.0.0.1:0"])
        assert result.exit_code == 0, result.output
        assert "Last writes to the inverter" in result.output
        assert re.search(r"stored +[▁▂▃▄▅▆▇█]{9}", result.output)

    async def test_the_plans_decisions_played_again_give_what_was_measured(self) -> None:
        """Turn by turn, so that nothing depends on how fast this machine is."""
        clock, told = ManualClock(PLUNGE.start), list[tuple[datetime, BatteryCommand | None]]()

        def again(site: SiteSnapshot) -> BatteryCommand | None:
            place = bisect_right(told, site.at, key=lambda said: said[0])
            return told[place - 1][1] if place else None

        async with open_demo(PLUNGE, 6000, "127.0.0.1:0", clock) as demo, AsyncExitStack() as stack:
            plan = plan_of(demo.settings, clock)
            house = await stack.enter_async_context(app.open_house(plan, clock))
            for watch in house.watches.values():
                await stack.enter_async_context(watch.device)
            while clock.now() < demo.ends:
                tick = await taken_turn(plan, house)
                told.append((tick.snapshot.at, tick.decision.command))
                clock.move(1800 - clock.now().timestamp() % 1800)
            measured = demo.meter.played(PLUNGE, demo.ends)
        replayed = play(PLUNGE, again, demo.ends)
        assert replayed.bill == pytest.approx(measured.bill, abs=0.03)
        assert replayed.left_pct == pytest.approx(measured.left_pct, abs=2)
        costs = costs_of(PLUNGE, demo.ways(demo.ends), demo.ends)
        assert costs["by plan"] < costs["5p rule"] - 1 < costs["self-use"] - 1


async def taken_turn(plan: app.Plan, house: app.House) -> Tick:
    now = house.clock.now()
    for prices in house.prices:
        if prices.curve is None or now.hour == 16:
            await prices.ask_once(now)
    for watch in house.watches.values():
        await watch.read_once()
    assert plan.planner is not None
    await plan.planner.refresh(house.site.snapshot())
    return await house.site.turn()


class TestThePlayedDay:
    def test_self_use_is_what_the_simulated_house_does_by_itself(self) -> None:
        end = hours_on(6)
        house = WINTER.build()
        house.advance(end)
        played = play(WINTER, self_use(), end)
        assert played.import_kwh == pytest.approx(house.totals.import_kwh)
        assert played.left_kwh == pytest.approx(house.battery.stored_kwh)

    def test_the_bill_has_every_half_hour_at_its_price(self) -> None:
        played = play(WINTER, lambda _: BatteryCommand(mode=BatteryMode.HOLD), hours_on(5))
        house, bill, before = WINTER.build(), 0.0, 0.0
        house.controller = lambda house: min(house.load_w - house.pv_w, 0.0)
        house.settle()
        for at, per_kwh in WINTER.import_prices[:10]:
            house.advance(at + HALF_HOUR)
            bill += (house.totals.import_kwh - before) * per_kwh
            before = house.totals.import_kwh
        assert played.bill == pytest.approx(bill)

    def test_a_look_in_the_middle_of_a_half_hour_counts_so_far(self) -> None:
        whole, part = (play(WINTER, self_use(), hours_on(h)) for h in (20, 19.7))
        assert part.import_kwh < whole.import_kwh
        assert part.bill < whole.bill

    def test_a_meter_that_is_asked_late_still_knows_the_half_hour(self) -> None:
        house = WINTER.build()
        meter = Meter(house)
        house.advance(hours_on(12.1))
        early = meter.played(WINTER, hours_on(12))
        house.advance(hours_on(30))
        assert meter.played(WINTER, hours_on(12)) == early

    def test_a_day_of_25_hours_is_paid_for_to_its_end(self) -> None:
        end = AUTUMN.start + timedelta(hours=25)
        hold = play(AUTUMN, lambda _: BatteryCommand(mode=BatteryMode.IDLE), end)
        less = play(AUTUMN, lambda _: BatteryCommand(mode=BatteryMode.IDLE), end - HALF_HOUR)
        assert hold.import_kwh > less.import_kwh

    def test_the_5p_rule_charges_where_it_costs_so_little_and_else_does_nothing(self) -> None:
        end = PLUNGE.start + timedelta(hours=24)
        assert play(PLUNGE, five_pence(), end).import_kwh > 5
        assert play(WINTER, five_pence(), hours_on(24)) == play(WINTER, self_use(), hours_on(24))

    @pytest.mark.parametrize(
        ("command", "wished_w"),
        [
            pytest.param(None, 500, id="nothing: the house is served"),
            pytest.param(BatteryCommand(mode=BatteryMode.SELF_USE), 500, id="self-use"),
            pytest.param(BatteryCommand(mode=BatteryMode.CHARGE), -3_600, id="charge"),
            pytest.param(
                BatteryCommand(mode=BatteryMode.CHARGE, power_w=900), -900, id="charge gently"
            ),
            pytest.param(
                BatteryCommand(mode=BatteryMode.CHARGE, soc_pct=40), 0, id="charged enough"
            ),
            pytest.param(BatteryCommand(mode=BatteryMode.CHARGE_SOLAR), -100, id="solar first"),
            pytest.param(BatteryCommand(mode=BatteryMode.DISCHARGE), 3_600, id="discharge"),
            pytest.param(
                BatteryCommand(mode=BatteryMode.DISCHARGE, soc_pct=60), 500, id="emptied enough"
            ),
            pytest.param(BatteryCommand(mode=BatteryMode.HOLD), 0, id="hold"),
            pytest.param(BatteryCommand(mode=BatteryMode.EXPORT_SOLAR), 500, id="export solar"),
            pytest.param(BatteryCommand(mode=BatteryMode.IDLE), 0, id="idle"),
        ],
    )
    def test_every_mode_moves_what_an_inverter_would(
        self, command: BatteryCommand | None, wished_w: float
    ) -> None:
        house = House(
            replace(WINTER.house, start_soc_pct=50),
            WINTER.start,
            UTC,
            pv_at=lambda _: 100,
            load_at=lambda _: 600,
        )
        assert wish(house, command) == wished_w

    def test_the_reserve_stays(self) -> None:
        low = House(replace(WINTER.house, start_soc_pct=10), WINTER.start, UTC)
        assert wish(low, BatteryCommand(mode=BatteryMode.DISCHARGE)) == 0


class TestTheSummary:
    END = hours_on(24)
    WAY = Played(import_kwh=5, export_kwh=1, left_kwh=4, left_pct=42, bill=1.0)

    def told(self, end: datetime = END, **bills: float) -> str:
        names = {"self_use": "self-use", "rule": "5p rule", "plan": "by plan"}
        ways = {names[key]: replace(self.WAY, bill=bill) for key, bill in bills.items()}
        return printed(summary(WINTER, ways, end))

    def test_where_self_use_is_as_good_it_says_so(self) -> None:
        said = self.told(self_use=1.0, rule=1.0, plan=1.0)
        assert "The plan cost the same as self-use and the 5p rule." in said

    def test_where_the_plan_was_dearer_it_says_so(self) -> None:
        said = self.told(self_use=1.0, rule=1.5, plan=1.1)
        assert "cost £0.10 more than self-use, and saved £0.40 over the 5p rule" in said

    def test_it_says_when_the_5p_rule_had_nothing_to_do(self) -> None:
        assert "cost 9.76p: the 5p rule had nothing to do" in self.told(
            self_use=1.0, rule=1.0, plan=0.5
        )

    def test_a_day_that_was_stopped_says_when(self) -> None:
        bills = {"self_use": 1.0, "rule": 1.0, "plan": 0.5}
        assert "until 12:00" in self.told(hours_on(12), **bills)
        assert "until" not in self.told(self.END, **bills)

    def test_what_is_left_counts_by_what_it_saves_later(self) -> None:
        value = value_left(WINTER, self.END)
        assert value(0) == 0
        more = [value(kwh + 1) - value(kwh) for kwh in range(1, 9)]
        assert more == sorted(more, reverse=True)
        assert 0.05 < more[-1] < more[0] < 0.5
        ways = {"full": replace(self.WAY, left_kwh=9), "empty": replace(self.WAY, left_kwh=1)}
        costs = costs_of(WINTER, ways, self.END)
        assert costs["empty"] - costs["full"] == pytest.approx(value(9) - value(1))


class TestWhatIsKnownBefore:
    async def test_the_load_forecast_learns_from_the_week_before(self, tmp_path: Path) -> None:
        path = tmp_path / "history.db"
        await live_before(WINTER, path)
        book = Book(path, WINTER.timezone, HistorySettings())
        async with book.reading():
            foretold = load_history(LoadHistorySettings(), zone=WINTER.timezone, history=book)
            forecast = await foretold.forecast(WINTER.start)
        assert forecast.source == "this house's last 8 days"
        house = WINTER.build()
        house.advance(hours_on(24))
        told_kwh = forecast.kwh(WINTER.start, hours_on(24))[1]
        assert told_kwh == pytest.approx(house.totals.load_kwh, rel=0.35)

    def test_the_weather_service_is_right_on_the_whole_and_wrong_in_the_small(self) -> None:
        mixed = replace(WINTER, house=replace(WINTER.house, weather="mixed"))
        clouds = {name: cloud_of(day)(hours_on(12)) for name, day in SCENARIOS.items()}
        assert all(0 <= cloud <= 1 for cloud in clouds.values())
        assert cloud_of(WINTER)(hours_on(12)) == clouds["winter"]
        assert clouds["winter"] > clouds["summer"]
        noon = [cloud_of(mixed)(hours_on(12 + n / 60)) for n in range(60)]
        assert max(abs(b - a) for a, b in pairwise(noon)) < 0.1


def test_the_strip_shows_prices_charge_modes_and_hours() -> None:
    slots = [
        PlanSlot(
            start=WINTER.start + n * HALF_HOUR, end=WINTER.start + (n + 1) * HALF_HOUR,
            mode=BatteryMode.CHARGE if n < 8 else BatteryMode.DISCHARGE, power_w=None,
            target_pct=100, battery_w=0, grid_w=400, pv_w=0, load_w=400,
            soc_pct=10 + 10 * n if n < 8 else 80, import_per_kwh=0.1 + 0.01 * n,
            export_per_kwh=0.15, cost=0.1, worth_per_kwh=0.2, reason="because",
        )
        for n in range(16)
    ]  # fmt: skip
    plan = Plan(made_at=WINTER.start, slots=tuple(slots), cost=1, saved=0.5, gap=0)
    price, stored, hours, key = strip(plan, UTC).plain.splitlines()
    assert price == "price   ▁▁▂▂▃▃▄▄▅▅▆▆▇▇██ 10p–25p"
    assert stored == "stored  ▂▂▃▄▅▅▆▇▇▇▇▇▇▇▇▇ 80 % at Thu 08:00"
    assert hours == "        00h   03h   06h"
    assert key.split() == ["█", "charge", "█", "discharge"]
