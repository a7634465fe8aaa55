"""A day's sums at PVOutput: what the house itself counted, told once, after its midnight."""

from datetime import UTC
from pathlib import Path

import pytest

from givenergy_house import JumpClock
from houses import LONDON
from ohmstead.outputs.pvoutput import PvoutputOutput, PvoutputSettings
from pvoutput_server import KEY, SYSTEM, a_server
from told_day import Weather, a_day, local

CONTROL = "control: [self_consumption: {reserve_pct: 4}]"
MIDNIGHT = local(6, 22, 0)


async def test_a_day_is_told_after_its_midnight(tmp_path: Path) -> None:
    clock = JumpClock(local(6, 20, 23, 50).astimezone(UTC), 20)
    async with a_server(clock) as server:
        settings = PvoutputSettings(api_key=KEY, system_id=SYSTEM, url=server.url)
        output = PvoutputOutput(
            settings, site_name="home", timezone=LONDON, clock=clock, data_dir=tmp_path / "out"
        )
        async with a_day(
            tmp_path, CONTROL, clock.now(), soc_pct=30, weather=Weather(peak_w=4_000), clock=clock,
            look_s=300, faces=[("pvoutput", output.run)],
        ) as story:  # fmt: skip
            await story.until(local(6, 21, 0, 2))
            before = story.flown()
            await story.until(local(6, 21, 23, 50))
            after = story.flown()
            assert "20260621" not in server.days, "the day is not over"
            await story.until(local(6, 22, 0, 20))
            while "20260621" not in server.days:
                await story.until(clock.now())
                await clock.sleep(1)
    generated, exported = map(float, server.days["20260621"])
    assert generated == pytest.approx(1_000 * (after.pv_kwh - before.pv_kwh), rel=0.02)
    assert exported == pytest.approx(1_000 * (after.export_kwh - before.export_kwh), rel=0.03)
    assert len(server.statuses) > 200, "beside the statuses of the day"
