"""What days cost: as it was, with the battery left to itself, and without it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from histories import a_history, a_tick
from houses import LONDON, a_price_curve
from ohmstead.history.costs import PlainBattery, Step, costs, costs_of
from ohmstead.model import BatteryReading, DayCosts, Prices, SiteSnapshot

DAY = date(2026, 6, 21)
MIDNIGHT = int(datetime(2026, 6, 21, tzinfo=UTC).timestamp())
PERFECT = PlainBattery(floor_pct=0, efficiency=1)


def a_step(number: int, **said: float | None) -> Step:
    """Return the 5 minutes *number* of the day: 1 kWh used, bought at 0.30."""
    known: dict[str, float | None] = {
        "import_kwh": 1.0, "export_kwh": 0.0, "pv_kwh": 0.0, "load_kwh": 1.0,
        "buy_per_kwh": 0.3, "sell_per_kwh": 0.1, "covered_s": 300,
    }  # fmt: skip
    return Step(start_s=MIDNIGHT + 300 * number, **(known | said))  # type: ignore[arg-type] # by name


def cost_of(*steps: Step, plain: PlainBattery = PERFECT) -> DayCosts:
    (day,) = costs_of(steps, UTC, plain)
    return day


def test_a_house_without_a_battery_pays_what_it_takes() -> None:
    day = cost_of(a_step(0), a_step(1, import_kwh=0, export_kwh=2, pv_kwh=3))
    assert day.actual == pytest.approx(0.3 - 0.2)
    assert day.without_battery == pytest.approx(0.1)
    assert (day.without_control, day.saved_by_control) == (None, None)
    assert day.saved_by_battery == pytest.approx(0)


def test_a_night_charge_is_what_control_saved() -> None:
    battery = {"capacity_kwh": 2.0, "soc_pct": 0.0}
    cheap = a_step(0, import_kwh=3, load_kwh=1, buy_per_kwh=0.1, **battery)
    dear = [a_step(n, import_kwh=0, **(battery | {"soc_pct": 0.0})) for n in (1, 2)]
    day = cost_of(cheap, *dear)
    assert day.actual == pytest.approx(0.3)
    assert day.without_control == pytest.approx(0.1 + 0.6)
    assert day.saved_by_control == pytest.approx(0.4)
    assert day.without_battery == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("limits", "plain", "cost"),
    [
        pytest.param({}, PERFECT, -0.1, id="2 of 3 kWh of sun fit in, and serve the evening"),
        pytest.param({"max_charge_w": 12_000.0}, PERFECT, 0.1, id="1 kWh in 5 minutes goes in"),
        pytest.param({"max_discharge_w": 6_000.0}, PERFECT, 0.2, id="half a kWh comes out at once"),
        pytest.param(
            {}, PlainBattery(floor_pct=0, efficiency=0.5), 0.375, id="half is lost each way"
        ),
        pytest.param({}, PlainBattery(floor_pct=50, efficiency=1), 0.2, id="half is kept back"),
    ],
)
def test_a_battery_left_to_itself(
    limits: dict[str, float], plain: PlainBattery, cost: float
) -> None:
    battery = {"capacity_kwh": 2.0, "soc_pct": 0.0, **limits}
    sun = a_step(0, import_kwh=0, export_kwh=3, pv_kwh=3, load_kwh=0, **battery)
    evening = [a_step(n, **battery) for n in (1, 2)]
    day = cost_of(sun, *evening, plain=plain)
    assert day.without_control == pytest.approx(cost, abs=1e-9)


def test_selling_below_zero_costs() -> None:
    day = cost_of(a_step(0, import_kwh=0, export_kwh=2, pv_kwh=2, load_kwh=0, sell_per_kwh=-0.05))
    assert day.actual == pytest.approx(0.1)


def test_the_simulated_battery_goes_on_over_midnight() -> None:
    battery = {"capacity_kwh": 2.0, "soc_pct": 0.0}
    sun = a_step(0, import_kwh=0, export_kwh=2, pv_kwh=2, load_kwh=0, **battery)
    first, second = costs_of([sun, a_step(288, **battery)], UTC, PERFECT)
    assert (first.ahead_kwh, second.ahead_kwh) == (-2, -1)
    assert (first.without_control, second.without_control) == (0, 0)


async def test_the_costs_of_a_recorded_day() -> None:
    curve = a_price_curve(
        *(0.1 if slot < 10 else 0.3 for slot in range(96)),
        start=datetime.combine(DAY, datetime.min.time(), LONDON).astimezone(UTC),
    )
    async with a_history(zone=LONDON) as history:
        at = datetime.combine(DAY, datetime.min.time(), LONDON).astimezone(UTC)
        end = at + timedelta(days=1)
        while at <= end:
            cheap = at < end - timedelta(hours=19)
            site = SiteSnapshot(
                at=at, grid_w=2_000 if cheap else 0, pv_w=0, load_w=500,
                battery=BatteryReading(
                    soc_pct=10, power_w=-1_500 if cheap else 500, capacity_kwh=10
                ),
                prices=Prices(buy=curve, sell=None),
            )  # fmt: skip
            await history.record(a_tick(at, {}, site=site))
            at += timedelta(minutes=1)
        found = await costs(history, DAY - timedelta(days=1), DAY)
        (day,) = found
        assert day.day == DAY
        assert day.covered_h == pytest.approx(24)
        assert day.import_kwh == pytest.approx(10, abs=0.01)
        assert day.actual == pytest.approx(1, abs=0.01)
        plain = 5 * 0.5 * 0.1 + 19 * 0.5 * 0.3
        assert day.without_battery == pytest.approx(plain, abs=0.01)
        assert day.without_control == pytest.approx(plain, abs=0.01)
        assert day.saved_by_control == pytest.approx(plain - 1, abs=0.02)


async def test_days_without_a_price_are_left_out() -> None:
    async with a_history() as history:
        start = datetime(2026, 6, 21, tzinfo=UTC)
        for minute in range(60):
            at = start + timedelta(minutes=minute)
            site = SiteSnapshot(at=at, grid_w=100, load_w=100)
            await history.record(a_tick(at, {}, site=site))
        assert await costs(history, DAY, DAY) == []
