"""A summer's night and day of a hybrid on Intelligent Octopus Go, as its owner wants them.

The strategies are those of the example in ``docs/strategies.md``, read from there.
"""

import math
import re
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from givenergy_house import JumpClock, Plant, Service, Size, a_driver, serving
from houses import LONDON
from ohmstead.app import Strategy
from ohmstead.config import build
from ohmstead.config.load import load
from ohmstead.devices.givenergy.simulator import DongleSettings
from ohmstead.model import BatteryMode

DOCS = Path(__file__).parents[2] / "docs" / "strategies.md"
EVENING = datetime(2026, 6, 20, 20, 50, tzinfo=UTC)
"""21:50 by the clock on the wall."""
LOOK_S = 150.0
HYBRID = Size(inverter_w=5_000, capacity_kwh=9.5232, step_w=96, hybrid=True, battery_w=3_600)
SELF_USE, HOLD = BatteryMode.SELF_USE, BatteryMode.HOLD
SELL, EXPORT = BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR


class Summer(Plant):
    """A generation 3 hybrid under a clear sky, whose panels can more than it brings out."""

    def __init__(self, clock: JumpClock) -> None:
        super().__init__(
            "hybrid_gen3",
            clock,
            soc_pct=30,
            size=HYBRID,
            dongle=DongleSettings(refuses_absent=True),
        )

    def could_kwh(self) -> float:
        """Return what the panels could have given so far."""
        seconds = range(int(EVENING.timestamp()), int(self.house.at.timestamp()), 10)
        return sum(self.sun(second) for second in seconds) / 360_000

    def sun(self, second: float) -> float:
        hour = (second - EVENING.replace(hour=0, minute=0).timestamp()) / 3_600 % 24
        return 5_700 * max(math.sin(math.pi * (hour - 4) / 16), 0) if 4 < hour < 20 else 0.0

    def people(self, second: float) -> float:
        local = datetime.fromtimestamp(second, LONDON)
        return 2_000.0 if time(18, 30) <= local.time() < time(19, 30) else 400.0


class Story:
    """The house through time, look by look."""

    def __init__(self, plant: Summer, service: Service) -> None:
        self.plant, self.service = plant, service
        self.mode: BatteryMode | None = None

    async def until(self, day: int, local: time) -> None:
        """Let time go by to *local*."""
        end = datetime(2026, 6, day, local.hour, local.minute, tzinfo=LONDON)
        while self.service.clock.now() < end:
            await self.service.jump(LOOK_S)
            command = self.service.ticks[-1].decision.command
            self.mode = command.mode if command else None
            self.plant.live()

    def holds(self, point: str) -> object:
        return self.plant.simulator.inverter.holdings.value(point)

    @property
    def soc_pct(self) -> float:
        return self.plant.house.battery.soc_pct


def strategies(folder: Path) -> list[tuple[str, Strategy]]:
    """Return the example's strategies."""
    example = re.search(
        r"### A house on Intelligent.*?```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL
    )
    assert example is not None
    path = folder / "ohmstead.yaml"
    path.write_text(example[1])
    return build.strategies(load(path))


async def test_a_night_and_a_day(tmp_path: Path) -> None:
    clock = JumpClock(EVENING, 20)
    plant = Summer(clock)
    owners = plant.held()
    async with (
        plant.simulator.serve() as port,
        serving(
            clock,
            a_driver("inverter", port, clock),
            poll_s=LOOK_S,
            strategies=strategies(tmp_path),
        ) as service,
    ):
        story = Story(plant, service)
        await the_night(story)
        await the_day(story)
    assert plant.held() == owners


async def the_night(story: Story) -> None:
    plant, totals = story.plant, story.plant.house.totals
    await story.until(20, time(22, 30))
    sold_w = plant.house.battery_w
    await story.until(20, time(23, 6))
    assert sold_w == pytest.approx(plant.house.battery_w, abs=1), "one power all evening"
    assert 1_300 < sold_w < 1_900
    await story.until(20, time(23, 36))
    assert story.soc_pct == pytest.approx(6, abs=2)
    assert story.holds("discharge_rate_pct") == 40, "the owner's power is given back"
    rested_pct = story.soc_pct
    await story.until(21, time(0, 28))
    assert plant.house.battery_w == 0
    assert story.soc_pct == pytest.approx(rested_pct, abs=0.5)
    charged_kwh = totals.charged_kwh
    await story.until(21, time(3))
    gentle_w = -plant.house.battery_w
    assert 1_400 < gentle_w < 2_100
    await story.until(21, time(5, 26))
    assert story.soc_pct == pytest.approx(85, abs=1.5)
    assert totals.charged_kwh - charged_kwh == pytest.approx(7.8, abs=0.6)


async def the_day(story: Story) -> None:
    plant, sunny = story.plant, story.plant.house
    await story.until(21, time(5, 40))
    assert story.mode is SELL, "far above the corridor"
    assert story.holds("charge_rate_pct") == 45, "the owner's power is given back"
    await story.until(21, time(9))
    assert story.mode is EXPORT
    assert story.soc_pct == pytest.approx(60, abs=1.5), "room for the sun of noon"
    assert sunny.battery_w == 0
    could_kwh, made_kwh = plant.could_kwh(), sunny.totals.pv_kwh
    await story.until(21, time(13))
    assert story.mode is HOLD
    assert sunny.battery_w < -500, "what exceeds the limit goes into the battery"
    made_kwh, could_kwh = sunny.totals.pv_kwh - made_kwh, plant.could_kwh() - could_kwh
    assert made_kwh == pytest.approx(could_kwh, rel=0.002), "nothing is lost"
    await story.until(21, time(16, 24))
    assert story.soc_pct > 80
    await story.until(21, time(19, 45))
    assert story.soc_pct < 50, "the peak had what the sun left over"
    await story.until(21, time(20, 6))
    assert story.mode is SELF_USE
    assert story.holds("discharge_rate_pct") == 40
