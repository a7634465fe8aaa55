"""Four services over real sockets: what they say, and every way in which they do not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ohmstead.clock import ManualClock
from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts import quarters
from ohmstead.forecasts.carbon_uk import CarbonUkSettings, CarbonUkTeller, carbon_uk
from ohmstead.forecasts.forecast_solar import ForecastSolarSettings, ForecastSolarTeller
from ohmstead.forecasts.open_meteo import OpenMeteoSettings, OpenMeteoTeller
from ohmstead.forecasts.panels import ArraySettings
from ohmstead.forecasts.quarters import Told
from ohmstead.forecasts.sky_simulator import SkySimulator
from ohmstead.forecasts.solcast import SolcastSettings, SolcastTeller
from ohmstead.forecasts.sun import Place
from ohmstead.links.http import HttpPatience

NOON = datetime(2026, 6, 21, 12, 4, tzinfo=UTC)
LONDON = Place(latitude=51.5, longitude=-0.1)
SOUTH = ArraySettings(kwp=4, tilt=35, azimuth=180, resource="aaaa-1111")
EAST = ArraySettings(kwp=2.5, tilt=30, azimuth=90, resource="bbbb-2222")
QUICK = HttpPatience(timeout_s=0.5, attempts=1, pause_s=0.01)
Fetch = Callable[[datetime], Awaitable[Mapping[int, Told]]]


@asynccontextmanager
async def a_sky(**given: Any) -> AsyncIterator[tuple[SkySimulator, str]]:  # noqa: ANN401 - passed on
    sky = SkySimulator(ManualClock(NOON), sites={"aaaa-1111": SOUTH, "bbbb-2222": EAST}, **given)
    async with sky.serve() as port:
        yield sky, f"http://127.0.0.1:{port}"


def open_meteo(url: str) -> Fetch:
    panels = OpenMeteoSettings(arrays=(SOUTH, EAST)).panels
    return OpenMeteoTeller(url, panels, LONDON, QUICK).fetch


def forecast_solar(url: str) -> Fetch:
    settings = ForecastSolarSettings(arrays=(SOUTH, EAST), url=url)
    return ForecastSolarTeller(settings, LONDON, QUICK).fetch


def solcast(url: str) -> Fetch:
    settings = SolcastSettings(arrays=(SOUTH, EAST), url=url, api_key="simulated-key")
    return SolcastTeller(settings, QUICK).fetch


def carbon(url: str) -> Fetch:
    return CarbonUkTeller(CarbonUkSettings(url=url), QUICK).fetch


SOLAR = {"Open-Meteo": open_meteo, "Forecast.Solar": forecast_solar, "Solcast": solcast}
ALL = {**SOLAR, "Carbon Intensity": carbon}
every_service = pytest.mark.parametrize("service", ALL)
every_sun = pytest.mark.parametrize("service", SOLAR)


@every_sun
@pytest.mark.parametrize("cloud", [0.0, 0.7], ids=["clear", "clouded"])
async def test_what_is_said_is_what_the_sky_will_give(service: str, cloud: float) -> None:
    async with a_sky(cloud=lambda _: cloud) as (sky, url):
        told = await SOLAR[service](url)(NOON)
        for hours in (1, 3, 20, 24, 28):
            # An hour of it: one service speaks of hours only.
            start = NOON.replace(minute=0) + timedelta(hours=hours)
            said = [told[quarters.of(start) + n].middle_w for n in range(4)]
            true = [
                sky.power_w(start + timedelta(minutes=7 + 15 * n), LONDON, SOUTH, EAST)
                for n in range(4)
            ]
            assert sum(said) == pytest.approx(sum(true), rel=0.03, abs=40)


@every_sun
async def test_the_energy_of_tomorrow_is_whole(service: str) -> None:
    async with a_sky() as (sky, url):
        told = await SOLAR[service](url)(NOON)
    begin = datetime(2026, 6, 22, tzinfo=UTC)
    said = sum(told.get(quarters.of(begin) + n, Told(0, 0, 0)).middle_w for n in range(96))
    true = sum(
        sky.power_w(begin + timedelta(minutes=7.5 + 15 * n), LONDON, SOUTH, EAST) for n in range(96)
    )
    assert said == pytest.approx(true, rel=0.01)


async def test_open_meteo_brings_the_last_week_along() -> None:
    async with a_sky() as (_, url):
        told = await open_meteo(url)(NOON)
    assert quarters.of(NOON - timedelta(days=7)) in told
    assert quarters.of(NOON + timedelta(days=3)) in told


async def test_solcast_says_how_sure_it_is() -> None:
    async with a_sky() as (_, url):
        low, middle, high = (await solcast(url)(NOON))[quarters.of(NOON)]
    assert low == pytest.approx(0.6 * middle, rel=0.01)
    assert high == pytest.approx(1.2 * middle, rel=0.01)


async def test_carbon_of_a_region_the_country_and_as_a_price() -> None:
    async with a_sky() as (sky, url):
        for settings in (
            CarbonUkSettings(url=url),
            CarbonUkSettings(url=url, postcode="RG10"),
            CarbonUkSettings(url=url, region=13),
        ):
            curve = await carbon_uk(settings, cache_dir=None, patience=QUICK).curve(NOON)
            assert curve.currency == "kgCO2"
            slot = curve.at(NOON)
            assert slot is not None
            assert slot.end - slot.start == timedelta(minutes=30)
            assert 0.07 <= slot.per_kwh <= 0.23
            assert curve.ends is not None
            assert curve.ends >= NOON + timedelta(hours=45)
    assert "/regional/intensity/2026-06-21T10:04Z/fw48h/postcode/RG10" in sky.asked


REMEDIES = {
    ("Solcast", 401): "check api_key",
    ("Solcast", 404): "check the resource",
    ("Forecast.Solar", 401): "check api_key",
    ("Carbon Intensity", 400): "check postcode",
}


@pytest.mark.parametrize(("service", "status"), REMEDIES)
async def test_errors_name_the_remedy_and_no_key(service: str, status: int) -> None:
    async with a_sky() as (_, url):
        wrong: dict[tuple[str, int], Fetch] = {
            ("Solcast", 401): SolcastTeller(
                SolcastSettings(arrays=(SOUTH,), url=url, api_key="s3cret"), QUICK
            ).fetch,
            ("Solcast", 404): SolcastTeller(
                SolcastSettings(
                    arrays=(ArraySettings(kwp=1, resource="no-such"),),
                    url=url,
                    api_key="simulated-key",
                ),
                QUICK,
            ).fetch,
            ("Forecast.Solar", 401): ForecastSolarTeller(
                ForecastSolarSettings(arrays=(SOUTH,), url=url, api_key="s3cret"), LONDON, QUICK
            ).fetch,
            ("Carbon Intensity", 400): CarbonUkTeller(
                CarbonUkSettings(url=url, postcode="ZZ99"), QUICK
            ).fetch,
        }
        with pytest.raises(ForecastError) as caught:
            await wrong[service, status](NOON)
    assert REMEDIES[service, status] in str(caught.value)
    assert f"({status})" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@every_service
@pytest.mark.parametrize("fault", ["down", "slow", "server_error", "garbage", "null"])
async def test_an_outage_and_nonsense_are_a_forecast_error(service: str, fault: str) -> None:
    async with a_sky() as (sky, url):
        sky.faults.add(fault)
        with pytest.raises(ForecastError, match=service):
            await ALL[service](url)(NOON)


@every_service
@pytest.mark.parametrize("fault", ["absurd", "empty"])
async def test_absurd_numbers_are_never_passed_on(service: str, fault: str) -> None:
    async with a_sky() as (sky, url):
        sky.faults.add(fault)
        try:
            told = await ALL[service](url)(NOON)
        except ForecastError as exc:
            assert service in str(exc)  # noqa: PT017 - either way is right
        else:
            assert not told


@every_service
async def test_nobody_there_is_a_forecast_error(service: str) -> None:
    async with a_sky() as (_, url):
        gone = url
    with pytest.raises(ForecastError, match="does not answer"):
        await ALL[service](gone)(NOON)


@every_service
async def test_too_many_questions_make_it_wait(service: str) -> None:
    async with a_sky() as (sky, url):
        sky.faults.add("too_many")
        with pytest.raises(ForecastBusy) as caught:
            await ALL[service](url)(NOON)
    if service != "Carbon Intensity":
        assert (caught.value.retry_after_s or 0) >= 3_600


async def test_forecast_solar_says_when_to_ask_again() -> None:
    async with a_sky() as (sky, url):
        sky.called = [NOON - timedelta(minutes=50)] * 12
        with pytest.raises(ForecastBusy, match="Rate limit") as caught:
            await forecast_solar(url)(NOON)
    assert caught.value.retry_after_s == pytest.approx(600)


async def test_solcasts_calls_are_used_up_until_midnight_utc() -> None:
    async with a_sky(calls_a_day=1) as (_, url):
        with pytest.raises(ForecastBusy, match="daily limit") as caught:
            await solcast(url)(NOON)
    assert caught.value.retry_after_s == pytest.approx((11 * 60 + 56) * 60)


async def test_forecast_solar_is_asked_by_its_own_compass() -> None:
    async with a_sky() as (sky, url):
        await forecast_solar(url)(NOON)
    assert sky.asked == [
        "/estimate/51.5000/-0.1000/35/0/4", "/estimate/51.5000/-0.1000/30/-90/2.5"
    ]  # fmt: skip


def test_solcasts_calls_are_spread_over_the_day() -> None:
    one = SolcastSettings(arrays=(SOUTH,), api_key="k")
    two = SolcastSettings(arrays=(SOUTH, EAST), api_key="k")
    assert SolcastTeller(one).every == timedelta(hours=3)
    assert SolcastTeller(two).every == timedelta(hours=6)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        pytest.param(lambda: OpenMeteoSettings(arrays=()), "at least one array", id="no array"),
        pytest.param(
            lambda: OpenMeteoSettings(arrays=(SOUTH,), measured="pv"), "device.point", id="no point"
        ),
        pytest.param(
            lambda: SolcastSettings(arrays=(ArraySettings(kwp=1),), api_key="k"),
            "resource",
            id="no site",
        ),
        pytest.param(
            lambda: SolcastSettings(arrays=(SOUTH, EAST), api_key="k", calls_per_day=1),
            "calls_per_day",
            id="too few calls",
        ),
        pytest.param(
            lambda: ForecastSolarSettings(arrays=(SOUTH,), api_key="../x"), "api_key", id="no key"
        ),
        pytest.param(lambda: CarbonUkSettings(postcode="RG1 1AA"), "first half", id="whole code"),
        pytest.param(lambda: CarbonUkSettings(region=18), "1 to 17", id="no region"),
        pytest.param(lambda: CarbonUkSettings(region=1, postcode="E1"), "not both", id="both"),
    ],
)
def test_settings_that_cannot_work_are_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


@pytest.mark.parametrize(
    "settings",
    [
        SolcastSettings(arrays=(SOUTH,), api_key="s3cret"),
        ForecastSolarSettings(arrays=(SOUTH,), api_key="s3cret"),
    ],
    ids=["Solcast", "Forecast.Solar"],
)
def test_keys_are_not_shown(settings: object) -> None:
    assert "s3cret" not in repr(settings)
