"""Settings read and written by name from the command line, and where the short names went."""

import asyncio
import json
import re
import sys
from datetime import UTC
from pathlib import Path

import pytest

from givenergy_house import JumpClock, Plant
from ohmstead.clock import SystemClock
from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.devices.givenergy.simulator import DongleSettings
from ohmstead.devices.givenergy_cloud.simulator_settings import MODELS as CLOUDS
from ohmstead.devices.givenergy_cloud.simulator_settings import keyed
from told_day import GEN3

DOCS = Path(__file__).parents[2] / "docs" / "coming-from-givenergy-scripts.md"


def named(column: str) -> list[str]:
    """Return the names in a column of the table, without the dots of a row."""
    return re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", column))


def test_every_short_name_has_a_setting() -> None:
    rows = re.findall(r"^\| (`\w+`.*?) \| (`.*?) \| (.*?) \|$", DOCS.read_text(), re.MULTILINE)
    assert len(rows) == 8
    here, there = MODELS["hybrid_gen3"].holdings, keyed(CLOUDS["hybrid_gen3"])
    powers = {"charge_power_w", "discharge_power_w"}
    for _, local, cloud in rows:
        assert all(name in here or name in powers for name in named(local)), local
        names = named(local) if cloud == "the same" else named(cloud)
        assert all(name in there for name in names), cloud


async def said(folder: Path, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ohmstead", *words, "-c", str(folder / "ohmstead.yaml"),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, _ = await process.communicate()
    assert process.returncode == 0, answer
    return answer.decode()


@pytest.mark.parametrize(("point", "value"), [("charge_rate_pct", 20), ("pause_mode", "charge")])
async def test_one_is_read_written_and_read_again(
    tmp_path: Path, point: str, value: int | str
) -> None:
    clock = JumpClock(SystemClock().now(), speed=1)
    quick = DongleSettings(refuses_absent=True)
    plant = Plant("hybrid_gen3", clock, timezone=UTC, size=GEN3, dongle=quick)
    async with plant.simulator.serve() as port:
        (tmp_path / "ohmstead.yaml").write_text(
            "devices: [{name: inverter, family: givenergy, host: 127.0.0.1, "
            f"port: {port}, pause_s: 0}}]\nweb: {{enabled: false}}\n"
        )
        before = json.loads(await said(tmp_path, "read", "inverter", point, "--json"))
        assert before != {point: value}
        await said(tmp_path, "set", "inverter", point, str(value))
        assert plant.simulator.inverter.holdings.value(point) == value
        assert json.loads(await said(tmp_path, "read", "inverter", point, "--json")) == {
            point: value
        }
