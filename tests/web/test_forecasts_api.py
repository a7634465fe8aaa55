"""What is expected of the hours to come, over the API, from real sources and a real sky."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from houses import NOON
from ohmstead.clock import ManualClock
from ohmstead.config import build
from ohmstead.config.load import load
from ohmstead.errors import ForecastError
from ohmstead.forecasts.sky_simulator import SkySimulator
from ohmstead.model import Forecast
from ohmstead.ports import ForecastSources
from web_site import a_browser

NOBODY = "http://127.0.0.1:9"


def sources(folder: Path, url: str) -> ForecastSources:
    """What a configuration makes of services at *url*."""
    path = folder / "ohmstead.yaml"
    path.write_text(
        "site: {location: {latitude: 51.5, longitude: -0.1}}\n"
        "forecasts:\n"
        f"  solar: {{source: open_meteo, url: '{url}', arrays: [{{kwp: 4, azimuth: 180}}]}}\n"
        "  load: {source: history, yearly_kwh: 3000}\n"
        f"  carbon: {{source: uk, url: '{url}'}}\n"
    )
    return build.forecasts(load(path), None)


async def test_sun_load_and_carbon_come_in_slots_with_source_and_age(tmp_path: Path) -> None:
    async with SkySimulator(ManualClock(NOON)).serve() as port:
        known = sources(tmp_path, f"http://127.0.0.1:{port}")
        async with a_browser(forecasts=known) as browser:
            told = (await browser.get("forecasts")).json()
    sun, used, carbon = told["solar"], told["load"], told["carbon"]
    assert sun["source"] == "Open-Meteo, as this house makes it"
    assert (sun["fetched_at"], sun["age_s"], sun["trouble"]) == ("2026-06-21T12:00:00Z", 0, None)
    assert sun["ends"] == "2026-06-24T12:00:00Z"
    assert set(sun["slots"][0]) == {"start", "end", "low_w", "middle_w", "high_w"}
    assert sun["slots"][0]["start"] == "2026-06-21T12:00:00Z"
    assert sun["slots"][0]["end"] == "2026-06-21T12:15:00Z"
    assert 2_000 < sun["slots"][0]["middle_w"] < 4_000
    assert all(s["low_w"] <= s["middle_w"] <= s["high_w"] for s in sun["slots"])
    assert (used["fetched_at"], used["age_s"]) == (None, None)
    assert used["source"] == "a typical house, until this one has a history"
    assert len(used["slots"]) == 288
    assert carbon["source"] == "carbon_uk"
    assert carbon["trouble"] is None
    assert 0 < carbon["slots"][0]["kg_per_kwh"] < 1
    assert datetime.fromisoformat(carbon["ends"]) - NOON > timedelta(hours=40)


async def test_a_source_that_is_silent_is_told_beside_the_forecast_that_there_is(
    tmp_path: Path,
) -> None:
    async with a_browser(forecasts=sources(tmp_path, NOBODY)) as browser:
        told = (await browser.get("forecasts")).json()
        health = (await browser.get("health")).json()
    assert told["solar"]["trouble"].startswith("Open-Meteo does not answer")
    assert told["solar"]["source"] == "clear sky as lately left of it; Open-Meteo is silent"
    assert len(told["solar"]["slots"]) == 288
    assert told["carbon"]["trouble"].startswith("Carbon Intensity does not answer")
    assert told["carbon"]["slots"] == []
    assert health["ok"] is True
    assert [note.partition(" does")[0] for note in health["notes"]] == ["Open-Meteo"]


async def test_a_house_that_asked_for_none_has_none() -> None:
    async with a_browser() as browser:
        assert (await browser.get("forecasts")).json() == {
            "solar": None, "load": None, "carbon": None,
        }  # fmt: skip


class Broken:
    """A source that has nothing to say, not even of its own."""

    trouble: str | None = None

    def next_due(self, now: datetime) -> datetime:
        return now

    async def forecast(self, now: datetime) -> Forecast:
        raise ForecastError(f"the sky fell at {now:%H:%M}")


async def test_a_source_that_fails_altogether_leaves_the_others_alone() -> None:
    async with a_browser(forecasts=ForecastSources(solar=Broken(), load=None)) as browser:
        told = (await browser.get("forecasts")).json()
    assert told["solar"]["slots"] == []
    assert told["solar"]["trouble"] == "the sky fell at 12:00"
    assert told["solar"]["ends"] is None


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ("", False),
        ("control: [{follow_plan: {}}]\n", True),
        ("forecasts: {load: {source: history}}\n", True),
    ],
    ids=["nobody plans", "a plan", "asked for"],
)
def test_who_plans_or_asks_has_the_loads_forecast(tmp_path: Path, said: str, used: bool) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text(said)
    known = build.forecasts(load(path), None)
    assert (known.solar, known.load is not None) == (None, used)
