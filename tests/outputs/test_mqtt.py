"""By MQTT everything is told that changes, and every command is carried out once and answered."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from mqtt_house import Broker, Ear, a_broker, an_ear, told
from ohmstead.clock import SystemClock
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    Failed,
    Refused,
    Request,
    SettingChange,
)
from web_site import ASite

pytestmark = pytest.mark.enable_socket

BASE = "ohmstead/home"


class TheSite(ASite):
    """The same, with requests that hold by the clock on the wall."""

    def requests(self) -> tuple[Request, ...]:
        return tuple(self.inbox.active(SystemClock().now()))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with a_broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def site() -> TheSite:
    return TheSite()


@pytest.fixture
async def ear(broker: Broker, site: TheSite) -> AsyncIterator[Ear]:
    """Somebody at the broker while the output runs, after the first tick."""
    async with told(site, broker.port), an_ear(broker.port) as ear:
        await online(ear)
        site.tell()
        await ear.topic(f"{BASE}/site/mode", "automatic")
        yield ear


class TestTelling:
    async def test_every_value_is_told_and_kept(self, broker: Broker, site: TheSite) -> None:
        async with told(site, broker.port), an_ear(broker.port) as ear:
            await online(ear)
            site.tell()
            await ear.until(lambda: f"{BASE}/site" in ear.kept)
        kept = await kept_at(broker)
        assert kept["availability"] == "offline"
        assert kept["inverter/availability"] == "online"
        assert kept["inverter/starts"] == "23:30"
        assert kept["inverter/charge_on"] == "off"
        assert kept["inverter/charge_w"] == "2000"
        assert kept["inverter/clock"] == "2026-06-21T13:00:00+01:00"
        assert "inverter/battery_soc_pct" not in kept
        assert json.loads(kept["inverter"])["battery_soc_pct"] is None
        assert json.loads(kept["inverter"])["charge_w"] == 2000
        assert kept["site/import_per_kwh"] == "0.05"
        assert kept["site/import_next_per_kwh"] == "0.3"
        assert kept["site/command"] == "charge"
        assert "the price of 5p" in kept["site/reason"]

    async def test_only_what_changed_is_told_again(self, ear: Ear, site: TheSite) -> None:
        await ear.quiet()
        ear.heard.clear()
        site.tell(1)
        site.tell(31)
        await ear.until(lambda: f"{BASE}/site/import_per_kwh" in dict(ear.heard))
        await ear.quiet()
        assert f"{BASE}/inverter/charge_w" not in dict(ear.heard)

    async def test_a_silent_device_is_offline_and_has_no_values(
        self, ear: Ear, site: TheSite
    ) -> None:
        site.tell(1, trouble="no answer")
        await ear.topic(f"{BASE}/inverter/availability", "offline")
        await ear.topic(f"{BASE}/inverter/charge_w", "")
        site.tell(2)
        await ear.topic(f"{BASE}/inverter/availability", "online")
        await ear.topic(f"{BASE}/inverter/charge_w", "2000")

    async def test_what_an_earlier_run_left_is_taken_back(
        self, broker: Broker, site: TheSite
    ) -> None:
        async with an_ear(broker.port) as ear:
            for topic in ("shed", "shed/pv_w", "inverter/gone_w"):
                await ear.say(f"{BASE}/{topic}", "1", retain=True)
            await ear.say("ohmstead/elsewhere/shed", "1", retain=True)
            await ear.say(f"{BASE}/inverter/charge_w/set", "1", retain=True)
        async with told(site, broker.port), an_ear(broker.port) as ear:
            await online(ear)
            site.tell()
            await ear.topic(f"{BASE}/shed", "")
            await ear.until(lambda: f"{BASE}/site" in ear.kept)
        kept = await kept_at(broker)
        assert not [topic for topic in kept if topic.startswith("shed")]
        assert "inverter/gone_w" not in kept
        assert kept["inverter/charge_w/set"] == "1"
        async with an_ear(broker.port) as ear:
            await ear.topic("ohmstead/elsewhere/shed", "1")

    async def test_who_is_cut_off_is_declared_offline_by_the_broker(
        self, broker: Broker, site: TheSite
    ) -> None:
        async with told(site, broker.port, client_id="twin") as output, an_ear(broker.port) as ear:
            await online(ear)
            # Another client of the same name throws the first out: the broker speaks its will.
            async with aiomqtt.Client("127.0.0.1", broker.port, identifier="twin"):
                await ear.topic(f"{BASE}/availability", "offline")
            await online(ear)
            assert output is not None


class TestCommands:
    async def test_a_value_set_reaches_the_device_and_is_answered(
        self, ear: Ear, site: TheSite
    ) -> None:
        await ear.say(f"{BASE}/inverter/charge_w/set", "1500")
        answer = await ear.answer()
        assert answer["ok"] is True
        assert answer["outcome"] == "applied"
        assert answer["topic"] == f"{BASE}/inverter/charge_w/set"
        assert answer["wrote"] == {"charge_w": 1500}
        assert answer["said"] == "inverter: set charge_w to 1500: charge_w – -> 1500"
        assert asked(site) == [SettingChange(device="inverter", point="charge_w", value=1500)]
        assert site.asked[0].asked_by == "mqtt"

    @pytest.mark.parametrize(
        ("topic", "payload", "says"),
        [
            ("inverter/charge_w/set", "a lot", "'a lot' is not a number"),
            ("inverter/charge_w/set", b"\xff\xfe", "no text in UTF-8"),
            ("request", "{", "a request is JSON"),
        ],
    )
    async def test_what_cannot_be_understood_is_answered_and_not_swallowed(
        self, ear: Ear, topic: str, payload: str | bytes, says: str
    ) -> None:
        await ear.say(f"{BASE}/{topic}", payload)
        answer = await ear.answer()
        assert answer["ok"] is False
        assert says in answer["why"]

    @pytest.mark.parametrize("ending", [Refused, Failed])
    async def test_what_the_device_says_is_passed_on(
        self, ear: Ear, site: TheSite, ending: type[Refused | Failed]
    ) -> None:
        site.ends_with = ending
        await ear.say(f"{BASE}/inverter/charge_on/set", "on")
        answer = await ear.answer()
        assert answer["outcome"] == ending.__name__.lower()
        assert (answer["ok"], answer["why"]) == (False, "the line is dead")

    async def test_a_retained_command_is_not_carried_out(
        self, broker: Broker, site: TheSite
    ) -> None:
        async with an_ear(broker.port) as ear:
            await ear.say(f"{BASE}/inverter/charge_w/set", "1500", retain=True)
            async with told(site, broker.port):
                answer = await ear.answer()
        assert "it was retained" in answer["why"]
        assert site.asked == []

    async def test_a_moment_with_its_zone_is_taken_to_the_houses_clock(
        self, ear: Ear, site: TheSite
    ) -> None:
        await ear.say(f"{BASE}/inverter/clock/set", "2026-06-21T12:00:00Z")
        await ear.answer()
        await ear.say(f"{BASE}/inverter/clock/set", "2026-06-21T12:00:00")
        await ear.answer(2)
        assert [str(want.value) for want in asked(site)] == [
            "2026-06-21 13:00:00",
            "2026-06-21 12:00:00",
        ]

    async def test_a_value_by_request(self, ear: Ear, site: TheSite) -> None:
        wanted = {"device": "inverter", "point": "charge_on", "value": True, "why": "a test"}
        await ear.say(f"{BASE}/request", json.dumps(wanted))
        assert (await ear.answer())["outcome"] == "applied"
        assert site.asked[0].why == "a test"


class TestRequests:
    async def test_a_mode_is_asked_for_and_cancelled(self, ear: Ear, site: TheSite) -> None:
        wish = {"mode": "charge", "minutes": 30, "power_w": 2000, "soc_pct": 80, "id": "mine"}
        await ear.say(f"{BASE}/request", json.dumps(wish))
        answer = await ear.answer()
        assert (answer["outcome"], answer["id"], answer["ok"]) == ("accepted", "mine", True)
        (held,) = site.requests()
        assert isinstance(held.want, BatteryCommand)
        assert (held.want.mode, held.want.power_w) == (BatteryMode.CHARGE, 2000)
        await ear.say(f"{BASE}/request", '{"cancel": "mine"}')
        answer = await ear.answer(2)
        assert (answer["outcome"], answer["cancelled"]) == ("cancelled", ["mine"])
        assert site.requests() == ()

    async def test_the_same_id_is_done_once_and_answered_twice(
        self, ear: Ear, site: TheSite
    ) -> None:
        wish = json.dumps({"mode": "charge", "minutes": 30, "id": "mine"})
        await ear.say(f"{BASE}/request", wish)
        first = await ear.answer(1)
        await ear.say(f"{BASE}/request", wish)
        assert await ear.answer(2) == first
        assert len(site.asked) == 1

    async def test_everything_is_cancelled_at_once(self, ear: Ear, site: TheSite) -> None:
        for mode in ("charge", "hold"):
            await ear.say(f"{BASE}/request", json.dumps({"mode": mode, "minutes": 30}))
        await ear.say(f"{BASE}/request", '{"cancel": "all"}')
        assert len((await ear.answer(3))["cancelled"]) == 2
        assert site.requests() == ()

    async def test_the_houses_controls_ask_for_the_set_time(self, ear: Ear, site: TheSite) -> None:
        await ear.say(f"{BASE}/site/duration_min/set", "30")
        await ear.topic(f"{BASE}/site/duration_min", "30")
        await ear.say(f"{BASE}/site/force_charge/set", "on")
        await ear.answer(2)
        await ear.say(f"{BASE}/site/mode/set", "hold")
        await ear.answer(3)
        (held,) = site.requests()
        assert isinstance(held.want, BatteryCommand)
        assert held.want.mode is BatteryMode.HOLD
        assert held.until is not None
        assert (held.until - held.made_at).total_seconds() == 1800
        await ear.say(f"{BASE}/site/mode/set", "automatic")
        assert (await ear.answer(4))["outcome"] == "cancelled"
        assert site.requests() == ()
        await ear.say(f"{BASE}/site/force_discharge/set", "on")
        await ear.say(f"{BASE}/site/cancel/set", "on")
        await ear.say(f"{BASE}/site/cancel/set", "on")
        assert (await ear.answer(7))["said"] == "nothing was asked for"

    async def test_the_duration_outlives_a_restart(self, broker: Broker, site: TheSite) -> None:
        async with told(site, broker.port), an_ear(broker.port) as ear:
            await online(ear)
            site.tell()
            await ear.say(f"{BASE}/site/duration_min/set", "90")
            await ear.topic(f"{BASE}/site/duration_min", "90")
        async with told(site, broker.port), an_ear(broker.port) as ear:
            await online(ear)
            site.tell()
            await ear.until(lambda: (f"{BASE}/site/mode", "automatic") in ear.heard)
            await ear.quiet()
            assert ear.kept[f"{BASE}/site/duration_min"] == "90"


async def online(ear: Ear) -> None:
    await ear.topic(f"{BASE}/availability", "online")


async def kept_at(broker: Broker) -> dict[str, str]:
    """Return what the broker keeps of the site, by the rest of its topic."""
    async with an_ear(broker.port) as late:
        await late.quiet()
        return {
            topic.removeprefix(f"{BASE}/"): payload
            for topic, payload in late.kept.items()
            if topic.startswith(f"{BASE}/")
        }


def asked(site: ASite) -> list[SettingChange]:
    return [r.want for r in site.asked if isinstance(r.want, SettingChange)]
