"""``ohmstead check`` and the forecasts: what each source says now, or what to do about it."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from click.testing import CliRunner

from ohmstead.cli import cli
from ohmstead.clock import SystemClock
from ohmstead.forecasts.sky_simulator import SkySimulator

HOUSE = """\
site: {{location: {{latitude: 51.5, longitude: -0.1}}}}
forecasts:
  solar: {{source: open_meteo, url: '{url}', arrays: [{{kwp: 4, azimuth: 180}}]}}
  carbon: {{source: uk, url: '{url}'}}
"""


@contextmanager
def a_sky() -> Iterator[str]:
    """Serve a sky in a thread of its own: the command has an event loop of its own."""
    ready, over = Event(), Event()
    ports: list[int] = []

    async def serve() -> None:
        async with SkySimulator(SystemClock()).serve() as port:
            ports.append(port)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        over.set()
        thread.join()


def check(folder: Path, url: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    path = folder / "ohmstead.yaml"
    path.write_text(HOUSE.format(url=url))
    result = CliRunner().invoke(cli, ["check", "--json", "-c", str(path)])
    found = json.loads(result.stdout)
    return result.exit_code, {one["what"]: (one["ok"], one["said"]) for one in found}


def test_every_source_says_what_it_expects(tmp_path: Path) -> None:
    with a_sky() as url:
        code, said = check(tmp_path, url)
    assert code == 0
    ok, sun = said["solar forecast"]
    assert ok
    assert sun.startswith("Open-Meteo, as this house makes it, fetched 0 min ago: ")
    assert "kWh in the next 24 hours (" in sun
    ok, used = said["load forecast"]
    assert ok
    assert used.startswith("a typical house, until this one has a history: 7")
    ok, weighs = said["carbon forecast"]
    assert ok
    assert " g a kWh, known until 20" in weighs


def test_a_source_that_is_silent_is_trouble_with_its_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        code, said = check(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert code == 1
    ok, sun = said["solar forecast"]
    assert not ok
    assert sun.startswith("Open-Meteo does not answer")
    assert "until then clear sky as lately left of it" in sun
    assert said["load forecast"][0]
    assert not said["carbon forecast"][0]
    assert "Carbon Intensity does not answer" in said["carbon forecast"][1]
