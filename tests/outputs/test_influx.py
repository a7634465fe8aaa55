"""What goes over the wire to a database, and what becomes of every answer it can give."""

import asyncio
import gzip
import logging
import shutil
import socket
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from houses import LONDON, NOON, a_device, a_reading, a_site
from ohmstead.clock import SystemClock
from ohmstead.errors import ConfigError
from ohmstead.http_server import listening
from ohmstead.model import Decision, Tick
from ohmstead.outputs.influx import InfluxOutput, InfluxSettings
from ohmstead.outputs.influx_refused import RefusedLines
from web_site import ASite

pytestmark = pytest.mark.enable_socket  # a server on loopback

NOON_NS = 1_782_043_200_000_000_000


class Database:
    """A server that takes lines, or answers as the test wants."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.lines: list[str] = []
        """What it has taken, in order."""
        self.has_more = asyncio.Event()
        self.answers: deque[Response] = deque()
        """What it says to the next requests instead of taking lines."""
        self.bad = ""
        """A batch in which this word stands is refused."""
        self.most_lines = 10_000

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        lines = body.decode().split("\n")
        self.requests.append(request)
        if self.answers:
            return self.answers.popleft()
        if self.bad and self.bad in body.decode():
            return JSONResponse({"error": f"partial write: {self.bad}"}, 400)
        if len(lines) > self.most_lines:
            return Response(status_code=413)
        self.lines += lines
        self.has_more.set()
        return Response(status_code=204)


@asynccontextmanager
async def a_database() -> AsyncIterator[Database]:
    database = Database()
    paths = ("/write", "/api/v2/write", "/telegraf/write")
    app = Starlette(routes=[Route(path, database.answer, methods=["POST"]) for path in paths])
    async with listening(app, "127.0.0.1", 0) as port:
        database.url = f"http://127.0.0.1:{port}"
        yield database


@asynccontextmanager
async def telling(
    site: ASite, settings: InfluxSettings, folder: Path | None = None
) -> AsyncIterator[InfluxOutput]:
    output = InfluxOutput(
        settings, site_name="home", timezone=LONDON, clock=SystemClock(), data_dir=folder
    )
    async with asyncio.TaskGroup() as group:
        site.heard.clear()
        task = group.create_task(output.run(site))
        await site.heard.wait()
        yield output
        task.cancel()


def say(site: ASite, *numbers: int, at: datetime = NOON) -> None:
    """Let the device say one number after the other, a second apart."""
    for n in numbers:
        reading = a_reading(at=at + timedelta(seconds=n), values={"x": n, "word": "ok"})
        snapshot = replace(a_site(), devices={"inverter": a_device(reading)})
        decision = Decision(at=at, command=None, reason="a test", strategy="test")
        site.hub.tell(Tick(snapshot=snapshot, decision=decision))


def settings_for(database: Database, /, **more: object) -> InfluxSettings:
    return replace(InfluxSettings(url=database.url, every_s=0.02), **more)  # type: ignore[arg-type]


def numbers_in(database: Database) -> list[int]:
    """Return which numbers the database has, in the order in which they came."""
    marked = [line for line in database.lines if line.startswith("toy,")]
    return [int(line.split(" x=")[1].partition(".")[0]) for line in marked]


async def until_it_has(database: Database, *numbers: int) -> None:
    async with asyncio.timeout(10):
        while not set(numbers) <= set(numbers_in(database)):
            database.has_more.clear()
            await database.has_more.wait()


@pytest.mark.parametrize(
    ("more", "path", "parameters", "authorization"),
    [
        pytest.param(
            {"bucket": "power", "org": "ranch", "token": "t0k"},
            "/api/v2/write",
            {"precision": "ns", "org": "ranch", "bucket": "power"},
            "Token t0k",
            id="v2",
        ),
        pytest.param(
            {"database": "power", "retention_policy": "year", "username": "u", "password": "p"},
            "/write",
            {"precision": "ns", "db": "power", "rp": "year"},
            "Basic " + b64encode(b"u:p").decode(),
            id="v1",
        ),
        pytest.param({}, "/write", {"precision": "ns"}, None, id="neither"),
        pytest.param(
            {"gzip": False}, "/write", {"precision": "ns"}, None, id="without compression"
        ),
    ],
)
async def test_a_write_is_what_each_api_expects(
    more: dict[str, object], path: str, parameters: dict[str, str], authorization: str | None
) -> None:
    site = ASite()
    async with a_database() as database, telling(site, settings_for(database, **more)):
        say(site, 0, 1)
        await until_it_has(database, 0, 1)
    request = database.requests[0]
    assert request.url.path == path
    assert dict(request.query_params) == parameters
    assert request.headers.get("authorization") == authorization
    assert request.headers.get("content-encoding") == (None if "gzip" in more else "gzip")
    house = "grid_w=500.0,pv_w=0.0,load_w=500.0,battery_w=0.0,battery_soc_pct=50.0"
    assert database.lines == [
        f'toy,device=inverter,site=home x=0.0,word_text="ok" {NOON_NS}',
        f"ohmstead,site=home {house} {NOON_NS}",
        f'toy,device=inverter,site=home x=1.0,word_text="ok" {NOON_NS + 1_000_000_000}',
        f"ohmstead,site=home {house} {NOON_NS}",
    ]


async def test_a_path_in_the_address_is_kept() -> None:
    site = ASite()
    async with a_database() as database:
        settings = replace(settings_for(database), url=f"{database.url}/telegraf/")
        async with telling(site, settings):
            say(site, 1)
            await until_it_has(database, 1)


async def test_many_lines_go_in_several_batches() -> None:
    site = ASite()
    async with a_database() as database:
        async with telling(site, settings_for(database, batch_lines=3, every_s=0.2)):
            for n in range(10):
                say(site, n)
                await asyncio.sleep(0)
            await until_it_has(database, 9)
        assert len(database.requests) == 7
        assert numbers_in(database) == list(range(10))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Response(status_code=503), id="503"),
        pytest.param(Response(status_code=429, headers={"Retry-After": "0"}), id="429"),
        pytest.param(JSONResponse({"message": "unauthorized"}, 401), id="401 a wrong token"),
        pytest.param(JSONResponse({"error": "database not found"}, 404), id="404 no database"),
        pytest.param(Response(status_code=307, headers={"Location": "/x"}), id="307 a redirect"),
    ],
)
async def test_what_a_server_does_not_take_now_waits_and_follows_in_order(
    answer: Response, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site = ASite()
    async with a_database() as database:
        database.answers.extend([answer] * 3)
        async with telling(site, settings_for(database), tmp_path) as output:
            for n in range(20):
                say(site, n)
                await asyncio.sleep(0.02)
            await until_it_has(database, *range(20))
            await asyncio.sleep(0.05)
            assert (output.waiting, output.dropped) == (0, 0)
    assert numbers_in(database) == list(range(20))
    said = [record.message for record in caplog.records if "ohmstead.outputs" in record.name]
    assert len([line for line in said if "takes no lines" in line]) == 1
    assert str(answer.status_code) in said[0]
    assert len([line for line in said if "takes lines again" in line]) == 1


async def test_a_server_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    site = ASite()
    async with a_database() as database:
        database.answers.append(Response(status_code=503, headers={"Retry-After": "1"}))
        async with telling(site, settings_for(database), tmp_path):
            began = SystemClock().monotonic()
            say(site, 1)
            await until_it_has(database, 1)
            assert SystemClock().monotonic() - began > 0.9
    assert len(database.requests) == 2


async def test_a_bad_line_is_put_aside_and_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = ASite()
    async with a_database() as database:
        database.bad = "x=7.0"
        async with telling(site, settings_for(database, every_s=0.2), tmp_path) as output:
            for n in range(10):
                say(site, n)
                await asyncio.sleep(0)
            await until_it_has(database, *range(7), 8, 9)
            assert (output.waiting, output.dropped) == (0, 0)
    assert 7 not in numbers_in(database)
    (rejected,) = (tmp_path / "spool").rglob("lines.rejected")
    assert rejected.read_text().splitlines() == [
        "# 400 partial write: x=7.0",
        f'toy,device=inverter,site=home x=7.0,word_text="ok" {NOON_NS + 7_000_000_000}',
    ]
    assert len([r for r in caplog.records if "refused a line" in r.message]) == 1


async def test_a_batch_too_large_is_halved() -> None:
    site = ASite()
    async with a_database() as database:
        database.most_lines = 5
        async with telling(site, settings_for(database, every_s=0.1)):
            for n in range(12):
                say(site, n)
                await asyncio.sleep(0)
            await until_it_has(database, *range(12))
    assert numbers_in(database) == list(range(12))


async def test_a_batch_in_the_air_when_the_service_stops_is_kept(tmp_path: Path) -> None:
    site = ASite()
    async with a_database() as database:
        reached = asyncio.Event()

        async def hang(_: Request) -> Response:
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError

        app = Starlette(routes=[Route("/write", hang, methods=["POST"])])
        settings = settings_for(database)
        async with listening(app, "127.0.0.1", 0) as port:
            hanging = replace(settings, url=f"http://127.0.0.1:{port}")
            async with telling(site, hanging, tmp_path):
                say(site, 1)
                await reached.wait()
                say(site, 2)
                await asyncio.sleep(0.02)
        # The same server, come back to life; its folder is found by its address.
        (folder,) = (tmp_path / "spool").iterdir()
        folder.rename(folder.with_name(folder.name.replace(str(port), database.url.split(":")[2])))
        async with telling(site, settings, tmp_path):
            await until_it_has(database, 1, 2)
    assert numbers_in(database) == [1, 2]


async def test_a_server_that_does_not_answer_holds_up_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        site = ASite()
        settings = InfluxSettings(url=f"http://127.0.0.1:{port}", every_s=0.05, timeout_s=0.1)
        async with telling(site, settings, tmp_path) as output:
            for n in range(20):
                say(site, n)
                await asyncio.sleep(0.02)
            assert output.waiting > 2
    assert "no answer in 0.1 s" in caplog.text


async def test_a_machine_that_does_not_know_the_time_yet_writes_nothing() -> None:
    site = ASite()
    async with a_database() as database, telling(site, settings_for(database)):
        say(site, 1, at=datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
        say(site, 2)
        await until_it_has(database, 2)
    assert numbers_in(database) == [2]


async def test_a_disk_that_fails_costs_what_it_should_have_kept_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = ASite()
    async with a_database() as database:
        database.answers.append(Response(status_code=503))
        async with telling(site, settings_for(database), tmp_path) as output:
            shutil.rmtree(tmp_path / "spool")
            say(site, 1)
            async with asyncio.timeout(5):
                while not output.dropped:  # noqa: ASYNC110 - an output tells nobody what it lost
                    await asyncio.sleep(0.01)
            say(site, 2)
            await until_it_has(database, 2)
    assert numbers_in(database) == [2]
    assert "cannot be kept on disk" in caplog.text


async def test_memory_is_bounded_while_the_disk_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr("ohmstead.outputs.influx._MOST_PENDING", 6)
    site = ASite()
    async with a_database() as database:
        # Nothing is taken out while this sleeps, as it would be behind a disk that hangs.
        async with telling(site, settings_for(database, every_s=3_600), tmp_path):
            for n in range(10):
                say(site, n)
                await asyncio.sleep(0)
        async with telling(site, settings_for(database), tmp_path):
            await until_it_has(database, 9)
    assert numbers_in(database) == [7, 8, 9]
    assert len([r for r in caplog.records if "so lines are lost" in r.message]) == 1


def test_the_file_of_refused_lines_does_not_grow_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused = RefusedLines(tmp_path)
    for word in ("a", "b", "c"):
        refused.add("here", word * 3_000_000, "400 bad")
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sorted(sizes) == ["lines.rejected", "lines.rejected.old"]
    assert refused.count == 3
    assert len(caplog.records) == 1
    RefusedLines(tmp_path / "gone").add("here", "d", "400 bad")
    assert "a refused line is lost" in caplog.text


async def test_words_can_be_left_out() -> None:
    site = ASite()
    async with a_database() as database, telling(site, settings_for(database, text=False)):
        say(site, 2)
        await until_it_has(database, 2)
    assert '"' not in "".join(database.lines)


async def test_other_names_are_a_setting() -> None:
    site = ASite()
    async with a_database() as database, telling(site, settings_for(database, naming="ranch")):
        say(site, 2)
        async with asyncio.timeout(5):
            await database.has_more.wait()
    assert "power_room_totals total_load_power_kw=0.5 " in database.lines[0]


async def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    output = InfluxOutput(
        InfluxSettings(url="http://127.0.0.1:1"),
        site_name="home", timezone=LONDON, clock=SystemClock(), data_dir=tmp_path,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="cannot be kept on disk"):
        await output.run(ASite())


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"url": "127.0.0.1:8086"}, "url is the server's address"),
        ({"url": "http://127.0.0.1:80860"}, "url is the server's address"),
        ({"url": "http://u:p@127.0.0.1:8086"}, "the bare address"),
        ({"url": "http://127.0.0.1:8086/write?db=power"}, "the bare address"),
        ({"bucket": "a", "database": "b"}, "give one"),
        ({"bucket": "a", "retention_policy": "b"}, "is for InfluxDB 1"),
        ({"token": "a", "username": "b"}, "not both"),
        ({"every_s": 0}, "every_s must be above zero"),
        ({"spool_mb": 0}, "spool_mb must be above zero"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(InfluxSettings(url="http://127.0.0.1:8086"), **given)  # type: ignore[arg-type]


def test_settings_show_no_secret() -> None:
    for more in ({"token": "hush"}, {"username": "u", "password": "hush"}):
        assert "hush" not in repr(InfluxSettings(url="http://127.0.0.1:8086", **more))  # type: ignore[arg-type]
