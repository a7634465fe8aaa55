"""A GivEnergy house as GivTCP's users meet it: simulator, service, routes, topics; for tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx2

from givenergy_house import HASTY
from houses import LONDON
from mqtt_house import Ear, an_ear, free_port
from ohmstead import app
from ohmstead.clock import ScaledClock, SystemClock
from ohmstead.control.requests import Requests, requests
from ohmstead.devices.givenergy.driver import GivEnergyDriver, GivEnergySettings
from ohmstead.devices.givenergy.simulator import GivEnergySimulator
from ohmstead.outputs.givtcp import GivtcpOutput, GivtcpSettings
from ohmstead.outputs.givtcp_tree import Generation
from ohmstead.outputs.mqtt_settings import MqttSettings
from ohmstead.simulation import BatterySettings, House, HouseSettings

__all__ = ["GivtcpHouse", "a_givtcp_house", "at"]

_POLL_S: Final = 0.5


@dataclass
class GivtcpHouse:
    """One inverter, whoever asks it, and what arrives on its wire."""

    simulator: GivEnergySimulator
    client: httpx2.AsyncClient
    ear: Ear | None = None

    @property
    def serial(self) -> str:
        return self.simulator.inverter.serial

    async def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, control: str, body: object) -> str:
        """POST *body*, as it is if it is text, and return the sentence."""
        content = body if isinstance(body, str) else json.dumps(body)
        answer = await self.client.post(f"/{control}", content=content)
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["result"]
        return str(answer.json()["result"])

    async def say(self, control: str, body: object, *, seed: bool = False) -> str:
        """Publish *body*, on the topic of the code or of the *seed*, and return the answer."""
        assert self.ear is not None
        heard = len(self._results())
        place = f"{self.serial}/control" if seed else f"control/{self.serial}"
        content = body if isinstance(body, str) else json.dumps(body)
        await self.ear.say(f"GivEnergy/{place}/{control}", content)
        await self.ear.until(lambda: len(self._results()) > heard, within_s=20)
        return self._results()[heard]

    async def whole(self) -> None:
        """Wait until the packs are found, and what they counted is believed."""
        total: object = None
        async with asyncio.timeout(30):
            while total is None:
                await asyncio.sleep(0.2)
                tree = await self.get("/runAll")
                total = at(tree, "Energy/Total").get("Battery_Charge_Energy_Total_kWh")

    def holds(self, register: int) -> int:
        return self.simulator.inverter.holdings.read(register, 1)[0]

    def unlike(self, words: Mapping[int, int]) -> None:
        """Let every register of *words* hold something else that it may hold."""
        for register, word in words.items():
            # Far enough that it differs in watts, and still a time of day or a percentage.
            other = 1 - word if word in {0, 1} else word // 2 if word <= 100 else word - 1
            self.simulator.inverter.holdings.write(register, (other,))

    def written(self, since: int) -> dict[int, int]:
        return {register: word for _, register, word in self.simulator.writes[since:]}

    def _results(self) -> list[str]:
        assert self.ear is not None
        topic = f"GivEnergy/{self.serial}/result"
        return [text for place, text in self.ear.heard if place == topic]


def at(tree: Any, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what stands at ``a/b/c`` of *tree*."""
    for key in path.split("/"):
        tree = tree[key]
    return tree


@asynccontextmanager
async def a_givtcp_house(
    model: str,
    *,
    version: Generation = 3,
    broker: int | None = None,
    owners: Mapping[int, int] | None = None,
    home_assistant: bool = False,
    speed: float = 1,
) -> AsyncIterator[GivtcpHouse]:
    """Run the service on a simulated *model* until left; *broker* is the port of one.

    *owners* are words the inverter holds before anybody asks; time goes by *speed* times as fast.
    """
    clock = ScaledClock(SystemClock().now(), speed) if speed != 1 else SystemClock()
    battery = BatterySettings(capacity_kwh=9.5232, max_charge_w=3_600, max_discharge_w=3_600)
    house = House(HouseSettings(battery=battery), clock.now(), LONDON)
    simulator = GivEnergySimulator(house, clock, LONDON, model=model)
    for register, word in (owners or {}).items():
        simulator.inverter.holdings.write(register, (word,))
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(simulator.serve())
        settings = GivEnergySettings(
            host="127.0.0.1", port=port, pause_s=0, allow_configuration=True
        )
        driver = GivEnergyDriver("inverter", settings, clock, LONDON, patience=HASTY)
        rest = free_port()
        mqtt = MqttSettings(host="127.0.0.1", port=broker) if broker else None
        output = GivtcpOutput(
            GivtcpSettings(
                listen=f"127.0.0.1:{rest}",
                version=version,
                mqtt=mqtt,
                home_assistant=home_assistant,
            ),
            site_name="home",
            timezone=LONDON,
            clock=clock,
            data_dir=None,
        )
        plan = app.Plan(
            timezone=LONDON,
            devices=[(driver, _POLL_S)],
            strategies=[("requests", partial(requests, settings=Requests()))],
            writes_per_day=10_000,
        )
        stop = asyncio.Event()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(app.run(plan, clock, stop, [("givtcp", output.run)]))
        stack.callback(stop.set)
        ear = await stack.enter_async_context(an_ear(broker)) if broker else None
        client = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{rest}", timeout=40)
        )
        house_of_it = GivtcpHouse(simulator, client, ear)
        await _answers(house_of_it)
        yield house_of_it


async def _answers(house: GivtcpHouse) -> None:
    """Wait for the first tree, with everything behind the inverter in it, and its topics."""
    async with asyncio.timeout(30):
        while True:
            try:
                tree = await house.get("/runAll")
                if "Power" in tree and (await house.get("/fullCache"))[3:]:
                    break
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
    if house.ear is not None:
        await house.ear.topic(f"GivEnergy/{house.serial}/Stats/status", "online")
