"""One turn of the loop at 1, 10 and 100 devices, beside the reading of their snapshots alone."""

import asyncio
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from tables import print_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from houses import LONDON, NOON, ToyBattery, a_price_curve
from ohmstead.clock import ManualClock
from ohmstead.control.cheapest_slots import CheapestSlots, cheapest_slots
from ohmstead.control.decide import decide
from ohmstead.control.limits import Limits, limits
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.model import PriceCurve
from ohmstead.prices.fixed import FixedSettings, FixedSource
from ohmstead.site.budget import WriteBudget
from ohmstead.site.journal import Journal
from ohmstead.site.loop import Site, SiteParts
from ohmstead.site.prices import PriceWatch
from ohmstead.site.watch import DeviceWatch
from ohmstead.site.writer import Writer

TURNS = 60


class Curve(FixedSource):
    """Two days of half-hourly prices."""

    async def curve(self, now: object) -> PriceCurve:
        """Return the same curve always."""
        del now
        return a_price_curve(
            *(0.1 + n % 7 / 50 for n in range(96)), start=NOON - timedelta(hours=1)
        )


def main() -> None:
    """Measure turns with real strategies, in which nothing has to be written."""
    print_table(
        "One turn of the loop, milliseconds (median)",
        ("devices", "turn", "snapshot alone", "per device"),
        [asyncio.run(measure(count)) for count in (1, 10, 100)],
    )


async def measure(count: int) -> list[str]:
    """Return one row."""
    clock, wake = ManualClock(NOON), asyncio.Event()
    watches = {
        f"inverter_{n}": DeviceWatch(ToyBattery(name=f"inverter_{n}"), clock, 10, wake.set)
        for n in range(count)
    }
    source = Curve(
        FixedSettings(price_per_kwh=0.1), direction="import", timezone=LONDON, cache_dir=None
    )
    buy = PriceWatch("import", source, clock, wake.set)
    strategies = [
        ("limits", partial(limits, settings=Limits(min_soc_pct=10, max_charge_w=3_000))),
        ("cheapest_slots", partial(cheapest_slots, settings=CheapestSlots(batteries=4))),
        (
            "price_threshold",
            partial(price_threshold, settings=PriceThreshold(at_most_per_kwh=0.05)),
        ),
    ]
    async with Journal(None) as journal:
        parts = SiteParts(
            watches=watches, buy=buy, sell=None, journal=journal,
            writer=Writer(journal, WriteBudget(100, {})),
            decide=partial(decide, strategies=strategies), clock=clock, timezone=LONDON,
        )  # fmt: skip
        site = Site(parts, wake, {})
        for watch in watches.values():
            await watch.read_once()
        await buy.ask_once(NOON)
        await site.turn()
        turns, snapshots = [], []
        for _ in range(TURNS):
            began = perf_counter()
            site.snapshot()
            between = perf_counter()
            await site.turn()
            snapshots.append(between - began)
            turns.append(perf_counter() - between)
    turn, snapshot = median(turns) * 1e3, median(snapshots) * 1e3
    return [str(count), f"{turn:.2f}", f"{snapshot:.2f}", f"{turn / count:.3f}"]
