"""A whole house on loopback: simulated devices and prices, and the real service against them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from ohmstead import __version__, app
from ohmstead.cli.common import faces_of, plan_of
from ohmstead.clock import ScaledClock
from ohmstead.config import build
from ohmstead.config.catalogue import FAMILIES
from ohmstead.config.document import Document
from ohmstead.config.load import read_settings
from ohmstead.config.settings import Settings
from ohmstead.model import PriceSlot, Tick
from ohmstead.ports import SitePort
from ohmstead.prices.octopus_simulator import OctopusSimulator
from ohmstead.simulation import House, Scenario

__all__ = ["Bill", "Demo", "demo_settings", "open_demo", "slots"]

AGILE: Final = "E-1R-AGILE-24-10-01-C"
OUTGOING: Final = "E-1R-AGILE-OUTGOING-19-05-13-C"
_HALF_HOUR: Final = timedelta(minutes=30)
_CHEAP_SLOTS: Final = 10
_LEAST_POLL_S: Final = 5.0
_REAL_POLL_S: Final = 0.1
"""However fast the day runs, a device is not read more often than this in real time."""


@dataclass(slots=True)
class Bill:
    """What a house's grid connection cost, half-hour by half-hour."""

    house: House
    cost: float = 0.0
    _imported: float = 0.0
    _exported: float = 0.0

    def count(self, buy_per_kwh: float, sell_per_kwh: float) -> None:
        """Put what has flown since the last count on the bill, at these prices."""
        totals = self.house.totals
        self.cost += (totals.import_kwh - self._imported) * buy_per_kwh
        self.cost -= (totals.export_kwh - self._exported) * sell_per_kwh
        self._imported, self._exported = totals.import_kwh, totals.export_kwh

    @property
    def stored_kwh(self) -> float:
        """What the battery holds."""
        return self.house.battery.soc_pct / 100 * self.house.battery.capacity_kwh


@dataclass(slots=True)
class Demo:
    """The parts of a running demonstration."""

    scenario: Scenario
    clock: ScaledClock
    settings: Settings
    controlled: Bill
    idle: Bill
    """The same house with its battery in the inverter's own mode."""
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
        """Run the service, and keep the bills, until ``stop`` is set."""
        book = build.history(self.settings)
        plan = plan_of(self.settings, self.clock, book)
        faces = [
            *faces_of(self.settings, self.clock, __version__, self._listening, book, plan.forecasts)
        ]
        async with asyncio.TaskGroup() as group:
            bills = group.create_task(self._keep_bills())
            await app.run(plan, self.clock, self.stop, [*faces, ("demo", self._meet)])
            bills.cancel()
        self._close_bills(min(self.clock.now(), self.ends))

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

    async def _keep_bills(self) -> None:
        """Close the bills at each half-hour, with its prices."""
        for start, _ in self.scenario.import_prices:
            end = start + _HALF_HOUR
            await self.clock.sleep((end - self.clock.now()).total_seconds())
            self._close_bills(end)

    def _close_bills(self, end: datetime) -> None:
        """Put what has flown up to *end* on both bills, at the prices of the time before."""
        moment = end - timedelta(seconds=1)
        scenario = self.scenario
        buy, sell = (
            next(price for at, price in reversed(prices) if at <= moment)
            for prices in (scenario.import_prices, scenario.export_prices)
        )
        for bill in (self.controlled, self.idle):
            bill.house.advance(end)
            bill.count(buy, sell)


@asynccontextmanager
async def open_demo(scenario: Scenario, speed: float, listen: str) -> AsyncIterator[Demo]:
    """Start the simulated devices and the price server of *scenario*; yield the demonstration."""
    clock = ScaledClock(scenario.start, speed)
    house, idle = scenario.build(), scenario.build()
    inverter = FAMILIES["luxpower"].simulator(house, clock, scenario.timezone)
    server = OctopusSimulator(
        clock, {AGILE: slots(scenario.import_prices), OUTGOING: slots(scenario.export_prices)}
    )
    with tempfile.TemporaryDirectory(prefix="ohmstead-demo-") as folder:
        async with inverter.serve() as device_port, server.serve() as price_port:
            settings = demo_settings(scenario, Path(folder), device_port, price_port, listen, speed)
            yield Demo(
                scenario=scenario,
                clock=clock,
                settings=settings,
                controlled=Bill(house),
                idle=Bill(idle),
            )


def demo_settings(
    scenario: Scenario, folder: Path, device_port: int, price_port: int, listen: str, speed: float
) -> Settings:
    """Return the configuration of a demonstration: an owner's own file would look like this."""
    first_day = [price for _, price in scenario.import_prices[:48]]
    threshold = round(sorted(first_day)[_CHEAP_SLOTS], 3)
    url = f"http://127.0.0.1:{price_port}"
    poll_s = max(_LEAST_POLL_S, _REAL_POLL_S * speed)
    values = {
        "site": {"name": "demo", "timezone": scenario.zone},
        "devices": [
            {
                "name": "inverter", "family": "luxpower", "host": "127.0.0.1", "port": device_port,
                "datalog": "2222222222", "serial": "5555555555", "poll_s": poll_s,
                "fresh_s": max(4.0, 0.8 * poll_s), "settings_fresh_s": max(60.0, 4 * poll_s),
                # The pause that a real datalogger needs would be minutes of a day this fast.
                "pause_s": min(0.3, 3 / speed),
            }
        ],
        "prices": {
            "import": {"source": "octopus", "tariff": AGILE, "url": url},
            "export": {"source": "octopus", "tariff": OUTGOING, "url": url},
        },
        "control": [
            {"limits": {"min_soc_pct": 10}},
            {"price_threshold": {"at_most_per_kwh": threshold}},
            {"self_consumption": {"reserve_pct": 10}},
        ],
        "web": {"listen": listen},
        "data_dir": str(folder),
    }  # fmt: skip
    return read_settings(Document(path=Path("demo.yaml"), values=values))


def slots(prices: Sequence[tuple[datetime, float]]) -> list[PriceSlot]:
    """Return half-hourly prices as slots."""
    return [PriceSlot(start=at, end=at + _HALF_HOUR, per_kwh=price) for at, price in prices]
