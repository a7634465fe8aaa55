"""``ohmstead discover``, as its user runs it, against a datalogger, a camera and a page."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from houses import LONDON
from ohmstead.clock import SystemClock
from ohmstead.config.load import load
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import House, HouseSettings


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ohmstead", "discover", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def discover(*arguments: str) -> Said:
    process = await start(*arguments)
    out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


@dataclass(frozen=True)
class Street:
    """Who listens on this machine."""

    logger: int
    camera: int
    pages: int
    closed: int
    simulator: LuxPowerSimulator

    def ports(self, *ports: int) -> Sequence[str]:
        asked = ports or (self.logger, self.camera, self.pages, self.closed)
        return [f"--port=luxpower={port}" for port in asked]


@asynccontextmanager
async def a_server(answer: bytes) -> AsyncIterator[int]:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while await reader.readline():
                if answer:
                    writer.write(answer)
                    break
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    clock = SystemClock()
    house = House(
        HouseSettings(), clock.now(), LONDON, pv_at=lambda _: 0.0, load_at=lambda _: 500.0
    )
    logger = LoggerSettings(broadcast_s=0.2)
    simulator = LuxPowerSimulator(house, clock, LONDON, logger=logger)
    async with a_server(b"") as closed:
        pass
    async with (
        simulator.serve() as port,
        a_server(b"") as camera,
        a_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as pages,
    ):
        yield Street(port, camera, pages, closed, simulator)


async def test_the_inverter_is_found_and_nobody_else_is_taken_for_one(street: Street) -> None:
    said = await discover("127.0.0.1", *street.ports(), "--patience", "1", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    (row,) = found["found"]
    assert (row["family"], row["model"], row["serial"], row["host"], row["port"]) == (
        "luxpower", "acs_3600", "5555555555", "127.0.0.1", street.logger,
    )  # fmt: skip
    assert [other["port"] for other in found["candidates"]] == [street.camera]
    assert found["others"] == [{"host": "127.0.0.1", "port": street.pages}]
    assert found["complete"] is True
    assert street.simulator.writes == []


async def test_a_person_gets_a_table_and_what_to_do_next(street: Street) -> None:
    said = await discover("127.0.0.0/30", *street.ports(), "--patience", "1")
    assert said.code == 0, said.err
    assert "5555555555" in said.out
    assert f"127.0.0.1:{street.logger}" in said.out
    assert f"perhaps luxpower at 127.0.0.1: port {street.camera} is open" in said.out
    assert "try --patience 130" in said.out
    assert f"listening, but none of ours: 127.0.0.1:{street.pages}" in said.err


async def test_nothing_found_is_no_failure(street: Street) -> None:
    said = await discover("127.0.0.1/32", *street.ports(street.closed))
    assert (said.code, said.out) == (0, "")
    assert "no device found in 127.0.0.1/32" in said.err


async def test_what_is_found_is_written_once(street: Street, tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text("site: {name: home}  # mine\n")
    arguments = ["127.0.0.1", *street.ports(), "--patience", "1", "--write", "-c", str(path)]
    first = await discover(*arguments)
    assert first.code == 0, first.err
    assert "added inverter, luxpower at 127.0.0.1" in first.err
    written = path.read_text()
    assert written.startswith("site: {name: home}  # mine\ndevices:\n  - name: inverter\n")
    assert len(load(path, {}).devices) == 1
    again = await discover(*arguments, "--json")
    assert json.loads(again.out)["additions"][0] == {
        "name": "inverter", "host": "127.0.0.1", "added": False, "why": "it is there already",
    }  # fmt: skip
    assert path.read_text() == written


async def test_ctrl_c_ends_it_and_shows_what_was_found(street: Street, tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    process = await start(
        "127.0.0.1", *street.ports(street.logger, street.camera), "--patience", "60",
        "--write", "-c", str(path),
    )  # fmt: skip
    async with asyncio.timeout(20):
        while not street.simulator.requests:  # noqa: ASYNC110 - a simulator tells nobody
            await asyncio.sleep(0.05)
    await asyncio.sleep(2)  # its answer is on the way; the camera has a minute
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert b"5555555555" in out
    assert re.search(rb"stopped: asked [12] of [23] ports", err)
    assert b"was left as it is" in err
    assert not path.exists()


@pytest.mark.parametrize("place", ["ohmstead.yaml", "nowhere/ohmstead.yaml"])
async def test_a_file_that_cannot_be_added_to_is_told_before_the_search(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "ohmstead.yaml").write_text("devises: []\n")
    said = await discover("127.0.0.1", "--write", "-c", str(tmp_path / place))
    assert said.code == 2
    assert said.err.startswith("ohmstead: ")
    assert "devises" in said.err or "cannot be written: No such file" in said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("10.0.0.0/16",), "or say --large"),
        (("8.8.8.0/24",), "not a network of a house"),
        (("home",), "is no network"),
        (("127.0.0.1", "--port", "luxpower"), "is not FAMILY=PORT"),
        (("127.0.0.1", "--port", "toaster=80"), "the families are"),
        (("127.0.0.1", "--port", "luxpower=70000"), "is not FAMILY=PORT"),
    ],
)
async def test_misuse_is_told(arguments: tuple[str, ...], says: str) -> None:
    said = await discover(*arguments)
    assert said.code == 2
    assert says in said.err


async def test_help_comes_at_once() -> None:
    took_s = []
    for _ in range(3):  # a machine may be busy; its best is what counts
        began = SystemClock().monotonic()
        said = await discover("--help")
        took_s.append(SystemClock().monotonic() - began)
        assert said.code == 0
    assert min(took_s) < 1.0
    code = "import sys, ohmstead.cli.discover; assert 'zeroconf' not in sys.modules"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0
