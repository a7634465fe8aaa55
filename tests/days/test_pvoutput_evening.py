"""A day's sums at PVOutput: what the house itself counted, told once, after its midnight."""

import asyncio
import json
from datetime import UTC
from pathlib import Path

import pytest

from givenergy_house import JumpClock
from houses import LONDON
from ohmstead.outputs.pvoutput import PvoutputOutput, PvoutputSettings
from pvoutput_server import KEY, SYSTEM, a_server
from told_day import Weather, a_day, local

CONTROL = "control: [self_consumption: {reserve_pct: 4}]"
BRIGHT = Weather(peak_w=6_000)
"""What is left of it at eight is more than the house takes."""


async def test_a_day_is_told_after_its_midnight(tmp_path: Path) -> None:
    """The service was restarted at eight in the evening, and goes on with the day's sums."""
    clock = JumpClock(local(6, 21, 20).astimezone(UTC), 20)
    today = {"day": "2026-06-21", "generated_j": 72e6, "exported_j": 36e6, "known_s": 71_900}
    (tmp_path / "out").mkdir()
    kept = {"statuses": [], "days": [], "today": today}
    (tmp_path / "out" / "waiting.json").write_text(json.dumps(kept))
    async with a_server(clock) as server:
        settings = PvoutputSettings(api_key=KEY, system_id=SYSTEM, url=server.url)
        output = PvoutputOutput(
            settings, site_name="home", timezone=LONDON, clock=clock, data_dir=tmp_path / "out"
        )
        async with a_day(
            tmp_path, CONTROL, clock.now(), soc_pct=99, weather=BRIGHT, clock=clock,
            look_s=150, faces=[("pvoutput", output.run)],
        ) as story:  # fmt: skip
            before = story.flown()
            await story.until(local(6, 21, 23, 50))
            assert not server.days, "the day is not over"
            await story.until(local(6, 22, 0, 10))
            async with asyncio.timeout(20):
                while not server.days:
                    await clock.sleep(1)
            after = story.flown()
    generated, exported = map(float, server.days["20260621"])
    assert generated == pytest.approx(20_000 + 1_000 * (after.pv_kwh - before.pv_kwh), rel=0.02)
    assert exported == pytest.approx(
        10_000 + 1_000 * (after.export_kwh - before.export_kwh), rel=0.02
    )
    assert after.export_kwh - before.export_kwh > 0.1
    assert len(server.statuses) > 30, "beside the statuses of every five minutes"
