"""What was, over real HTTP: charts of any point, and what days cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from histories import MORNING, a_tick
from houses import LONDON, NOON, a_price_curve
from ohmstead.clock import ManualClock
from ohmstead.history.book import Book
from ohmstead.history.settings import HistorySettings
from ohmstead.http_server import listening
from ohmstead.model import BatteryReading, DeviceSnapshot, Prices, Reading, SiteSnapshot, Tick
from ohmstead.ports import HistoryPort
from ohmstead.web.live import Live
from ohmstead.web.server import make_app
from web_site import ASite

MINUTE = timedelta(minutes=1)
SPAN = {"start": "2026-06-21T06:00:00Z", "end": "2026-06-21T09:00:00Z"}


def a_minute(n: int) -> Tick:
    """Return a turn of a house that draws 1 kW, half of it into its battery."""
    at = MORNING + n * MINUTE
    reading = Reading(device="inverter", at=at, values={"load_w": 500, "status": "normal"})
    snapshot = SiteSnapshot(
        at=at,
        timezone=LONDON,
        devices={"inverter": DeviceSnapshot(name="inverter", family="toy", reading=reading)},
        battery=BatteryReading(soc_pct=50 + n / 10, power_w=-500, capacity_kwh=10,
                               max_charge_w=3_000, max_discharge_w=3_000),
        grid_w=1_000,
        pv_w=0,
        load_w=500,
        prices=Prices(buy=a_price_curve(*[0.2] * 48, start=MORNING)),
    )  # fmt: skip
    return a_tick(at, None, site=snapshot)


@asynccontextmanager
async def a_client(history: HistoryPort | None) -> AsyncIterator[httpx2.AsyncClient]:
    site = ASite()
    app = make_app(site, Live(site), ManualClock(NOON), "test", history)
    async with (
        listening(app, "127.0.0.1", 0) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/") as client,
    ):
        yield client


@asynccontextmanager
async def three_hours(path: Path) -> AsyncIterator[Book]:
    """Record three hours as the service does, from a site's turns."""
    book = Book(path / "history.db", LONDON, HistorySettings(commit_s=60))
    site = ASite()
    async with asyncio.TaskGroup() as group:
        site.heard.clear()
        task = group.create_task(book.run(site))
        await site.heard.wait()
        for n in range(181):
            site.hub.tell(a_minute(n))
            await asyncio.sleep(0.01)  # a listener that is slow loses turns
        await asyncio.sleep(0.3)
        yield book
        task.cancel()


async def test_a_point_is_charted_over_a_span(tmp_path: Path) -> None:
    async with three_hours(tmp_path) as book, a_client(book) as client:
        recorded = (await client.get("history/points")).json()
        assert {"inverter", "site"} <= set(recorded)
        params: dict[str, Any] = {"point": ["site.grid_w", "inverter.status"], **SPAN}
        grid, status = (await client.get("history", params=params)).json()
    assert (grid["device"], grid["point"]) == ("site", "grid_w")
    assert {value for value in grid["mean"] if value is not None} == {1000}
    assert len(grid["times"]) == len(grid["mean"]) == len(grid["min"]) == len(grid["max"])
    assert "normal" in status["last"]


async def test_days_have_costs_with_and_without_us(tmp_path: Path) -> None:
    async with three_hours(tmp_path) as book, a_client(book) as client:
        answer = await client.get(
            "history/costs", params={"first": "2026-06-21", "last": "2026-06-21"}
        )
    (day,) = answer.json()
    assert day["actual"] == pytest.approx(3 * 0.2, rel=0.03)
    assert day["without_battery"] == pytest.approx(1.5 * 0.2, rel=0.03)
    assert day["covered_h"] == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("history?point=site.nothing&start=2026-06-21T06:00:00Z&end=2026-06-21T09:00:00Z",
         422, "nothing was ever recorded of site.nothing"),
        ("history?point=nonsense&start=2026-06-21T06:00:00Z&end=2026-06-21T09:00:00Z",
         422, "is not device.point"),
        ("history?point=site.grid_w&start=2026-06-21T09:00:00Z&end=2026-06-21T06:00:00Z",
         422, "must end after it begins"),
        ("history?point=site.grid_w&start=yesterday&end=2026-06-21T06:00:00Z", 422, "start"),
        ("history?point=site.grid_w&start=2026-06-21T06:00:00&end=2026-06-21T06:00:00Z", 422,
         "start"),
        ("history/costs?first=2026-06-21&last=2026-06-20", 422, "before the first"),
        ("history/costs?first=1926-06-21&last=2026-06-20", 422, "at most"),
    ],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_is_told_why(
    path: str, status: int, said: str, tmp_path: Path
) -> None:
    async with three_hours(tmp_path) as book, a_client(book) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert said in answer.text


async def test_a_house_without_a_history_says_so() -> None:
    async with a_client(None) as client:
        answer = await client.get("history/points")
    assert answer.status_code == 404
    assert "keeps no history" in answer.json()["detail"]


async def test_one_that_is_not_open_yet_asks_for_a_moment(tmp_path: Path) -> None:
    book = Book(tmp_path / "history.db", LONDON, HistorySettings())
    async with a_client(book) as client:
        answer = await client.get("history/points")
    assert answer.status_code == 503
    assert "not open yet" in answer.json()["detail"]
