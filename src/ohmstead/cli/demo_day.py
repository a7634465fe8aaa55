"""A whole house on loopback: simulated devices and prices, and the real service against them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from ohmstead import __version__, app
from ohmstead.cli.common import faces_of, plan_of
from ohmstead.cli.demo_past import cloud_of, live_before
from ohmstead.cli.demo_played import RESERVE_PCT, Meter, Played, five_pence, play, self_use
from ohmstead.clock import Clock, ScaledClock
from ohmstead.config import build
from ohmstead.config.catalogue import FAMILIES
from ohmstead.config.document import Document
from ohmstead.config.load import read_settings
from ohmstead.config.settings import Settings
from ohmstead.forecasts.sky_simulator import SkySimulator
from ohmstead.model import PriceSlot, Tick
from ohmstead.planner.make import warm_up
from ohmstead.ports import SitePort
from ohmstead.prices.octopus_simulator import OctopusSimulator
from ohmstead.simulation import Scenario

__all__ = ["Demo", "Ports", "demo_settings", "open_demo", "slots"]

AGILE: Final = "E-1R-AGILE-24-10-01-C"
OUTGOING: Final = "E-1R-AGILE-OUTGOING-19-05-13-C"
_HALF_HOUR: Final = timedelta(minutes=30)
_LEAST_POLL_S: Final = 5.0
_REAL_POLL_S: Final = 0.1
"""However fast the day runs, a device is not read more often than this in real time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the simulated devices and services listen."""

    device: int
    octopus: int
    weather: int


@dataclass(slots=True)
class Demo:
    """The parts of a running demonstration."""

    scenario: Scenario
    clock: Clock
    settings: Settings
    meter: Meter
    """Of the house that is really controlled."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    site: SitePort | None = None
    port: int | None = None

    @property
    def ends(self) -> datetime:
        """The next local midnight, where the day is over, however long it was."""
        first = self.scenario.date
        midnight = datetime.combine(first + timedelta(days=1), time(), self.scenario.timezone)
        return midnight.astimezone(UTC)

    async def run(self) -> None:
        """Run the service until ``stop`` is set."""
        book = build.history(self.settings)
        plan = plan_of(self.settings, self.clock, book)
        faces = [
            *faces_of(self.settings, self.clock, __version__, self._listening, book, plan.forecasts)
        ]
        await app.run(plan, self.clock, self.stop, [*faces, ("demo", self._meet)])

    @property
    def over(self) -> datetime:
        """Up to when the day has been lived."""
        return min(max(self.clock.now(), self.scenario.start), self.ends)

    def ways(self, end: datetime) -> Mapping[str, Played]:
        """Return the day up to *end*: as it would have been otherwise, and as it was by plan."""
        return {
            "self-use": play(self.scenario, self_use(), end),
            "5p rule": play(self.scenario, five_pence(), end),
            "by plan": self.meter.played(self.scenario, end),
        }

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield the service's turns."""
        assert self.site is not None  # noqa: S101 - after ``ready``
        return self.site.ticks()

    async def _meet(self, site: SitePort) -> None:
        self.site = site
        self.ready.set()
        await self.stop.wait()

    def _listening(self, port: int) -> None:
        self.port = port


@asynccontextmanager
async def open_demo(
    scenario: Scenario, speed: float, listen: str, clock: Clock | None = None
) -> AsyncIterator[Demo]:
    """Start the simulated devices and services of *scenario*; yield the demonstration.

    Its *clock* is one of this *speed*, if no other is given.
    """
    with tempfile.TemporaryDirectory(prefix="ohmstead-demo-") as name:
        folder = Path(name)
        await live_before(scenario, folder / "history.db")
        await asyncio.to_thread(_prepare)
        # From here on a second lost is an hour of the house.
        clock, house = clock or ScaledClock(scenario.start, speed), scenario.build()
        inverter = FAMILIES["luxpower"].simulator(house, clock, scenario.timezone)
        meter = Meter(house)
        prices = OctopusSimulator(
            clock, {AGILE: slots(scenario.import_prices), OUTGOING: slots(scenario.export_prices)}
        )
        sky = SkySimulator(clock, cloud_of(scenario))
        async with inverter.serve() as device, prices.serve() as octopus, sky.serve() as weather:
            ports = Ports(device=device, octopus=octopus, weather=weather)
            settings = demo_settings(scenario, folder, ports, listen, speed)
            yield Demo(scenario=scenario, clock=clock, settings=settings, meter=meter)


def demo_settings(
    scenario: Scenario, folder: Path, ports: Ports, listen: str, speed: float
) -> Settings:
    """Return the configuration of a demonstration: an owner's own file would look like this."""
    octopus, weather = (f"http://127.0.0.1:{port}" for port in (ports.octopus, ports.weather))
    poll_s = max(_LEAST_POLL_S, _REAL_POLL_S * speed)
    values = {
        "site": {
            "name": "demo", "timezone": scenario.zone,
            "location": {"latitude": scenario.latitude, "longitude": scenario.longitude},
        },
        "devices": [
            {
                "name": "inverter", "family": "luxpower", "host": "127.0.0.1", "port": ports.device,
                "datalog": "2222222222", "serial": "5555555555", "poll_s": poll_s,
                "fresh_s": max(4.0, 0.8 * poll_s), "settings_fresh_s": max(60.0, 4 * poll_s),
                # The pause that a real datalogger needs would be minutes of a day this fast.
                "pause_s": min(0.3, 3 / speed),
            }
        ],
        "prices": {
            "import": {"source": "octopus", "tariff": AGILE, "url": octopus},
            "export": {"source": "octopus", "tariff": OUTGOING, "url": octopus},
        },
        "forecasts": {
            "solar": {
                "source": "open_meteo", "url": weather,
                "arrays": [
                    {"kwp": array.kwp, "tilt": array.tilt, "azimuth": array.azimuth}
                    for array in scenario.house.arrays
                ],
            },
        },
        "control": [
            {"limits": {"min_soc_pct": RESERVE_PCT}},
            {"follow_plan": {"min_soc_pct": RESERVE_PCT}},
            {"self_consumption": {"reserve_pct": RESERVE_PCT}},
        ],
        "web": {"listen": listen},
        "data_dir": str(folder),
    }  # fmt: skip
    return read_settings(Document(path=Path("demo.yaml"), values=values))


def slots(prices: Sequence[tuple[datetime, float]]) -> list[PriceSlot]:
    """Return half-hourly prices as slots."""
    return [PriceSlot(start=at, end=at + _HALF_HOUR, per_kwh=price) for at, price in prices]


def _prepare() -> None:
    """Load what the service would load on its way, and plan a little once."""
    import ohmstead.web.server  # noqa: F401 - loaded is all it shall be

    warm_up()
