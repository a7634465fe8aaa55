"""The plan in the terminal: what an owner reads, and where it comes from."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from rich.console import Console

from histories import a_history, a_tick
from houses import LONDON, NOON
from ohmstead.cli import cli
from ohmstead.cli.plan_spans import money, power, price_range, spans_of, totals
from ohmstead.cli.plan_view import draw_plan
from ohmstead.clock import SystemClock
from ohmstead.model import BatteryMode, Plan, PlanSlot, SiteSnapshot

PROBLEMS = Path(__file__).parents[1] / "planner" / "problems"
HALF = timedelta(minutes=30)
CHARGE, SELF_USE, DISCHARGE = BatteryMode.CHARGE, BatteryMode.SELF_USE, BatteryMode.DISCHARGE


def a_slot(
    n: int, mode: BatteryMode = SELF_USE, battery_w: float = 0, per_kwh: float = 0.3,
    soc_pct: float = 50, reason: str = "serve the house", start: datetime = NOON,
) -> PlanSlot:  # fmt: skip
    return PlanSlot(
        start=start + n * HALF, end=start + (n + 1) * HALF, mode=mode, power_w=None,
        target_pct=soc_pct, battery_w=battery_w, grid_w=400 - battery_w, pv_w=0, load_w=400,
        soc_pct=soc_pct, import_per_kwh=per_kwh, export_per_kwh=0.15,
        cost=(400 - battery_w) / 2_000 * per_kwh, worth_per_kwh=0.2, reason=reason,
    )  # fmt: skip


def a_plan(*slots: PlanSlot, cost: float = 1.5, gap: float = 0.0) -> Plan:
    return Plan(
        made_at=NOON, slots=slots, cost=cost, saved=0.75, gap=gap,
        made_of="the moon; a typical house",
    )  # fmt: skip


NIGHT_AND_DAY = a_plan(
    a_slot(0, CHARGE, -2_000, 0.07, 60, "charge at 7p"),
    a_slot(1, CHARGE, -3_000, 0.09, 75, "charge at 9p"),
    a_slot(2, SELF_USE, 400, 0.3, 70),
    a_slot(3, DISCHARGE, 2_000, 0.4, 55, "sell <now> & [here]"),
)


def drawn(plan: Plan, width: int = 100, zone: ZoneInfo = LONDON) -> str:
    said = StringIO()
    draw_plan(plan, zone, Console(file=said, width=width))
    return said.getvalue()


def test_loads_that_may_wait_are_told_with_their_hours() -> None:
    on = {"dishes": 1_800.0, "heater": 0.0}
    slots = [
        replace(slot, loads_w=on if n in {0, 1, 3} else dict.fromkeys(on, 0.0))
        for n, slot in enumerate(NIGHT_AND_DAY.slots)
    ]
    said = drawn(replace(NIGHT_AND_DAY, slots=tuple(slots)))
    assert "dishes: Sun 13:00–14:00, Sun 14:30–15:00" in said
    assert "heater: not on" in said


class TestSpans:
    def test_neighbours_of_one_mode_are_one_span(self) -> None:
        spans = spans_of(NIGHT_AND_DAY)
        assert [(s.first.mode, len(s.slots)) for s in spans] == [
            (CHARGE, 2), (SELF_USE, 1), (DISCHARGE, 1),
        ]  # fmt: skip
        assert [s.from_pct for s in spans] == [None, 75, 70]

    def test_power_is_the_mean_over_time_and_cost_the_sum(self) -> None:
        long = a_slot(0, CHARGE, -1_000)
        short = PlanSlot(
            **{f: getattr(long, f) for f in long.__slots__}
            | {"start": long.end, "end": long.end + HALF / 2, "battery_w": -4_000}
        )
        (span,) = spans_of(a_plan(long, short))
        assert span.battery_w == pytest.approx(-2_000)
        assert span.cost == pytest.approx(2 * long.cost)

    def test_each_reason_is_given_once_that_of_the_busiest_slot_first(self) -> None:
        assert spans_of(NIGHT_AND_DAY)[0].reasons == ("charge at 9p", "charge at 7p")


class TestWords:
    @pytest.mark.parametrize(
        ("plan", "says"),
        [
            pytest.param(a_plan(cost=1.5, gap=0.001), "costs £1.50; saves £0.75", id="costs"),
            pytest.param(a_plan(cost=-2), "earns £2.00;", id="earns"),
            pytest.param(a_plan(gap=0), "none costs less", id="nothing is cheaper"),
            pytest.param(a_plan(gap=0.2), "at most £0.20 dearer than the best", id="a gap"),
        ],
    )
    def test_totals(self, plan: Plan, says: str) -> None:
        assert says in totals(plan)

    def test_the_weight_of_its_power_is_told_where_it_is_known(self) -> None:
        assert totals(replace(NIGHT_AND_DAY, carbon_kg=3.21)).endswith("less; 3.2 kg of CO2")
        assert totals(replace(NIGHT_AND_DAY, carbon_kg=-1)).endswith("1.0 kg of CO2 spared")

    def test_amounts_powers_and_prices(self) -> None:
        assert money(-0.004, "GBP") == "£0.00"
        assert money(-1.005, "SEK") == "−1.00 SEK"
        assert power(-999.4) == "999 W"
        assert price_range([-0.02, 0.3, 0.1], "GBP") == "-2p–30p"


class TestTheTerminal:
    def test_each_span_has_its_row_and_reason(self) -> None:
        said = drawn(NIGHT_AND_DAY)
        assert "The plan from Sun 13:00 until Sun 15:00" in said  # the owner's clock
        assert "of: the moon; a typical house" in said
        (row,) = (line for line in said.splitlines() if line.startswith("Sun 13:00–14:00"))
        assert "charge" in row
        assert "2.5 kW in" in row
        assert "75 %" in row
        assert "7p–9p" in row
        assert "    charge at 9p (and 1 more)" in said
        assert "75 → 70 %" in said
        assert "2.0 kW out" in said

    def test_what_a_reason_says_is_not_taken_for_markup(self) -> None:
        assert "sell <now> & [here]" in drawn(NIGHT_AND_DAY)

    @pytest.mark.parametrize("width", [40, 60, 80, 200])
    def test_it_fits_the_terminal(self, width: int) -> None:
        slots = [a_slot(n, SELF_USE, 300, 0.1 + n % 7 / 20) for n in range(96)]
        assert (
            max(len(line.rstrip()) for line in drawn(a_plan(*slots), width).splitlines()) <= width
        )

    def test_charts_have_a_bar_for_what_there_is_and_none_for_what_there_is_not(self) -> None:
        said = {line[:10].strip() for line in drawn(NIGHT_AND_DAY).splitlines()}
        assert {"import", "house", "drawn", "fed in", "charged", "emptied", "battery"} <= said
        assert "sun" not in said

    def test_a_plan_of_one_slot_without_anything_is_drawn(self) -> None:
        assert "50 %" in drawn(a_plan(a_slot(0, per_kwh=0.0)))

    def test_negative_prices_are_drawn(self) -> None:
        assert "-5p" in drawn(a_plan(a_slot(0, per_kwh=-0.05), a_slot(1, per_kwh=-0.01)))


def made(path: Path) -> str | None:
    code, said = run("-c", str(path), "--json")
    return str(json.loads(said)["made_at"]) if code == 0 else None


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["plan", *arguments])
    return result.exit_code, result.output or str(result.exception)


class TestProblems:
    @pytest.mark.parametrize("name", ["problem_e_go_ev_30m", "own-07-go-noexport"])
    def test_a_problem_is_drawn(self, name: str) -> None:
        code, said = run("--problem", str(PROBLEMS / f"{name}.json"), "--draw")
        assert code == 0, said
        assert "The plan from" in said
        assert "█ charge" in said
        assert "kWh" in said
        assert ("the car takes" in said) == ("ev" in name)

    def test_without_draw_it_is_json(self) -> None:
        code, said = run("--problem", str(PROBLEMS / "problem_c_go_window_30m.json"))
        assert code == 0
        assert json.loads(said)["name"] == "c_go_window_30m"

    def test_a_problem_in_pence_is_told_in_pounds(self) -> None:
        _, said = run("--problem", str(PROBLEMS / "own-07-go-noexport.json"), "--draw")
        assert "saves £0.27 over" in said

    def test_one_picture_shows_one_problem(self, tmp_path: Path) -> None:
        paths = [
            str(PROBLEMS / f"problem_{n}_30m.json") for n in ("c_go_window", "b_flat_clipping")
        ]
        code, said = run("--problem", *paths, "--html", str(tmp_path / "x.html"))
        assert code == 2
        assert "one problem, not several" in said


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ohmstead with *arguments* until the block ends; it has said its first line."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-u", "-m", "ohmstead", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration that plans, and whose inverter answers."""
    folder = tmp_path_factory.mktemp("house")
    device, web = free_port(), free_port()
    path = folder / "ohmstead.yaml"
    path.write_text(
        "site: {name: home, timezone: Europe/London}\n"
        "devices:\n- {name: inverter, family: givenergy, host: 127.0.0.1, "
        f"port: {device}}}\n"
        "prices:\n  import: {source: time_of_use, default_per_kwh: 0.3, "
        'windows: [{start: "00:30", end: "05:30", per_kwh: 0.07}]}\n'
        "control:\n- follow_plan: {wear_per_kwh: 0.01}\n"
        f"data_dir: {folder / 'var'}\n"
        f"web: {{listen: '127.0.0.1:{web}'}}\n"
    )
    with running("simulate", "givenergy", "--port", str(device)):
        yield path


async def yesterday(path: Path) -> None:
    """Record a day and a half of a house that uses 2 kW."""
    now = SystemClock().now()
    async with a_history(path, LONDON) as history:
        for minute in range(36 * 60, 0, -3):
            at = now - timedelta(minutes=minute)
            site = SiteSnapshot(at=at, pv_w=0.0, grid_w=2_000.0, load_w=2_000.0)
            await history.record(a_tick(at, {}, site=site))


class TestTheHouse:
    def test_without_a_service_the_house_is_looked_at(self, house: Path, tmp_path: Path) -> None:
        code, said = run("-c", str(house), "--html", str(tmp_path / "plan.html"))
        assert code == 0, said
        assert "made " in said
        assert "time-of-use import price" in said
        assert "over a house that does not plan" in said
        assert "<svg" in (tmp_path / "plan.html").read_text()
        code, said = run("-c", str(house), "--json")
        assert json.loads(said)["slots"][0]["reason"]

    def test_what_was_recorded_is_learnt_from(self, house: Path) -> None:
        asyncio.run(yesterday(house.parent / "var" / "history.db"))
        for verb in ("plan", "why"):
            said = CliRunner().invoke(cli, [verb, "-c", str(house), "--json"])
            assert said.exit_code == 0, said.output
        plan = json.loads(CliRunner().invoke(cli, ["plan", "-c", str(house), "--json"]).output)
        assert "this house's last" in plan["made_of"]
        assert max(slot["load_w"] for slot in plan["slots"]) > 1_500

    def test_with_a_service_it_is_the_service_s_plan(self, house: Path) -> None:
        with running("run", "-c", str(house), "-v") as service:
            first, again = None, made(house)
            while first is None or first != again:  # a look would make a new one each time
                Event().wait(0.1)
                first, again = again, made(house)
            code, said = run("-c", str(house))
            assert code == 0, said
            assert "battery" in said
            assert service.poll() is None

    def test_a_battery_that_is_away_is_told(self, tmp_path: Path, house: Path) -> None:
        path = tmp_path / "away.yaml"
        path.write_text(re.sub(r"port: \d+", "port: 9", house.read_text()))
        code, said = run("-c", str(path))
        assert code == 1
        assert "there is no plan: the state of charge is not known" in said

    def test_a_house_that_does_not_plan_is_told_how(self, tmp_path: Path) -> None:
        path = tmp_path / "ohmstead.yaml"
        path.write_text("web: {listen: '127.0.0.1:0'}\ndevices: []\n")
        code, said = run("-c", str(path))
        assert code == 1
        assert "list `follow_plan` under control" in said

    def test_a_configuration_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        code, said = run("-c", str(tmp_path / "none.yaml"))
        assert code == 1
        assert "none.yaml" in said
