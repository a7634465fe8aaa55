"""What Prometheus reads: conventional names in base units, and nothing that is stale."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from houses import LONDON, NOON, POINTS, ToyBattery, a_device, a_price_curve, a_reading, a_site
from ohmstead.clock import ManualClock
from ohmstead.errors import ConfigError
from ohmstead.http_server import listening
from ohmstead.model import (
    UNITS,
    Applied,
    BatteryCommand,
    BatteryMode,
    Choice,
    CommandResult,
    Decision,
    Failed,
    Kind,
    Point,
    Prices,
    Reading,
    Refused,
    Tick,
    Value,
    Write,
)
from ohmstead.outputs.prometheus import PrometheusOutput, PrometheusSettings
from ohmstead.outputs.prometheus_names import metric_of
from web_site import ASite

pytestmark = pytest.mark.enable_socket  # a page on loopback

ME = {"site": "home", "device": "inverter", "family": "toy"}
COMMAND = BatteryCommand(mode=BatteryMode.CHARGE, until=NOON + timedelta(hours=1))


@dataclass
class Page:
    """A running output, and a client that scrapes it."""

    site: ASite
    output: PrometheusOutput
    client: httpx2.AsyncClient = field(default_factory=httpx2.AsyncClient)

    async def get(self, **headers: str) -> httpx2.Response:
        url = f"http://127.0.0.1:{self.output.port}/metrics"
        return await self.client.get(url, headers=headers)

    async def samples(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        """Return every sample, by name."""
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families((await self.get()).text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
        return found


@asynccontextmanager
async def a_page(settings: PrometheusSettings | None = None) -> AsyncIterator[Page]:
    site = ASite()
    output = PrometheusOutput(
        settings or PrometheusSettings(listen="127.0.0.1:0"),
        site_name="home", timezone=LONDON, clock=ManualClock(NOON), data_dir=None,
    )  # fmt: skip
    async with asyncio.TaskGroup() as group:
        task = group.create_task(output.run(site))
        while output.port is None:  # noqa: ASYNC110 - it tells nobody when it listens
            await asyncio.sleep(0.01)
        page = Page(site, output)
        async with page.client:
            yield page
        task.cancel()


async def say(
    page: Page,
    values: Mapping[str, Value | None],
    *points: Point,
    results: tuple[CommandResult, ...] = (),
    took_s: float = 0.02,
) -> None:
    """Let the device say *values*, and the site take its turn."""
    page.site.battery.points = {**POINTS, **{point.key: point for point in points}}
    reading = a_reading(values=values)
    curve = a_price_curve(0.25, fetched_at=NOON - timedelta(hours=1))
    snapshot = replace(
        a_site(pv_w=300),
        devices={"inverter": a_device(reading)},
        prices=Prices(buy=curve),
        mode=BatteryMode.CHARGE,
    )
    decision = Decision(at=NOON, command=None, reason="a test", strategy="test")
    tick = Tick(snapshot=snapshot, decision=decision, results=results, took_s=took_s)
    page.site.hub.tell(tick)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("battery_w", "ohmstead_battery_watts", 50),
        ("eps_va", "ohmstead_eps_volt_amperes", 50),
        ("inverter_var", "ohmstead_inverter_volt_amperes_reactive", 50),
        ("left_wh", "ohmstead_left_joules", 180_000),
        ("left_kwh", "ohmstead_left_joules", 180_000_000),
        ("grid_v", "ohmstead_grid_volts", 50),
        ("cell_mv", "ohmstead_cell_volts", 0.05),
        ("grid_a", "ohmstead_grid_amperes", 50),
        ("leak_ma", "ohmstead_leak_amperes", 0.05),
        ("capacity_ah", "ohmstead_capacity_coulombs", 180_000),
        ("grid_hz", "ohmstead_grid_hertz", 50),
        ("inside_c", "ohmstead_inside_celsius", 50),
        ("battery_soc_pct", "ohmstead_battery_soc_ratio", 0.5),
        ("buy_per_kwh", "ohmstead_buy_per_kilowatt_hour", 50),
        ("runtime_s", "ohmstead_runtime_seconds", 50),
        ("left_min", "ohmstead_left_seconds", 3_000),
        ("runtime_h", "ohmstead_runtime_seconds", 180_000),
        ("age_days", "ohmstead_age_seconds", 4_320_000),
        ("roof_kwp", "ohmstead_roof_watts_peak", 50_000),
        ("wifi_dbm", "ohmstead_wifi_dbm", 50),
        ("fan_rpm", "ohmstead_fan_hertz", 50 / 60),
        ("wire_ohm", "ohmstead_wire_ohms", 50),
        ("cycles", "ohmstead_cycles", 50),
        ("battery_count", "ohmstead_battery_count_now", 50),
    ],
)
def test_a_point_in_base_units(key: str, name: str, value: float) -> None:
    metric = metric_of(Point(key=key, label="x"))
    assert metric.name == name
    assert metric.value(50) == pytest.approx(value)


@pytest.mark.parametrize("ending", UNITS)
def test_every_unit_has_its_base_unit(ending: str) -> None:
    assert not metric_of(Point(key=f"x{ending}", label="x")).name.endswith(f"x{ending}") or (
        ending == "_dbm"
    )


async def test_points_are_shown_with_who_says_them() -> None:
    async with a_page() as page:
        modes = ("eco", "boost")
        values: dict[str, Value | None] = {
            "battery_soc_pct": 55, "pv_today_kwh": 10.5, "pv_total_kwh": 2, "charge_on": True,
            "mode": "eco", "title": "words", "silent_w": None,
        }  # fmt: skip
        await say(
            page, values,
            Point(key="pv_today_kwh", label="Solar today", kind=Kind.TOTAL),
            Point(key="pv_total_kwh", label="Solar", kind=Kind.TOTAL),
            Point(key="mode", label="Mode", writable=Choice(modes), options=modes),
            Point(key="title", label="Title"),
        )  # fmt: skip
        samples = await page.samples()
    assert samples["ohmstead_battery_soc_ratio"] == [(ME, 0.55)]
    assert samples["ohmstead_pv_today_joules_total"] == [(ME, 37_800_000)]
    assert samples["ohmstead_pv_joules_total"] == [(ME, 7_200_000)]
    assert samples["ohmstead_charge_on"] == [(ME, 1)]
    assert samples["ohmstead_mode_state"] == [
        ({**ME, "state": "eco"}, 1),
        ({**ME, "state": "boost"}, 0),
    ]
    assert [name for name in samples if "title" in name or "silent" in name] == []


async def test_the_house_and_its_prices_are_shown() -> None:
    async with a_page() as page:
        await say(page, {})
        samples = await page.samples()
    house = {"site": "home"}
    assert samples["ohmstead_site_grid_watts"] == [(house, 200)]
    assert samples["ohmstead_site_pv_watts"] == [(house, 300)]
    assert samples["ohmstead_site_load_watts"] == [(house, 500)]
    assert samples["ohmstead_site_battery_watts"] == [(house, 0)]
    assert samples["ohmstead_site_battery_ratio"] == [(house, 0.5)]
    assert [labels for labels, value in samples["ohmstead_site_mode"] if value] == [
        {"site": "home", "mode": "charge"}
    ]
    bought = {"site": "home", "direction": "import"}
    assert samples["ohmstead_price_per_kilowatt_hour"] == [({**bought, "currency": "GBP"}, 0.25)]
    assert samples["ohmstead_price_age_seconds"] == [(bought, 3_600)]
    assert samples["ohmstead_price_horizon_seconds"] == [(bought, 1_800)]


async def test_the_services_own_health_is_counted() -> None:
    applied = Applied(
        device="inverter", command=COMMAND, wrote=(Write(point="charge_on", old=False, new=True),)
    )
    unchanged = Applied(device="inverter", command=COMMAND)
    refused = Refused(device="inverter", command=COMMAND, why="no")
    failed = Failed(device="inverter", command=COMMAND, why="silent", wrote=applied.wrote)

    class Waits:
        waiting, dropped = 12, 3

    async with a_page() as page:
        page.output.watch("influx", Waits())
        await say(page, {}, results=(applied, refused), took_s=0.02)
        await say(page, {}, results=(unchanged, failed), took_s=2)
        samples = await page.samples()
    house, me = {"site": "home"}, {"site": "home", "device": "inverter"}
    assert samples["ohmstead_ticks_total"] == [(house, 2)]
    assert samples["ohmstead_tick_duration_seconds_sum"] == [(house, 2.02)]
    buckets = {s[0]["le"]: s[1] for s in samples["ohmstead_tick_duration_seconds_bucket"]}
    assert (buckets["0.01"], buckets["0.025"], buckets["2.5"], buckets["+Inf"]) == (0, 1, 2, 2)
    assert samples["ohmstead_last_tick_timestamp_seconds"] == [(house, NOON.timestamp())]
    assert samples["ohmstead_command_results_total"] == [
        ({**me, "result": result}, 1) for result in ("applied", "failed", "refused", "unchanged")
    ]
    assert samples["ohmstead_writes_total"] == [(me, 2)]
    assert samples["ohmstead_leases"] == [(me, 9)]
    assert samples["ohmstead_device_up"] == [(ME, 1)]
    assert samples["ohmstead_device_last_seen_timestamp_seconds"] == [(ME, NOON.timestamp())]
    output = {"site": "home", "output": "influx"}
    assert samples["ohmstead_output_waiting"] == [(output, 12)]
    assert samples["ohmstead_output_dropped_total"] == [(output, 3)]
    assert samples["process_resident_memory_bytes"][0][1] > 1_000_000


async def test_what_is_silent_is_left_out_and_said_to_be_down() -> None:
    async with a_page() as page:
        page.site.broken = True  # the journal
        page.site.tell(trouble="no answer")
        await asyncio.sleep(0)
        samples = await page.samples()
    assert [(labels["device"], up) for labels, up in samples["ohmstead_device_up"]] == [
        ("inverter", 0)
    ]
    assert "ohmstead_charge_on" not in samples
    assert "ohmstead_leases" not in samples


async def test_before_the_first_turn_the_page_is_there_already() -> None:
    async with a_page() as page:
        samples = await page.samples()
    assert samples["ohmstead_ticks_total"][0][1] == 0
    assert "ohmstead_device_up" not in samples


async def test_the_text_follows_the_rules() -> None:
    """As ``promtool check metrics`` has them: help and type once, before samples, no doubles."""
    async with a_page() as page:
        page.site.devices["second"] = ToyBattery(
            name="second",
            points={"x_wh": Point(key="x_wh", label="X"), "ticks": Point(key="ticks", label="T")},
        )
        values = {"x_wh": 1, "x_kwh": 2, "x_total_kwh": 3, "ticks": 4, "bad": float("nan")}
        await say(page, values, Point(key="x_total_kwh", label="X\nall", kind=Kind.TOTAL))
        assert page.site.last is not None
        other = Reading(device="second", at=NOON, values={"x_wh": 5, "ticks": 6})
        both = {**page.site.last.snapshot.devices, "second": replace(a_device(other), family="b")}
        page.site.hub.tell(
            replace(page.site.last, snapshot=replace(page.site.last.snapshot, devices=both))
        )
        text = (await page.get()).text
    said: dict[str, list[str]] = {"HELP": [], "TYPE": []}
    seen: list[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            _, word, name, rest = line.split(" ", 3)
            assert rest
            said[word].append(name)
        else:
            series = line.rpartition(" ")[0]
            family = re.sub(r"_(bucket|sum|count)$", "", re.split("[{ ]", line)[0])
            assert said["TYPE"][-1] == family
            seen.append(series)
            assert re.fullmatch(r"[a-z_][a-z0-9_]*", family)
    assert said["HELP"] == said["TYPE"]
    assert len(set(said["TYPE"])) == len(said["TYPE"])
    assert len(set(seen)) == len(seen)
    assert 'ohmstead_x_joules{device="second",family="b",site="home"} 18000.0' in text
    assert "ohmstead_x_joules_counted_3_total{" in text
    assert "ohmstead_ticks_value_3{" in text


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=none", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
        ),
    ],
)
async def test_it_speaks_the_format_that_is_asked_for(accept: str, content_type: str) -> None:
    async with a_page() as page:
        await say(page, {"battery_soc_pct": 55})
        answer = await page.get(accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    if "openmetrics" in accept:
        families = openmetrics(answer.text)  # type: ignore[no-untyped-call]
        assert "ohmstead_battery_soc_ratio" in {family.name for family in families}
    else:
        assert "ohmstead_battery_soc_ratio{" in answer.text


async def test_it_is_compressed_for_who_can_read_that() -> None:
    async with (
        a_page() as page,
        page.client.stream(
            "GET",
            f"http://127.0.0.1:{page.output.port}/metrics",
            headers={"accept-encoding": "gzip"},
        ) as answer,
    ):
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert b"ohmstead_ticks_total" in gzip.decompress(raw)


async def test_a_token_keeps_strangers_out() -> None:
    settings = PrometheusSettings(listen="127.0.0.1:0", token="hush")
    assert "hush" not in repr(settings)
    async with a_page(settings) as page:
        assert (await page.get()).status_code == 401
        assert (await page.get(authorization="Bearer wrong")).status_code == 401
        assert (await page.get(authorization="Bearer hush")).status_code == 200


async def test_the_bare_address_says_where_the_metrics_are() -> None:
    async with a_page() as page:
        answer = await page.client.get(f"http://127.0.0.1:{page.output.port}/")
    assert "/metrics" in answer.text


async def test_a_port_that_is_taken_is_said() -> None:
    async with listening(Starlette(), "127.0.0.1", 0) as port:
        output = PrometheusOutput(
            PrometheusSettings(listen=f"127.0.0.1:{port}"),
            site_name="home", timezone=LONDON, clock=ManualClock(NOON), data_dir=None,
        )  # fmt: skip
        with pytest.raises(ConfigError, match="is another program there"):
            await output.run(ASite())


@pytest.mark.parametrize("listen", ["", "9617", "127.0.0.1", "here:9617", "127.0.0.1:70000"])
def test_an_address_that_cannot_be_is_refused(listen: str) -> None:
    with pytest.raises(ValueError, match="an address of this machine"):
        PrometheusSettings(listen=listen)


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:9617", "127.0.0.1", 9617), ("[::1]:0", "::1", 0), ("localhost:1", "localhost", 1)],
)
def test_an_address_and_its_port(listen: str, host: str, port: int) -> None:
    settings = PrometheusSettings(listen=listen)
    assert (settings.host, settings.port) == (host, port)
