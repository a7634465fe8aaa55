"""The sun's forecast from the first minute to the first outage, over real sockets."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from diary import Diary
from ohmstead.clock import ManualClock
from ohmstead.forecasts.model import ModelSettings, model
from ohmstead.forecasts.open_meteo import OpenMeteoSettings, open_meteo
from ohmstead.forecasts.panels import ArraySettings
from ohmstead.forecasts.sky_simulator import SkySimulator
from ohmstead.forecasts.solar import SolarForecast
from ohmstead.forecasts.solcast import SolcastSettings, solcast
from ohmstead.forecasts.sun import Place
from ohmstead.links.http import HttpPatience
from ohmstead.model import Forecast

MORNING = datetime(2026, 6, 21, 8, 0, tzinfo=UTC)
LONDON = Place(latitude=51.5, longitude=-0.1)
ROOF = ArraySettings(kwp=4, tilt=35, azimuth=180, resource="aaaa-1111")
QUICK = HttpPatience(timeout_s=2, attempts=1)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@asynccontextmanager
async def a_sky(cloud: float = 0.3) -> AsyncIterator[tuple[SkySimulator, str]]:
    sky = SkySimulator(ManualClock(MORNING), lambda _: cloud, sites={"aaaa-1111": ROOF})
    async with sky.serve() as port:
        yield sky, f"http://127.0.0.1:{port}"


def a_roof(sky: SkySimulator, days: float, share: float = 1.0, ends: datetime = MORNING) -> Diary:
    """Return the history of a roof that makes *share* of what the sky gives."""

    def made(moment: datetime) -> float:
        return share * sky.power_w(moment + timedelta(minutes=2.5), LONDON, ROOF)

    return Diary({("site", "pv_w"): made}, MORNING - days * DAY, ends)


def weather(url: str, diary: Diary | None, path: Path | None = None) -> SolarForecast:
    settings = OpenMeteoSettings(arrays=(ROOF,), url=url)
    return open_meteo(settings, place=LONDON, history=diary, cache_dir=path, patience=QUICK)


def tomorrow(forecast: Forecast) -> tuple[float, float, float]:
    begin = MORNING.replace(hour=0) + DAY
    return forecast.kwh(begin, begin + DAY)


def truth(sky: SkySimulator) -> float:
    begin = MORNING.replace(hour=0) + DAY
    return (
        sum(sky.power_w(begin + timedelta(minutes=5 * n), LONDON, ROOF) for n in range(288))
        / 12_000
    )


def check_sound(forecast: Forecast, most_w: float = 4_000) -> None:
    assert forecast.at(MORNING) is not None
    assert forecast.ends is not None
    assert forecast.ends - MORNING >= timedelta(hours=71)
    for slot in forecast:
        assert 0 <= slot.low_w <= slot.middle_w <= slot.high_w <= most_w


async def test_a_new_house_has_the_weather_services_word() -> None:
    async with a_sky() as (sky, url):
        source = weather(url, None)
        forecast = await source.forecast(MORNING)
        check_sound(forecast)
        low, middle, high = tomorrow(forecast)
        assert middle == pytest.approx(truth(sky), rel=0.02)
        assert low < 0.85 * middle
        assert high > 1.05 * middle
        assert "Open-Meteo" in forecast.source
        assert forecast.fetched_at == MORNING
        assert source.trouble is None


@pytest.mark.parametrize(
    ("days", "near"),
    [
        pytest.param(1, 0.18, id="one day"),
        pytest.param(7, 0.06, id="a week"),
    ],
)
async def test_it_learns_that_the_roof_makes_less(days: float, near: float) -> None:
    async with a_sky() as (sky, url):
        forecast = await weather(url, a_roof(sky, days, share=0.6)).forecast(MORNING)
        assert tomorrow(forecast)[1] == pytest.approx(0.6 * truth(sky), rel=near / 0.6)


async def test_a_history_that_opens_late_is_heeded_at_once() -> None:
    async with a_sky() as (sky, url):
        diary = a_roof(sky, 10, share=0.6)
        diary.closed = True
        source = weather(url, diary)
        assert tomorrow(await source.forecast(MORNING))[1] == pytest.approx(truth(sky), rel=0.02)
        diary.closed = False
        soon = await source.forecast(MORNING + timedelta(seconds=5))
        assert tomorrow(soon)[1] == pytest.approx(0.6 * truth(sky), rel=0.1)


async def test_an_outage_changes_little_and_then_the_house_speaks_for_itself(
    tmp_path: Path,
) -> None:
    async with a_sky() as (sky, url):
        diary = a_roof(sky, 10, ends=MORNING + 10 * DAY)
        source = weather(url, diary, tmp_path)
        before = await source.forecast(MORNING)
        sky.faults.add("down")
        later = await source.forecast(MORNING + 3 * HOUR)
        assert source.trouble is not None
        assert "Open-Meteo" in source.trouble
        assert later.fetched_at == MORNING
        noon = MORNING + 6 * HOUR
        was, is_now = before.at(noon), later.at(noon)
        assert was is not None
        assert is_now is not None
        assert is_now.middle_w == pytest.approx(was.middle_w, rel=0.05)
        # After a restart, and long after: a clear sky, as lately left of it.
        again = weather(url, diary, tmp_path)
        long_after = await again.forecast(MORNING + 2 * DAY)
        assert "silent" in long_after.source
        assert long_after.fetched_at is None
        begin = MORNING + 3 * DAY
        assert long_after.kwh(begin, begin + DAY)[1] == pytest.approx(truth(sky), rel=0.1)


async def test_no_network_and_no_history_is_half_a_clear_sky() -> None:
    source = weather("http://127.0.0.1:9", None)
    forecast = await source.forecast(MORNING)
    check_sound(forecast)
    assert source.trouble is not None
    assert "does not answer" in source.trouble
    low, middle, high = tomorrow(forecast)
    assert 8 < middle < 18
    assert low < 0.5 * middle
    assert high > 1.5 * middle


async def test_the_model_alone_learns_how_clear_it_has_been() -> None:
    async with a_sky(cloud=0.8) as (sky, _):
        settings = ModelSettings(arrays=(ROOF,))
        source = model(settings, place=LONDON, history=a_roof(sky, 10), cache_dir=None)
        forecast = await source.forecast(MORNING)
        check_sound(forecast)
        assert tomorrow(forecast)[1] == pytest.approx(truth(sky), rel=0.12)
        assert source.trouble is None
        assert MORNING < source.next_due(MORNING) <= MORNING + timedelta(minutes=16)


async def test_a_morning_brighter_than_foretold_lifts_the_next_hours_only() -> None:
    async with a_sky(cloud=0.5) as (sky, url):
        now = MORNING + 3 * HOUR
        usual, bright = a_roof(sky, 5, ends=now), a_roof(sky, 5, ends=now)
        as_told = bright.powers["site", "pv_w"]

        def made(moment: datetime) -> float:
            today = moment >= MORNING.replace(hour=0)
            return (as_told(moment) or 0.0) * (1.5 if today else 1.0)

        bright.powers = {("site", "pv_w"): made}
        plain = await weather(url, usual).forecast(now)
        lifted = await weather(url, bright).forecast(now)
        soon, far = now + HOUR, now + 25 * HOUR
        assert _at(lifted, soon) > 1.15 * _at(plain, soon)
        assert _at(lifted, far) == pytest.approx(_at(plain, far), rel=0.12)


def _at(forecast: Forecast, moment: datetime) -> float:
    slot = forecast.at(moment)
    assert slot is not None
    return slot.middle_w


async def test_solcast_keeps_its_own_percentiles() -> None:
    async with a_sky() as (_, url):
        settings = SolcastSettings(arrays=(ROOF,), url=url, api_key="simulated-key")
        source = solcast(settings, place=LONDON, history=None, cache_dir=None, patience=QUICK)
        forecast = await source.forecast(MORNING)
        slot = forecast.at(MORNING + DAY + 4 * HOUR)
        assert slot is not None
        assert slot.low_w / slot.middle_w == pytest.approx(0.6, abs=0.01)
        assert slot.high_w / slot.middle_w == pytest.approx(1.2, abs=0.01)


async def test_the_inverter_limits_all_of_it() -> None:
    async with a_sky(cloud=0) as (_, url):
        settings = OpenMeteoSettings(arrays=(ROOF,), url=url, limit_w=2_000)
        source = open_meteo(settings, place=LONDON, history=None, cache_dir=None, patience=QUICK)
        forecast = await source.forecast(MORNING)
        check_sound(forecast, most_w=2_000)
        assert _at(forecast, MORNING + 4 * HOUR) == pytest.approx(2_000)


@pytest.mark.parametrize(
    "fault", ["down", "server_error", "garbage", "empty", "absurd", "null", "too_many"]
)
async def test_whatever_the_service_does_there_is_a_forecast(fault: str) -> None:
    async with a_sky() as (sky, url):
        sky.faults.add(fault)
        source = weather(url, None)
        check_sound(await source.forecast(MORNING))
        assert source.trouble


async def test_polar_night_and_midnight_sun() -> None:
    tromso = Place(latitude=69.6, longitude=18.9)
    source = model(ModelSettings(arrays=(ROOF,)), place=tromso, history=None, cache_dir=None)
    winter = await source.forecast(datetime(2026, 12, 20, 12, tzinfo=UTC))
    assert math.fsum(slot.high_w for slot in winter) == 0
    summer = await source.forecast(datetime(2026, 6, 20, 12, tzinfo=UTC))
    assert all(slot.middle_w > 0 for slot in summer)
