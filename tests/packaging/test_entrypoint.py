"""What the container starts, outside of one: with GivTCP's variables, against an inverter."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import httpx2
import pytest

from givenergy_house import Plant
from mqtt_house import free_port, mosquitto
from ohmstead.clock import SystemClock
from ohmstead.config.document import read_document

ROOT = Path(__file__).parents[2]
ENTRYPOINT = ROOT / "packaging" / "docker" / "entrypoint.py"


class Container:
    """A folder for /config and the variables it is started with; no container around it."""

    def __init__(self, folder: Path, device_port: int = 1) -> None:
        self.folder = folder
        self.file = folder / "ohmstead.yaml"
        self.page, self.routes = free_port(), free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folder),
            "OHMSTEAD_CONFIG": str(self.file),
            # GivTCP's.
            "INVERTOR_IP": "127.0.0.1",
            "NUMINVERTORS": "1",
            "MQTT_OUTPUT": "False",
            "SELF_RUN_LOOP_TIMER": "5",
            "TZ": "Europe/London",
            # What a container's own network does: every port of its own.
            "OHMSTEAD__DEVICES__0__PORT": str(device_port),
            "OHMSTEAD__DEVICES__0__PAUSE_S": "0",
            "OHMSTEAD__WEB__LISTEN": f"127.0.0.1:{self.page}",
            "OHMSTEAD__OUTPUTS__0__GIVTCP__LISTEN": f"127.0.0.1:{self.routes}",
        }

    @asynccontextmanager
    async def started(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the entry point as the image does; its log is in the folder."""
        with (self.folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(ENTRYPOINT), *(arguments or ("run",)),
                env=self.environment, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
            try:
                yield process
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def healthy(self) -> int | None:
        """Return the exit status of the image's health check."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ohmstead", "health",
            env=self.environment, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        return await process.wait()

    async def until_healthy(self) -> None:
        async with asyncio.timeout(60):
            while await self.healthy() != 0:
                pass

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def files(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.glob("*.yaml")}

    def password(self) -> str:
        found = read_document(self.file, {}).values["web"]["password"]
        assert isinstance(found, str)
        return found


async def request_a_charge(container: Container) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.post(
            f"http://127.0.0.1:{container.page}/api/v1/requests",
            json={"mode": "charge", "minutes": 60, "power_w": 2000, "soc_pct": 95},
            headers={"Authorization": f"Bearer {container.password()}"},
        )
    assert answer.status_code == 201, answer.text


async def until_changed(plant: Plant, before: Mapping[int, int]) -> None:
    async with asyncio.timeout(30):
        while plant.held() == before:  # noqa: ASYNC110 - another process is what we wait for
            await asyncio.sleep(0.02)


async def opened_by_another(pipe: Path) -> int:
    """Wait until someone reads *pipe*, and return its other end."""
    async with asyncio.timeout(20):
        while True:
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                await asyncio.sleep(0.01)


@pytest.mark.timeout(240)
async def test_from_givtcps_variables_to_a_house_that_is_well_and_given_back(
    tmp_path: Path,
) -> None:
    plant = Plant("hybrid_gen2", SystemClock())
    before = plant.held()
    async with plant.simulator.serve() as port:
        container = Container(tmp_path, port)
        async with container.started() as process:
            await container.until_healthy()
            log = container.log()
            assert f"wrote {container.file} from GivTCP's environment variables" in log
            assert container.password() not in log
            async with httpx2.AsyncClient() as client:
                tree = await client.get(f"http://127.0.0.1:{container.routes}/readData")
            assert "Power" in tree.json()
            await request_a_charge(container)
            await until_changed(plant, before)
            process.terminate()
            async with asyncio.timeout(20):
                assert await process.wait() == 0
        assert plant.held() == before
        assert await container.healthy() == 1

        # The second start finds the file, and what its owner wrote into it.
        container.file.write_text("# mine\n" + container.file.read_text())
        files = container.files()
        container.environment["INVERTOR_IP"] = "192.0.2.1"
        async with container.started() as process:
            await container.until_healthy()
            assert "wrote" not in container.log()
            process.terminate()
            async with asyncio.timeout(20):
                assert await process.wait() == 0
        assert container.files() == files


@pytest.mark.timeout(120)
async def test_givtcps_own_broker_is_there_with_its_topics(tmp_path: Path) -> None:
    mosquitto()  # skips without one
    async with Plant("hybrid_gen2", SystemClock()).simulator.serve() as port:
        container = Container(tmp_path, port)
        broker, routes = free_port(), container.environment["OHMSTEAD__OUTPUTS__0__GIVTCP__LISTEN"]
        del container.environment["OHMSTEAD__OUTPUTS__0__GIVTCP__LISTEN"]
        container.environment |= {
            "MQTT_OUTPUT": "True",
            "MQTT_PORT": str(broker),
            "MQTT_USERNAME": "house",
            "MQTT_PASSWORD": "hush",
            "OHMSTEAD__OUTPUTS__1__GIVTCP__LISTEN": routes,
        }
        async with container.started() as process:
            heard = await topics(broker, {"GivEnergy", "homeassistant", "ohmstead"})
            process.terminate()
            async with asyncio.timeout(20):
                assert await process.wait() == 0
    assert any(topic.endswith("/Power/Power/SOC") for topic in heard)


async def topics(port: int, roots: set[str]) -> set[str]:
    """Return what is heard of, once every one of *roots* and a state of charge is."""
    heard: set[str] = set()
    async with asyncio.timeout(60):
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1", port, username="house", password="hush"
                ) as client:
                    await client.subscribe("#")
                    async for message in client.messages:
                        heard.add(message.topic.value)
                        found = {topic.partition("/")[0] for topic in heard}
                        if found >= roots and any("SOC" in topic for topic in heard):
                            return heard
            except aiomqtt.MqttError:
                await asyncio.sleep(0.2)


async def test_without_a_file_and_without_variables_it_says_what_to_do(tmp_path: Path) -> None:
    container = Container(tmp_path)
    del container.environment["INVERTOR_IP"]
    async with container.started() as process:
        assert await process.wait() == 2
    assert container.log().startswith(f"ohmstead: {container.file} is not there, and GivTCP's")
    assert container.log().count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("--version",), 0, "0.1.0"),
        (("run", "--help"), 0, "On SIGTERM"),
        (("check", "--offline"), 2, "ohmstead.yaml is not there; `ohmstead init` writes one"),
        (("run", "-c", "elsewhere.yaml"), 2, "elsewhere.yaml is not there"),
        (("dance",), 2, "No such command"),
    ],
    ids=["version", "help", "check", "another file", "no verb"],
)
async def test_every_verb_can_be_asked_for_and_only_run_writes(
    tmp_path: Path, arguments: tuple[str, ...], status: int, says: str
) -> None:
    container = Container(tmp_path)
    async with container.started(*arguments) as process:
        assert await process.wait() == status
    assert says in container.log()
    assert container.files() == {}


async def test_it_ends_at_once_while_it_still_begins(tmp_path: Path) -> None:
    # As the first process of a container it would otherwise be deaf to the signal.
    container = Container(tmp_path)
    pipe = container.file.with_name("secrets.yaml")
    os.mkfifo(pipe)
    async with container.started() as process:
        writer = await opened_by_another(pipe)
        process.terminate()
        async with asyncio.timeout(40):
            assert await process.wait() == 128 + signal.SIGTERM
        os.close(writer)
    assert container.log() == ""


def test_the_image_starts_this_file() -> None:
    lines = (ENTRYPOINT.parent / "Dockerfile").read_text().splitlines()
    started = next(line for line in lines if line.startswith("ENTRYPOINT"))
    assert json.loads(started.removeprefix("ENTRYPOINT"))[1] == "/opt/ohmstead/entrypoint.py"
    assert "COPY packaging/docker/entrypoint.py /opt/ohmstead/entrypoint.py" in lines
