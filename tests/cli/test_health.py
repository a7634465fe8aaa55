"""``ohmstead health``: one sentence and an exit status, as a health check asks for it."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from ohmstead.clock import SystemClock
from ohmstead.devices.givenergy.simulator import GivEnergySimulator
from ohmstead.simulation import SCENARIOS, House

HEALTHY = "well: the last turn was at "


async def health(path: Path) -> tuple[int | None, str]:
    """Return the exit status of the verb, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ohmstead", "health",
        env={**os.environ, "OHMSTEAD_CONFIG": str(path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode().strip()


async def until(path: Path, status: int, said: str) -> None:
    """Wait until the verb ends so."""
    found: tuple[int | None, str] = (None, "")
    try:
        async with asyncio.timeout(40):
            while found[0] != status or said not in found[1]:
                found = await health(path)
    except TimeoutError:
        pytest.fail(f"it still says {found}")


def a_file(folder: Path, text: str) -> Path:
    path = folder / "ohmstead.yaml"
    path.write_text(text)
    return path


def a_house(folder: Path, device_port: int, web: str) -> Path:
    return a_file(
        folder,
        "devices:\n- {name: inverter, family: givenergy, host: 127.0.0.1, "
        f"port: {device_port}, pause_s: 0, poll_s: 5}}\nweb: {web}\n",
    )


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ohmstead", "run", "-c", str(path),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def test_what_is_amiss_beside_its_work_is_told_by_a_service_that_is_well(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    path = a_file(
        tmp_path,
        "site: {location: {latitude: 51.5, longitude: -0.1}}\n"
        "forecasts: {solar: {source: open_meteo, url: 'http://127.0.0.1:9', "
        "arrays: [{kwp: 4, azimuth: 180}]}}\n"
        f"web: {{listen: '127.0.0.1:{unused_tcp_port}'}}\n",
    )
    async with running(path):
        await until(path, 0, HEALTHY)
        async with httpx2.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{unused_tcp_port}/api/v1/forecasts", timeout=30)
        await until(path, 0, "but: Open-Meteo does not answer")


@pytest.mark.parametrize("listen", ["0.0.0.0", "[::1]", "[::]"])  # noqa: S104 - the point
async def test_a_service_that_takes_its_turns_is_well(
    tmp_path: Path, unused_tcp_port: int, listen: str
) -> None:
    clock, day = SystemClock(), SCENARIOS["winter"]
    inverter = GivEnergySimulator(House(day.house, clock.now(), day.timezone), clock, day.timezone)
    async with inverter.serve() as port:
        web = f"{{listen: '{listen}:{unused_tcp_port}', password: hush}}"
        path = a_house(tmp_path, port, web)
        async with running(path):
            await until(path, 0, HEALTHY)
    assert "no service answers" in (await health(path))[1]


async def test_a_device_that_does_not_answer_is_named(tmp_path: Path, unused_tcp_port: int) -> None:
    nobody = unused_tcp_port + 1
    path = a_house(tmp_path, nobody, f"{{listen: '127.0.0.1:{unused_tcp_port}'}}")
    async with running(path):
        await until(path, 1, "ohmstead: inverter: ")


async def test_a_service_that_hangs_is_not_waited_for_long(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    path = a_file(tmp_path, f"web: {{listen: '127.0.0.1:{unused_tcp_port}'}}\n")
    server = await asyncio.start_server(say_nothing, "127.0.0.1", unused_tcp_port)
    async with server, asyncio.timeout(20):
        status, said = await health(path)
    assert status == 1
    assert "does not answer" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "ohmstead.yaml is not there"),
        ("wep: {}\n", "unknown key 'wep'; did you mean 'web'?"),
        ("web: {enabled: false}\n", "the page and the API are switched off"),
        ("web: {listen: '127.0.0.1:1'}\n", "no service answers on 127.0.0.1:1"),
    ],
    ids=["no file", "a wrong key", "no page", "no service"],
)
async def test_what_keeps_it_from_asking_is_one_sentence_and_never_status_2(
    tmp_path: Path, text: str | None, says: str
) -> None:
    path = tmp_path / "ohmstead.yaml" if text is None else a_file(tmp_path, text)
    status, said = await health(path)
    assert status == 1
    assert said.startswith("ohmstead: ")
    assert says in said
    assert said.count("\n") == 0


async def test_the_help_is_there_at_once() -> None:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ohmstead", "health", "--help",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0
    # 0.3 s on a quiet machine; the tests' may be busy.
    assert time.perf_counter() - began < 1.5
