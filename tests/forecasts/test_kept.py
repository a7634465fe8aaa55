"""What a source said survives restarts; it is asked seldom, and less when it is in trouble."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts import quarters
from ohmstead.forecasts.kept import Keeper, Kept, load, save
from ohmstead.forecasts.quarters import Told
from ohmstead.model import ForecastSlot

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass
class Oracle:
    """A teller that says one number of the next day, or fails as it is told."""

    watts: float = 100
    failing: ForecastError | None = None
    name: str = "Oracle"
    every: timedelta = HOUR
    calls: int = 1
    calls_a_day: int | None = None
    asked: list[datetime] = field(default_factory=list)

    async def fetch(self, now: datetime) -> Mapping[int, Told]:
        self.asked.append(now)
        if self.failing:
            raise self.failing
        first = quarters.of(now) - 4
        return {first + n: Told(self.watts, self.watts, self.watts) for n in range(100)}


async def test_it_asks_once_an_hour_and_a_restart_does_not_ask_at_once(tmp_path: Path) -> None:
    oracle, path = Oracle(), tmp_path / "deep" / "oracle.json"
    keeper = Keeper(oracle, path)
    assert await keeper.refresh(NOON)
    assert not await keeper.refresh(NOON + 59 * MINUTE)
    again = Keeper(oracle, path)
    assert again.kept == keeper.kept
    assert not await again.refresh(NOON + 59 * MINUTE)
    assert NOON + HOUR <= again.next_due(NOON) <= NOON + 1.1 * HOUR
    assert await again.refresh(NOON + 67 * MINUTE)
    assert len(oracle.asked) == 2


async def test_what_was_said_of_times_gone_by_is_the_record() -> None:
    oracle = Oracle(watts=100)
    keeper = Keeper(oracle, None)
    await keeper.refresh(NOON)
    oracle.watts = 900
    await keeper.refresh(NOON + 2 * HOUR)
    told = keeper.kept.told
    assert told[quarters.of(NOON + HOUR)].middle_w == 100
    assert told[quarters.of(NOON + 2 * HOUR)].middle_w == 900
    assert told[quarters.of(NOON - HOUR)].middle_w == 100  # it came along, and nothing was there


async def test_a_month_is_kept() -> None:
    keeper = Keeper(Oracle(), None)
    await keeper.refresh(NOON)
    await keeper.refresh(NOON + timedelta(days=33))
    assert min(keeper.kept.told) >= quarters.of(NOON + timedelta(days=1))


async def test_trouble_is_a_state_and_the_pauses_grow() -> None:
    oracle = Oracle()
    keeper = Keeper(oracle, None)
    await keeper.refresh(NOON)
    oracle.failing = ForecastError("Oracle does not answer")
    now, pauses = NOON + 2 * HOUR, []
    for _ in range(12):
        assert not await keeper.refresh(now)
        pauses.append((keeper.next_due(now) - now) / MINUTE)
        now = keeper.next_due(now)
    assert pauses[0] < 2
    assert 54 <= pauses[-1] <= 73
    assert keeper.trouble == "Oracle does not answer"
    assert keeper.kept.told
    oracle.failing = None
    assert await keeper.refresh(now)
    assert keeper.trouble is None


@pytest.mark.parametrize(
    ("asked_s", "least", "most"),
    [
        pytest.param(7_200, 120, 122, id="as long as it asks"),
        pytest.param(None, 0.9, 2, id="it does not say"),
        pytest.param(1e9, 1440, 1442, id="never longer than a day"),
    ],
)
async def test_a_busy_source_is_left_alone(
    asked_s: float | None, least: float, most: float
) -> None:
    keeper = Keeper(Oracle(failing=ForecastBusy("Oracle is busy", asked_s)), None)
    await keeper.refresh(NOON)
    assert least <= (keeper.next_due(NOON) - NOON) / MINUTE <= most


async def test_calls_a_day_are_never_passed_even_by_restarts(tmp_path: Path) -> None:
    oracle, path = Oracle(calls=2, calls_a_day=6, every=MINUTE), tmp_path / "oracle.json"
    now = NOON
    for _ in range(40):
        await Keeper(oracle, path).refresh(now)
        now += 10 * MINUTE
    assert len(oracle.asked) == 3
    keeper = Keeper(oracle, path)
    await keeper.refresh(now)
    midnight = datetime(2026, 6, 22, tzinfo=UTC)
    assert midnight < keeper.next_due(now) <= midnight + 26 * MINUTE
    await keeper.refresh(midnight + 30 * MINUTE)
    assert len(oracle.asked) == 4


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="another shape"),
        pytest.param('{"told": [[1, 2, 1, 3]]}', id="half of it"),
        pytest.param("\x00\xff", id="noise"),
    ],
)
async def test_a_file_that_cannot_be_understood_is_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "oracle.json"
    path.write_text(text)
    assert load(path) == Kept()
    assert path.with_suffix(".broken").exists()
    assert await Keeper(Oracle(), path).refresh(NOON)


@pytest.mark.parametrize(
    "row", [[1, 5, 4, 6], [1, 0, float("nan"), 1], [10**30, 1, 1, 1], [1, 2], ["x", 1, 1, 1]]
)
def test_rows_out_of_order_are_not_believed(tmp_path: Path, row: list[float]) -> None:
    path = tmp_path / "oracle.json"
    save(path, Kept(told={1: Told(1, 1, 1)}))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"told": [row]}))
    assert load(path) == Kept()


def test_a_full_disk_loses_no_more_than_the_record(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    save(tmp_path / "file" / "oracle.json", Kept())


def test_energy_is_not_lost_on_quarters() -> None:
    slot = ForecastSlot(
        start=NOON + 7 * MINUTE, end=NOON + 52 * MINUTE, low_w=100, middle_w=400, high_w=600
    )
    spread = quarters.spread_out([slot])
    assert sum(told.middle_w for told in spread.values()) / 4 == pytest.approx(400 * 45 / 60)
    assert len(spread) == 4
