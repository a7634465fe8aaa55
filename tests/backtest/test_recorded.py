"""Houses of whom something was recorded: the history's steps, or a table in a file."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from histories import a_history, a_tick
from ohmstead.backtest.recorded import OWN_TARIFF, from_csv, from_history
from ohmstead.backtest.replay import replay, without_battery
from ohmstead.backtest.run import jobs_of, outcome_of
from ohmstead.backtest.strategies import STRATEGIES, player_of
from ohmstead.backtest.world import Plant
from ohmstead.errors import HistoryError, OhmsteadError
from ohmstead.history.history import History
from ohmstead.model import BatteryReading, PriceCurve, Prices, PriceSlot, SiteSnapshot

LONDON = ZoneInfo("Europe/London")
DAY = datetime(2025, 6, 10, tzinfo=UTC)


async def record(history: History, days: int, every: timedelta = timedelta(minutes=5)) -> None:
    """Record 400 W of load, 1000 W of sun at noon, and two prices a day."""
    at = DAY
    while at < DAY + timedelta(days=days):
        prices = {
            name: PriceCurve(
                slots=(PriceSlot(start=at, end=at + timedelta(hours=1), per_kwh=per_kwh),)
            )
            for name, per_kwh in (("buy", 0.1 if at.hour < 6 else 0.3), ("sell", 0.15))
        }
        site = SiteSnapshot(
            at=at,
            load_w=400.0,
            pv_w=1_000.0 if 10 <= at.hour < 14 else 0.0,
            grid_w=400.0,
            battery=BatteryReading(
                soc_pct=40.0, capacity_kwh=5.0, max_charge_w=2_500.0, max_discharge_w=2_400.0
            ),
            prices=Prices(**prices),
        )
        await history.record(a_tick(at, None, site=site))
        at += every


async def test_a_recording_is_replayed_with_its_own_battery_and_prices(tmp_path: Path) -> None:
    async with a_history(tmp_path / "h.db") as history:
        await record(history, 4)
        house = await from_history(history, date(2025, 6, 12), date(2025, 6, 13), None, "home")
    world = house.world()
    assert world.begin == 2 * 48
    assert world.at(world.begin) == DAY + timedelta(days=2)
    assert world.days == 2
    plant = world.plant
    assert (plant.capacity_kwh, plant.charge_w, plant.discharge_w, plant.start_pct) == (
        5.0, 2_500.0, 2_400.0, 40.0,
    )  # fmt: skip
    assert np.allclose(world.load_w[6:], 400, atol=1)
    tariff = house.tariff(OWN_TARIFF, world)
    assert not tariff.day_ahead
    assert set(np.round(tariff.buy, 6)) == {0.1, 0.3}
    none = without_battery(world, tariff)
    by_sun = 2 * (6 * 0.4 * 0.1 + 14 * 0.4 * 0.3 - 4 * 0.6 * 0.15)
    assert none.cost == pytest.approx(by_sun, rel=0.01)
    assert replay(world, tariff, player_of("plan", plant)).net < none.net


async def test_too_little_recorded_is_said(tmp_path: Path) -> None:
    async with a_history(tmp_path / "h.db") as history:
        with pytest.raises(HistoryError, match="load"):
            await from_history(history, date(2025, 6, 10), date(2025, 6, 10), None, "home")
        await record(history, 1)
        with pytest.raises(HistoryError, match=r"only .*% of 2025-06-10 to 2025-06-13"):
            await from_history(history, date(2025, 6, 10), date(2025, 6, 13), None, "home")


def a_table(path: Path, columns: str, days: int = 2, minutes: int = 30) -> Path:
    rows = [f"time,{columns}"]
    for n in range(days * 1_440 // minutes):
        at = DAY + n * timedelta(minutes=minutes)
        values = {
            "load_w": 500,
            "pv_w": 1_500 if 9 <= at.hour < 15 else 0,
            "import_per_kwh": round(0.1 + 0.01 * at.hour + 0.001 * (at.minute // 30), 4),
            "export_per_kwh": 0.05,
            "told_w": 1_200 if 9 <= at.hour < 15 else 0,
        }
        rows.append(",".join([at.isoformat(), *(str(values[c]) for c in columns.split(","))]))
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("minutes", [5, 30])
def test_a_table_is_replayed_under_every_strategy(tmp_path: Path, minutes: int) -> None:
    columns = "load_w,pv_w,import_per_kwh,export_per_kwh,told_w"
    house = from_csv(a_table(tmp_path / "mine.csv", columns, minutes=minutes), LONDON)
    assert house.name == "mine"
    assert house.own is not None
    assert house.own.day_ahead
    assert house.world().told_w[0][18] == 1_200
    outcomes = [outcome_of(job) for job in jobs_of([house], [OWN_TARIFF], STRATEGIES)]
    nets = {outcome.strategy: outcome.net for outcome in outcomes}
    assert min(nets, key=lambda name: nets[name]) == "perfect_foresight"
    assert max(nets["plan"], nets["self_use"]) < nets["no_battery"]


def test_a_table_without_prices_needs_a_tariff(tmp_path: Path) -> None:
    house = from_csv(a_table(tmp_path / "t.csv", "load_w"), LONDON, Plant(capacity_kwh=3))
    with pytest.raises(HistoryError, match="name a tariff"):
        house.tariff(OWN_TARIFF, house.world())
    assert house.tariff("go", house.world()).name == "go"
    assert not house.world().pv_w.any()


def test_a_hole_is_filled_with_the_day_before_or_after(tmp_path: Path) -> None:
    path = a_table(tmp_path / "t.csv", "load_w,import_per_kwh", days=3)
    lines = path.read_text().splitlines()
    lines[1 + 50] = lines[1 + 50].replace(",500,", ",,")
    del lines[1 + 60 : 1 + 70]
    path.write_text("\n".join(lines))
    house = from_csv(path, LONDON)
    assert (house.world().load_w == 500).all()
    assert house.own is not None
    assert np.isfinite(house.own.buy).all()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "no column called load_w, time", id="nothing"),
        pytest.param("time,pv_w\n", "no column called load_w", id="no load"),
        pytest.param("time,load_w\n", "too short", id="no lines"),
        pytest.param(
            "time,load_w\n2025-06-10T00:00,1\n", "line 2: the time has no zone", id="zone"
        ),
        pytest.param("time,load_w\nnoon,1\n", "line 2", id="no time"),
        pytest.param("time,load_w\n2025-06-10T00:00Z\n", "line 2", id="too few columns"),
        pytest.param(
            "time,load_w\n2025-06-10T00:30Z,1\n2025-06-10T00:00Z,1\n",
            "not in time order",
            id="back",
        ),
        pytest.param(
            "time,load_w\n2025-06-10T00:00Z,1\n2025-06-10T00:07Z,1\n", "a half-hour", id="odd step"
        ),
        pytest.param("time,load_w\n2025-06-10T00:00Z,x\n", "line 2", id="no number"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(HistoryError, match=says):
        from_csv(path, LONDON)


def test_only_errors_of_the_tree_leave_a_file_of_bytes(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"\xff\xfe\x00time")
    with pytest.raises(OhmsteadError):
        from_csv(path, LONDON)
