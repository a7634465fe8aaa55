"""What PVOutput gets over the wire, and what becomes of every answer it can give."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from houses import LONDON, NOON, a_site
from ohmstead.clock import ScaledClock
from ohmstead.errors import ConfigError, OutputError
from ohmstead.model import Decision, Tick
from ohmstead.outputs.pvoutput import PvoutputOutput, PvoutputSettings
from pvoutput_server import KEY, SYSTEM, PvOutput, a_server
from web_site import ASite

pytestmark = pytest.mark.enable_socket  # a server on loopback

FAST = 2_000.0
"""Seconds of the house in one of ours: PVOutput's ten between two requests are 5 ms."""


class Bench:
    def __init__(self, server: PvOutput, output: PvoutputOutput, site: ASite) -> None:
        self.server, self.output, self.site = server, output, site

    async def live(self, minutes: int, *, since: int = 0, pv_w: float = 3_000) -> None:
        """Let the house take a turn a minute."""
        for minute in range(since, since + minutes + 1):
            seen = a_site(at=NOON + timedelta(minutes=minute), pv_w=pv_w, load_w=500)
            decision = Decision(at=NOON, command=None, reason="a test", strategy="test")
            self.site.hub.tell(Tick(snapshot=seen, decision=decision))
            await asyncio.sleep(0.002)

    async def until(self, count: int) -> None:
        """Wait until the server has so many statuses."""
        await so(lambda: len(self.server.statuses) >= count)

    async def settled(self) -> None:
        await so(lambda: not self.output.waiting)


async def so(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - neither end tells of itself
            await asyncio.sleep(0.01)


@asynccontextmanager
async def telling(
    server: PvOutput,
    folder: Path | None = None,
    **more: Any,  # noqa: ANN401 - any setting
) -> AsyncIterator[Bench]:
    output, site = an_output(server, folder, **more), ASite()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(output.run(site))
        await site.heard.wait()
        yield Bench(server, output, site)
        task.cancel()


def an_output(server: PvOutput, folder: Path | None = None, **more: Any) -> PvoutputOutput:  # noqa: ANN401 - any setting
    settings = PvoutputSettings(**{"api_key": KEY, "system_id": SYSTEM, "url": server.url} | more)
    return PvoutputOutput(
        settings, site_name="home", timezone=LONDON, clock=server.clock, data_dir=folder
    )


async def test_every_five_minutes_it_gets_sun_and_load_in_local_time() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        await bench.live(16)
        await bench.until(3)
        assert server.statuses == {f"20260621 13:{m}": ("3000", "500") for m in ("05", "10", "15")}


async def test_the_load_stays_at_home_if_its_owner_wants() -> None:
    async with (
        a_server(ScaledClock(NOON, FAST)) as server,
        telling(server, consumption=False) as bench,
    ):
        await bench.live(6)
        await bench.until(1)
        assert server.statuses == {"20260621 13:05": ("3000", "")}


async def test_what_waited_goes_in_batches_and_in_order() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        server.down = True
        await bench.live(40 * 5 + 1)
        server.down = False
        server.sent.clear()
        await bench.until(40)
        assert [len(batch) for batch in server.sent] == [30, 10]
        assert list(server.statuses) == sorted(server.statuses)


async def test_requests_are_ten_seconds_apart_and_within_the_hours_allowance() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        server.limit = 10
        server.most_in_batch = 1
        server.down = True
        await bench.live(12 * 5 + 1)
        server.down = False
        server.sent.clear()
        server.at.clear()
        await bench.until(12)
        apart = [b - a for a, b in zip(server.at, server.at[1:], strict=False)]
        assert min(apart) >= 9
        hours = [at // 3_600 for at in server.at]
        assert max(hours.count(hour) for hour in hours) <= server.limit


async def test_a_used_up_allowance_is_waited_for() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        server.used, server.hour = server.limit, server.clock.now().timestamp() // 3_600
        await bench.live(6)
        await bench.until(1)
        assert len(server.sent) <= 2, "one was refused, and nothing asked before the next hour"


async def test_a_status_that_is_refused_holds_up_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        server.down, server.bad = True, "13:20"
        await bench.live(8 * 5 + 1)
        server.down = False
        await bench.until(7)
        await bench.settled()
        assert "20260621 13:20" not in server.statuses
        assert len(server.statuses) == 7
        assert bench.output.dropped == 1
    assert "2026-06-21 13:20 is refused" in caplog.text


async def test_a_few_watts_at_night_do_not_cost_the_load() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        server.night = True
        await bench.live(6, pv_w=4)
        await bench.until(1)
        assert server.statuses == {"20260621 13:05": ("0", "500")}
        assert bench.output.dropped == 0


async def test_what_waits_survives_a_restart(tmp_path: Path) -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server:
        server.down = True
        async with telling(server, tmp_path) as bench:
            await bench.live(11)
            await asyncio.sleep(0.05)
        assert len(json.loads((tmp_path / "waiting.json").read_text())["statuses"]) == 2
        server.down = False
        async with telling(server, tmp_path) as bench:
            await bench.until(2)
            await bench.settled()
            await asyncio.sleep(0.05)
        kept = json.loads((tmp_path / "waiting.json").read_text())
        assert kept["statuses"] == []
        assert kept["today"]["known_s"] > 0


@pytest.mark.parametrize("text", ['{"a": 1', '{"statuses": [["yesterday", 1, 2]]}', "[7]", "{}"])
async def test_a_file_that_cannot_be_read_is_no_reason_to_stop(tmp_path: Path, text: str) -> None:
    (tmp_path / "waiting.json").write_text(text)
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server, tmp_path) as bench:
        await bench.live(6)
        await bench.until(1)


async def test_a_place_that_cannot_be_written_costs_the_backlog_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with (
        a_server(ScaledClock(NOON, FAST)) as server,
        telling(server, tmp_path / "file") as bench,
    ):
        await bench.live(6)
        await bench.until(1)


async def test_what_is_too_old_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        fortnight = 14 * 24 * 60
        await bench.live(6, since=-fortnight - 60)
        await bench.settled()
        assert server.statuses == {}
        assert bench.output.dropped == 1
    assert "too old" in caplog.text


async def test_a_machine_without_a_clock_tells_nothing_of_1970() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        await bench.live(11, since=-60 * 24 * 365 * 50)
        await asyncio.sleep(0.05)
        assert bench.output.waiting == 0
        assert server.sent == []


async def test_an_outage_is_told_once_and_shows_no_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ohmstead")
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server) as bench:
        server.answers += [PlainTextResponse(f"no {KEY}", 500) for _ in range(3)]
        await bench.live(6)
        await bench.until(1)
        await bench.settled()
    assert caplog.text.count("takes no statuses") == 1
    assert caplog.text.count("takes statuses again") == 1
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("daily", "bad", "told"),
    [(True, "", {"20260622"}), (False, "", set()), (True, "20260622", set())],
    ids=["told", "not wanted", "refused"],
)
async def test_a_whole_day_is_told_after_its_statuses(
    daily: bool, bad: str, told: set[str]
) -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server, telling(server, daily=daily) as bench:
        server.bad = bad
        midnight = 11 * 60  # noon is one o'clock in London
        await bench.live(24 * 60 + 6, since=midnight, pv_w=1_000)
        await bench.until(24 * 12)
        await bench.settled()
        assert set(server.days) == told
        assert bench.output.dropped == (1 if bad else 0)
        if told:
            generated, exported = (int(wh) for wh in server.days["20260622"])
            assert generated == pytest.approx(24_000, rel=0.01)
            assert exported == pytest.approx(12_000, rel=0.01)


async def test_check_says_what_pvoutput_calls_the_system() -> None:
    async with a_server(ScaledClock(NOON, FAST)) as server:
        assert await an_output(server).check() == "PVOutput knows system 12345 as 'Our roof'"
        with pytest.raises(OutputError, match="Invalid API Key"):
            await an_output(server, api_key="wrong").check()
        with pytest.raises((OutputError, ConfigError)):
            await an_output(server, url="http://127.0.0.1:9").check()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"api_key": "two words"}, "api_key"),
        ({"system_id": "mine"}, "system_id"),
        ({"interval_min": 7}, "interval_min"),
        ({"url": "http://pvoutput.org"}, "https"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(PvoutputSettings(api_key=KEY, system_id=SYSTEM), **wrong)


def test_the_settings_show_no_key() -> None:
    assert KEY not in repr(PvoutputSettings(api_key=KEY, system_id=SYSTEM))
