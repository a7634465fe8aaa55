"""Fixed and time-of-use prices, the rhythm of asking, and small pages over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from houses import LONDON, NOON
from ohmstead.errors import ConfigError, PriceSourceError
from ohmstead.http_server import listening
from ohmstead.links.http import HttpPatience, get_json
from ohmstead.prices.fixed import FixedSettings, FixedSource
from ohmstead.prices.octopus_tariff import Tariff, agreements_of, rate_links, slots_of
from ohmstead.prices.rhythm import after_failure, after_success, wanted_until
from ohmstead.prices.time_of_use import TimeOfUseSettings, TimeOfUseSource, Window

HALF = timedelta(minutes=30)


async def test_a_fixed_price_holds_at_every_hour() -> None:
    source = FixedSource(
        FixedSettings(price_per_kwh=0.15), direction="export", timezone=LONDON, cache_dir=None
    )
    curve = await source.curve(NOON)
    slot = curve.at(NOON)
    assert slot is not None
    assert slot.per_kwh == 0.15
    assert curve.ends is not None
    assert source.next_due(NOON) < curve.ends
    assert curve.age(NOON) is None


def a_tariff(*windows: Window) -> TimeOfUseSource:
    settings = TimeOfUseSettings(default_per_kwh=0.30, windows=windows)
    return TimeOfUseSource(settings, direction="import", timezone=LONDON, cache_dir=None)


GO = Window(start=time(23, 30), end=time(5, 30), per_kwh=0.07)


@pytest.mark.parametrize(
    ("local", "per_kwh"),
    [
        ("2026-06-21 23:29", 0.30),
        ("2026-06-21 23:30", 0.07),
        ("2026-06-22 05:29", 0.07),
        ("2026-06-22 05:30", 0.30),
    ],
)
async def test_a_window_may_cross_midnight(local: str, per_kwh: float) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=LONDON)
    slot = (await a_tariff(GO).curve(moment)).at(moment.astimezone(UTC))
    assert slot is not None
    assert slot.per_kwh == per_kwh


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(datetime(2026, 3, 29, tzinfo=UTC), 4, id="the night that loses an hour"),
        pytest.param(datetime(2026, 10, 25, tzinfo=UTC), 6, id="the night that has one twice"),
        pytest.param(datetime(2026, 6, 21, tzinfo=UTC), 5, id="any other night"),
    ],
)
async def test_a_window_follows_the_wall_clock_through_the_change(
    day: datetime, hours: int
) -> None:
    window = Window(start=time(0, 30), end=time(5, 30), per_kwh=0.07)
    curve = await a_tariff(window).curve(day + timedelta(hours=12))
    cheap = [
        s for s in curve if s.per_kwh == 0.07 and s.start.astimezone(LONDON).date() == day.date()
    ]
    assert sum((s.end - s.start for s in cheap), timedelta()) == timedelta(hours=hours)


async def test_windows_have_days_and_later_ones_count() -> None:
    weekend = Window(start=time(0), end=time(0), per_kwh=0.20, days=("sat", "sun"))
    peak = Window(start=time(16), end=time(19), per_kwh=0.40)
    curve = await a_tariff(weekend, peak).curve(NOON)  # a Sunday
    found = {h: curve.at(NOON.replace(hour=h)) for h in (12, 16)}
    assert [slot and slot.per_kwh for slot in found.values()] == [0.20, 0.40]
    monday = curve.at(NOON + timedelta(days=1))
    assert monday is not None
    assert monday.per_kwh == 0.30


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: FixedSettings(price_per_kwh=float("nan")),
        lambda: TimeOfUseSettings(default_per_kwh=float("inf"), windows=()),
        lambda: Window(start=time(1), end=time(2), per_kwh=float("nan")),
        lambda: Window(start=time(1, tzinfo=UTC), end=time(2), per_kwh=0.1),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"must be a number|without a zone"):
        wrong()


@pytest.mark.parametrize(
    ("local", "known_hours", "next_hours"),
    [
        pytest.param("2026-01-15 09:00", 14, 7 + 5 / 60, id="all known: at 16:05"),
        pytest.param(
            "2026-01-15 16:10", 30.9, 15 + 50 / 60, id="tomorrow known: at 8 for corrections"
        ),
        pytest.param("2026-01-15 16:10", 7, 5 / 60, id="tomorrow missing: in five minutes"),
        pytest.param("2026-01-15 16:00", 7, 5 / 60, id="not before 16:05"),
        pytest.param("2026-01-15 21:00", 2, 1, id="late: every hour"),
        pytest.param("2026-01-15 03:00", 2, 1, id="today missing: every hour"),
    ],
)
def test_when_octopus_is_asked_again(local: str, known_hours: float, next_hours: float) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=LONDON)
    due = after_success(now, now + timedelta(hours=known_hours), 0.0)
    assert due - now == timedelta(hours=next_hours)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)), st.floats(0, 1), st.integers(0, 72)
)
def test_asking_is_never_hammering_and_never_forgotten(
    moment: datetime, jitter: float, hours: int
) -> None:
    now = moment.replace(tzinfo=UTC)
    due = after_success(now, now + timedelta(hours=hours), jitter)
    assert timedelta(0) < due - now <= timedelta(hours=17)
    if now + timedelta(hours=hours) < wanted_until(now):
        assert timedelta(minutes=4) < due - now <= timedelta(minutes=70)


def test_failures_are_followed_by_longer_pauses() -> None:
    pauses = [(after_failure(NOON, n, 0, None) - NOON).total_seconds() / 60 for n in range(1, 13)]
    assert pauses == [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 60, 60]
    assert after_failure(NOON, 1, 0, 900) - NOON == timedelta(minutes=15)
    assert after_failure(NOON, 1, 0, 1e9) - NOON == timedelta(days=1)


RATE = {"value_exc_vat": 10.0, "value_inc_vat": 10.5, "valid_from": None, "valid_to": None}


class TestRates:
    def test_the_way_of_paying_decides(self) -> None:
        rates = [
            RATE | {"payment_method": "DIRECT_DEBIT"},
            RATE | {"payment_method": "NON_DIRECT_DEBIT", "value_inc_vat": 12.0},
        ]
        for payment, pounds in (("DIRECT_DEBIT", 0.105), ("NON_DIRECT_DEBIT", 0.12)):
            slots = slots_of(rates, NOON, NOON + HALF, payment=payment)  # type: ignore[arg-type]
            assert [slot.per_kwh for slot in slots] == [pounds]

    def test_tax_can_be_left_out(self) -> None:
        (slot,) = slots_of([RATE], NOON, NOON + HALF, payment="DIRECT_DEBIT", with_vat=False)
        assert slot.per_kwh == 0.10

    @pytest.mark.parametrize(
        "wrong",
        [
            {"valid_from": "yesterday"},
            {"value_inc_vat": None},
            {"valid_from": "2026-01-01T00:00:00"},
        ],
    )
    def test_nonsense_is_told(self, wrong: dict[str, object]) -> None:
        with pytest.raises(PriceSourceError, match="cannot be understood"):
            slots_of([RATE | wrong], NOON, NOON + HALF, payment="DIRECT_DEBIT")

    @pytest.mark.parametrize("account", [{}, {"properties": [{"x": 1}]}, [], None])
    def test_an_account_that_makes_no_sense_is_told(self, account: object) -> None:
        with pytest.raises(PriceSourceError, match="cannot be understood"):
            agreements_of(account, export=False)

    def test_a_home_that_was_left_does_not_count(self) -> None:
        meter = {"agreements": [], "is_export": False}
        homes = [{"moved_out_at": "2020-01-01T00:00:00Z", "electricity_meter_points": [meter]}]
        with pytest.raises(PriceSourceError, match="no import meter"):
            agreements_of({"properties": homes}, export=False)

    def test_a_product_that_makes_no_sense_is_told(self) -> None:
        with pytest.raises(PriceSourceError, match="cannot be understood"):
            rate_links([], Tariff.parse("E-1R-AGILE-24-10-01-C"))


@asynccontextmanager
async def a_page(status: int, headers: dict[str, str]) -> AsyncIterator[str]:
    async def answer(request: Request) -> Response:
        del request
        return JSONResponse({"x": 1}, status, headers)

    async with listening(Starlette(routes=[Route("/", answer)]), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "Thu, 15 Jan 2026 09:10:00 -0000"}, None),
        ({"Retry-After": "Thu, 15 Jan 2020 09:10:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
    ],
)
async def test_a_wish_for_patience_is_understood(headers: dict[str, str], wait_s: float) -> None:
    async with a_page(429, headers) as url:
        page = await get_json(url)
    assert (page.status, page.body, page.retry_after_s) == (429, {"x": 1}, wait_s)


async def test_nobody_there_and_no_address_are_answers_too() -> None:
    quick = HttpPatience(timeout_s=0.5, attempts=2, pause_s=0.01)
    assert (await get_json("http://127.0.0.1:9/", patience=quick)).status == 0
    assert (await get_json("http://x:port/", patience=quick)).status == 400


async def test_an_address_in_use_says_what_to_do() -> None:
    app = Starlette()
    async with listening(app, "127.0.0.1", 0) as port:
        with pytest.raises(ConfigError, match="is another program there"):
            async with listening(app, "127.0.0.1", port):
                pass
