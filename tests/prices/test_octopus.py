"""Octopus' prices: over real HTTP, with the real shapes, through outages and restarts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path

import pytest

from houses import LONDON
from ohmstead.clock import ManualClock
from ohmstead.errors import PriceSourceError
from ohmstead.links.http import HttpPatience
from ohmstead.model import PriceSlot
from ohmstead.prices.octopus import OctopusSettings, OctopusSource
from ohmstead.prices.octopus_simulator import OctopusSimulator

AGILE = "E-1R-AGILE-24-10-01-C"
FLAT = "E-1R-VAR-22-11-01-C"
OUTGOING = "E-1R-OUTGOING-VAR-24-10-26-C"
TWO = "E-2R-VAR-22-11-01-C"
MORNING = datetime(2026, 1, 15, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)
QUICK = HttpPatience(timeout_s=0.5, attempts=2, pause_s=0.01)
FOREVER = datetime(MAXYEAR, 1, 1, tzinfo=UTC)


def half_hours(start: datetime, count: int, pounds: float = 0.10) -> Sequence[PriceSlot]:
    return [
        PriceSlot(
            start=start + n * HALF, end=start + (n + 1) * HALF, per_kwh=round(pounds + n / 1000, 4)
        )
        for n in range(count)
    ]


def one_rate(pounds: float, start: datetime = datetime(2023, 1, 1, tzinfo=UTC)) -> PriceSlot:
    return PriceSlot(start=start, end=FOREVER, per_kwh=pounds)


RATES = {
    AGILE: half_hours(datetime(2026, 1, 12, 23, tzinfo=UTC), 48 * 5, -0.02),
    FLAT: [one_rate(0.245)],
    OUTGOING: [one_rate(0.15)],
    f"{TWO}:day": [one_rate(0.30)],
    f"{TWO}:night": [one_rate(0.12)],
}


class Shop:
    """A server, its clock, and what asks it."""

    def __init__(
        self, server: OctopusSimulator, clock: ManualClock, port: int, folder: Path
    ) -> None:
        self.server, self.clock, self.folder = server, clock, folder
        self.url = f"http://127.0.0.1:{port}"

    def source(self, _direction: str = "import", **settings: str | None) -> OctopusSource:
        known = {"tariff": AGILE, "url": self.url} | settings
        return OctopusSource(
            OctopusSettings(**known),  # type: ignore[arg-type]
            direction=_direction,
            timezone=LONDON,
            cache_dir=self.folder,
            patience=QUICK,
        )


@asynccontextmanager
async def a_shop(folder: Path, now: datetime = MORNING) -> AsyncIterator[Shop]:
    clock = ManualClock(now)
    server = OctopusSimulator(
        clock,
        RATES,
        agreements=[
            (FLAT, datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)),
            (AGILE, datetime(2026, 1, 15, tzinfo=UTC), None),
        ],
        export_agreements=[(OUTGOING, datetime(2024, 1, 1, tzinfo=UTC), None)],
    )
    async with server.serve() as port:
        yield Shop(server, clock, port, folder)


async def test_agile_prices_are_known_up_to_eleven_tonight(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        curve = await shop.source().curve(MORNING)
    assert curve.ends == datetime(2026, 1, 15, 23, tzinfo=UTC)
    slot = curve.at(MORNING)
    assert slot is not None
    assert (slot.start, slot.end) == (MORNING, MORNING + HALF)
    assert slot.per_kwh == next(s.per_kwh for s in RATES[AGILE] if s.start == MORNING)
    assert curve.fetched_at == MORNING
    assert curve.source == f"octopus {AGILE}"


async def test_prices_below_zero_are_prices(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        curve = await shop.source().curve(MORNING - timedelta(days=2))
    assert min(slot.per_kwh for slot in curve) < 0


async def test_an_open_ended_rate_covers_everything_asked_for(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        curve = await shop.source(tariff=FLAT).curve(MORNING)
    assert [slot.per_kwh for slot in curve] == [0.245]
    assert curve.ends == MORNING + timedelta(days=2)


async def test_two_registers_have_day_and_night(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        curve = await shop.source(tariff=TWO).curve(MORNING)
    night, day = (curve.at(MORNING.replace(hour=h)) for h in (3, 12))
    assert night is not None
    assert day is not None
    assert (night.per_kwh, day.per_kwh) == (0.12, 0.30)
    assert (night.start.strftime("%H:%M"), night.end.strftime("%H:%M")) == ("00:30", "07:30")


async def test_an_account_finds_its_tariff_for_every_slot(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        known: dict[str, str | None] = {
            "tariff": None,
            "account": "A-AAAA1111",
            "api_key": "sk_live_simulated",
        }
        curve = await shop.source("import", **known).curve(MORNING)
        before, after = (curve.at(datetime(2026, 1, day, 9, tzinfo=UTC)) for day in (14, 15))
        assert before is not None
        assert after is not None
        assert before.per_kwh == 0.245
        assert after.end - after.start == HALF
        sold = await shop.source("export", **known).curve(MORNING)
        assert {slot.per_kwh for slot in sold} == {0.15}


async def test_many_rates_come_in_pages(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        shop.server.rates[AGILE] = [
            PriceSlot(
                start=MORNING + n * timedelta(minutes=1),
                end=MORNING + (n + 1) * timedelta(minutes=1),
                per_kwh=n / 1e4,
            )
            for n in range(-1_000, 800)
        ]
        curve = await shop.source().curve(MORNING)
    assert len(curve) == 1_800
    assert sum("unit-rates" in path for path in shop.server.asked) == 2


async def test_the_key_goes_nowhere_but_to_the_account(tmp_path: Path) -> None:
    settings = OctopusSettings(account="A-AAAA1111", api_key="sk_live_secret")
    assert "secret" not in repr(settings)
    assert "AAAA" not in repr(settings)
    async with a_shop(tmp_path) as shop:
        wrong = shop.source(tariff=None, account="A-AAAA1111", api_key="sk_live_secret")
        with pytest.raises(PriceSourceError, match=r"API key \(401\); check api_key"):
            await wrong.curve(MORNING)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("down", "in trouble (503)"),
        ("slow", "does not answer"),
        ("server_error", "in trouble (502)"),
        ("rate_limited", "blocks us for a while (403)"),
        ("too_many", "slow down (429)"),
        ("garbage", "not JSON"),
        ("empty", "no price for now"),
    ],
)
async def test_an_outage_is_told_and_what_is_known_stays(
    tmp_path: Path, fault: str, says: str
) -> None:
    async with a_shop(tmp_path) as shop:
        known = await shop.source().curve(MORNING)
        shop.server.faults.add(fault)
        fresh = OctopusSource(
            OctopusSettings(tariff=AGILE, url=shop.url), direction="import", timezone=LONDON,
            cache_dir=tmp_path / "elsewhere", patience=QUICK,
        )  # fmt: skip
        with pytest.raises(PriceSourceError) as told:
            await fresh.curve(MORNING)
        assert says in str(told.value)
        later = MORNING + timedelta(hours=8)
        again = await shop.source().curve(later)  # a restart, eight hours into the outage
        assert again.slots == known.slots
        assert again.fetched_at == MORNING
        assert again.age(later) == timedelta(hours=8)


async def test_a_server_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        shop.server.faults.add("too_many")
        source = shop.source()
        with pytest.raises(PriceSourceError):
            await source.curve(MORNING)
        assert source.next_due(MORNING) == MORNING + timedelta(minutes=15)
        asked = len(shop.server.asked)
        with pytest.raises(PriceSourceError):
            await shop.source().curve(MORNING + timedelta(minutes=14))  # even over a restart
        assert len(shop.server.asked) == asked


async def test_tomorrows_prices_are_picked_up_once_published_without_hammering(
    tmp_path: Path,
) -> None:
    async with a_shop(tmp_path) as shop:
        shop.server.late = timedelta(minutes=40)
        source, now, asked_at, seen = shop.source(), MORNING, list[datetime](), list[datetime]()
        while now < MORNING + timedelta(hours=20):
            shop.clock.move((now - shop.clock.now()).total_seconds())
            before = len(shop.server.asked)
            curve = await source.curve(now)
            if len(shop.server.asked) > before:
                asked_at.append(now)
            if curve.ends == datetime(2026, 1, 16, 23, tzinfo=UTC):
                seen.append(now)
            now = source.next_due(now)
    published = datetime(2026, 1, 15, 16, 40, tzinfo=UTC)
    assert published <= seen[0] <= published + timedelta(minutes=12)
    assert len(asked_at) <= 8
    assert all(moment.hour in {9, 16} for moment in asked_at)


async def test_a_restart_does_not_ask_again(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        await shop.source().curve(MORNING)
        asked = len(shop.server.asked)
        await shop.source().curve(MORNING + timedelta(minutes=5))
        assert len(shop.server.asked) == asked


async def test_a_broken_cache_is_set_aside_and_fetched_anew(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        await shop.source().curve(MORNING)
        path = tmp_path / f"octopus-{AGILE.lower()}.json"
        path.write_text('{"slots": [[1, 2')
        curve = await shop.source().curve(MORNING)
        assert curve.at(MORNING) is not None
        assert path.with_suffix(".broken").exists()


async def test_without_a_place_to_keep_them_prices_still_come(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        source = OctopusSource(
            OctopusSettings(tariff=AGILE, url=shop.url),
            direction="import",
            timezone=LONDON,
            cache_dir=None,
        )
        assert (await source.curve(MORNING)).at(MORNING) is not None


async def test_a_place_that_cannot_be_written_loses_the_cache_not_the_prices(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    async with a_shop(tmp_path / "file") as shop:
        assert (await shop.source().curve(MORNING)).at(MORNING) is not None
    assert "prices are not kept" in caplog.text


@pytest.mark.parametrize(
    ("start", "slots"),
    [
        pytest.param(datetime(2026, 3, 28, 23, tzinfo=UTC), 46, id="the day of 23 hours"),
        pytest.param(datetime(2026, 10, 24, 22, tzinfo=UTC), 50, id="the day of 25 hours"),
    ],
)
async def test_days_of_23_and_25_hours(tmp_path: Path, start: datetime, slots: int) -> None:
    async with a_shop(tmp_path, start) as shop:
        shop.server.rates[AGILE] = half_hours(start, slots + 2)
        curve = await shop.source().curve(start)
    assert len(curve) == slots
    assert all(slot.end - slot.start == HALF for slot in curve)


async def test_an_unknown_product_or_region_is_told(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        with pytest.raises(PriceSourceError, match="no such product"):
            await shop.source(tariff="E-1R-WARP-24-10-01-C").curve(MORNING)
        with pytest.raises(PriceSourceError, match="region letter"):
            await shop.source(tariff="E-1R-AGILE-24-10-01-D").curve(MORNING)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "say a tariff, or an account"),
        ({"account": "A-1"}, "needs its api_key"),
        ({"tariff": "AGILE"}, "no tariff code"),
        ({"tariff": "E-1R-AGILE-24-10-01-I"}, "no tariff code"),
        ({"tariff": "G-1R-AGILE-24-10-01-C"}, "gas tariff"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OctopusSettings(**wrong)  # type: ignore[arg-type]
