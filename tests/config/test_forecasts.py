"""Forecasts in the configuration: checked to the last key, built with what they need."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from houses import a_price_curve
from ohmstead.clock import ManualClock
from ohmstead.config import build
from ohmstead.config.catalogue import FORECASTS
from ohmstead.config.load import load
from ohmstead.config.schema import json_schema
from ohmstead.config.settings import Settings
from ohmstead.errors import ConfigError, HistoryError
from ohmstead.forecasts.load_history import LoadForecast
from ohmstead.forecasts.sky_simulator import SkySimulator
from ohmstead.forecasts.solar import SolarForecast
from ohmstead.model import BatteryReading, Chart, DayCosts, Prices, SiteSnapshot

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
SITE = "site: {location: {latitude: 51.5, longitude: -0.1}}\n"
ROOF = "arrays: [{kwp: 4.2, tilt: 35, azimuth: 215, resource: aaaa-1111}]"


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "ohmstead.yaml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(
    "said",
    [
        f"{{source: model, {ROOF}}}",
        f"{{source: open_meteo, {ROOF}, horizon: [0, 5, 10, 5], limit_w: 3680}}",
        f"{{source: forecast_solar, {ROOF}}}",
        f"{{source: solcast, {ROOF}, api_key: abc}}",
    ],
    ids=["model", "open_meteo", "forecast_solar", "solcast"],
)
def test_every_source_of_the_suns_is_made(tmp_path: Path, said: str) -> None:
    settings = loaded(tmp_path, f"{SITE}forecasts: {{solar: {said}}}")
    source = build.solar(settings, None)
    assert isinstance(source, SolarForecast)


async def test_a_house_that_says_nothing_has_its_own_load_and_no_sun(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SITE)
    assert build.solar(settings, build.history(settings)) is None
    assert build.carbon(settings) is None
    source = build.load(settings, build.history(settings))
    assert isinstance(source, LoadForecast)
    assert len(await source.forecast(NOON)) == 288


def test_load_and_carbon_are_made(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        "forecasts:\n"
        "  load: {source: history, without: [zappi.power_w], holidays: GB-SCT, "
        "days_off: [2026-12-24], yearly_kwh: 4000}\n"
        "  carbon: {source: uk, postcode: RG10}\n",
    )
    assert isinstance(build.load(settings, None), LoadForecast)
    carbon = build.carbon(settings)
    assert carbon is not None
    assert carbon.next_due(NOON) > NOON


class Asked:
    """A history that knows nothing, and of what it was asked."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def known(self) -> Sequence[tuple[str, str]]:
        return []

    async def charts(
        self, names: Sequence[tuple[str, str]], start: datetime, end: datetime, most_points: int
    ) -> Sequence[Chart]:
        del start, end, most_points
        self.names |= {".".join(name) for name in names}
        raise HistoryError("nothing yet")

    async def costs(self, first: date, last: date) -> Sequence[DayCosts]:
        del first, last
        return []


@pytest.mark.parametrize(
    ("said", "of_load"),
    [
        pytest.param("", {"site.load_w", "garage.power_w"}, id="by itself"),
        pytest.param(
            "forecasts: {load: {source: history, without: [garage.power_w, heater.power_w]}}\n",
            {"site.load_w", "garage.power_w", "heater.power_w"},
            id="as its owner says",
        ),
    ],
)
async def test_a_car_that_the_houses_load_counts_is_taken_out_of_it(
    tmp_path: Path, said: str, of_load: set[str]
) -> None:
    settings = loaded(
        tmp_path,
        "devices:\n"
        '- {name: garage, family: zappi, hub: "10077777", password: x}\n'
        '- {name: drive, family: zappi, hub: "10077778", password: x, behind: outside}\n' + said,
    )
    history = Asked()
    await build.load(settings, history).forecast(NOON)
    assert history.names == of_load


async def test_the_plan_is_made_of_what_the_api_shows_and_heeds_the_carbon(
    tmp_path: Path,
) -> None:
    at, clock = NOON, ManualClock(NOON)
    async with SkySimulator(clock).serve() as port:
        settings = loaded(
            tmp_path,
            f"forecasts: {{carbon: {{source: uk, url: 'http://127.0.0.1:{port}'}}}}\n"
            "control: [{follow_plan: {carbon_per_kg: 0.1}}]\n",
        )
        known = build.forecasts(settings, None)
        planner = build.planner(settings, clock, known)
        assert planner is not None
        battery = BatteryReading(soc_pct=50, capacity_kwh=10)
        curve = a_price_curve(*[0.2] * 48, start=at)
        assert await planner.refresh(SiteSnapshot(at=at, battery=battery, prices=Prices(buy=curve)))
        assert planner.plan is not None
        assert planner.plan.carbon_kg is not None
        assert "carbon_uk" in planner.plan.made_of
        assert "of each price is for" in planner.plan.slots[0].reason


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            f"forecasts: {{solar: {{source: model, {ROOF}}}}}",
            "site.location: is missing",
            id="no place",
        ),
        pytest.param(
            f"{SITE}forecasts: {{solar: {{source: openmeteo, {ROOF}}}}}",
            "open_meteo",
            id="a source misspelt",
        ),
        pytest.param(
            f"{SITE}forecasts: {{solar: {{source: model}}}}",
            "forecasts.solar.arrays: is missing",
            id="no panels",
        ),
        pytest.param(
            f"{SITE}forecasts: {{solar: {{source: model, arrays: [{{kwp: 4, azimut: 90}}]}}}}",
            "azimut",
            id="a key of an array misspelt",
        ),
        pytest.param(
            f"{SITE}forecasts: {{solar: {{source: model, arrays: [{{kwp: -4}}]}}}}",
            "kwp is a number of kilowatts above 0",
            id="no array",
        ),
        pytest.param(
            f"{SITE}forecasts: {{solar: {{source: solcast, arrays: [{{kwp: 4}}], api_key: k}}}}",
            "resource",
            id="no site at Solcast",
        ),
        pytest.param("forecasts: {wind: {}}", "wind", id="no such forecast"),
        pytest.param("forecasts: {load: {}}", "forecasts.load.source: is missing", id="no source"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert complaint in str(caught.value)


def test_the_schema_knows_every_source_and_describes_every_key() -> None:
    definitions = json_schema()["$defs"]
    for kind, sources in FORECASTS.items():
        for source in sources:
            part = definitions[f"{kind}.{source}"]
            assert part["properties"]["source"] == {"const": source}
            assert part["additionalProperties"] is False
            dark = [
                key
                for key, about in part["properties"].items()
                if key != "source" and "description" not in about
            ]
            assert dark == []
    assert definitions["ArraySettings"]["additionalProperties"] is False
