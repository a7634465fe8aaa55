"""A real database holds exactly what was sent: nothing lost, nothing doubled, outage or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from houses import LONDON, a_device, a_reading, a_site
from ohmstead.clock import Clock, ScaledClock, SystemClock
from ohmstead.model import Decision, Tick, Value
from ohmstead.outputs.influx import InfluxOutput, InfluxSettings
from victoria_metrics import Series, VictoriaMetrics, victoria_metrics
from web_site import ASite

pytestmark = pytest.mark.enable_socket  # a database on loopback

START = SystemClock().now().replace(microsecond=0) - timedelta(hours=1)
"""Not noon of some day: a database drops what lies days ahead."""
SITE = '#1, "our" home=castle\\'
"""A name with everything in it that line protocol minds."""


def told(site: ASite, n: int, values: dict[str, Value | None], at: datetime | None = None) -> None:
    """Let the device say *values*, and the site take its turn."""
    at = at or START + timedelta(seconds=n)
    snapshot = replace(
        a_site(at=at, load_w=500 + n),
        devices={"inverter": a_device(a_reading(at=at, values=values))},
    )
    decision = Decision(at=at, command=None, reason="a test", strategy="test")
    site.hub.tell(Tick(snapshot=snapshot, decision=decision))


@asynccontextmanager
async def running(
    site: ASite, settings: InfluxSettings, clock: Clock, folder: Path | None
) -> AsyncIterator[InfluxOutput]:
    output = InfluxOutput(settings, site_name=SITE, timezone=LONDON, clock=clock, data_dir=folder)
    async with asyncio.TaskGroup() as group:
        site.heard.clear()
        task = group.create_task(output.run(site))
        await site.heard.wait()
        yield output
        task.cancel()


def points(found: Series, name: str) -> list[tuple[int, float]]:
    (series,) = [values for labels, values in found.items() if dict(labels)["__name__"] == name]
    return series


def expected(count: int, first: float, step: float) -> list[tuple[int, float]]:
    start_ms = round(START.timestamp() * 1_000)
    return [(start_ms + 1_000 * n, first + step * n) for n in range(count)]


async def all_sent(database: VictoriaMetrics, name: str, count: int) -> Series:
    async with asyncio.timeout(30):
        while True:
            found = await database.series()
            names = {dict(labels)["__name__"] for labels in found}
            if name in names and len(points(found, name)) >= count:
                return found
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_the_database_returns_exactly_what_was_sent(api: str, tmp_path: Path) -> None:
    async with victoria_metrics(tmp_path / "db") as database:
        settings = InfluxSettings(
            url=database.url, every_s=0.1, text=False,
            bucket="power" if api == "v2" else "", gzip=api == "v1",
        )  # fmt: skip
        site = ASite()
        async with running(site, settings, SystemClock(), tmp_path):
            for n in range(50):
                values: dict[str, Value | None] = {
                    "pv1_w": 1_000.25 + n, "charge_on": n % 2 == 0, "status": "on", "gone": None,
                }  # fmt: skip
                told(site, n, values)
                told(site, n, values)  # a turn in which the device has said nothing new
                await asyncio.sleep(0.01)
            found = await all_sent(database, "ohmstead_load_w", 50)
    house = {"site": SITE.replace('"', "'").replace("\\", "/")}
    device = {**house, "device": "inverter"}
    names = {dict(labels)["__name__"]: labels for labels in found}
    assert {name: dict(labels) for name, labels in names.items()} == {
        "toy_pv1_w": {"__name__": "toy_pv1_w", **device},
        "toy_charge_on": {"__name__": "toy_charge_on", **device},
        **{
            f"ohmstead_{key}": {"__name__": f"ohmstead_{key}", **house}
            for key in ("grid_w", "pv_w", "load_w", "battery_w", "battery_soc_pct")
        },
    }
    assert points(found, "toy_pv1_w") == expected(50, 1_000.25, 1)
    assert points(found, "ohmstead_load_w") == expected(50, 500, 1)
    assert [value for _, value in points(found, "toy_charge_on")] == [1, 0] * 25


async def test_an_outage_of_two_minutes_is_replayed_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ScaledClock(START, 60)
    async with victoria_metrics(tmp_path / "db") as database:
        settings = InfluxSettings(url=database.url, every_s=10, text=False)
        site = ASite()
        async with running(site, settings, clock, tmp_path) as output:
            for n in range(240):
                if n == 40:
                    await database.stop()
                if n == 160:
                    assert output.waiting >= 5
                    assert list((tmp_path / "spool").rglob("*.spool")) != []
                    await database.start()
                told(site, n, {"pv1_w": 1_000 + n})
                await clock.sleep(1)
            found = await all_sent(database, "toy_pv1_w", 240)
            assert (output.waiting, output.dropped) == (0, 0)
    assert points(found, "toy_pv1_w") == expected(240, 1_000, 1)
    assert points(found, "ohmstead_load_w") == expected(240, 500, 1)
    assert list((tmp_path / "spool").rglob("*.spool")) == []
    assert "takes no lines, so they wait on disk" in caplog.text


async def test_what_a_stopped_service_had_not_sent_follows_at_the_next_start(
    tmp_path: Path,
) -> None:
    async with victoria_metrics(tmp_path / "db") as database:
        settings = InfluxSettings(url=database.url, every_s=3_600, text=False)
        site = ASite()
        async with running(site, settings, SystemClock(), tmp_path):
            for n in range(20):
                told(site, n, {"pv1_w": 1_000 + n})
                await asyncio.sleep(0)
        assert await database.series() == {}
        async with running(site, replace(settings, every_s=0.1), SystemClock(), tmp_path):
            for n in range(20, 30):
                told(site, n, {"pv1_w": 1_000 + n})
                await asyncio.sleep(0)
            found = await all_sent(database, "toy_pv1_w", 30)
    assert points(found, "toy_pv1_w") == expected(30, 1_000, 1)
