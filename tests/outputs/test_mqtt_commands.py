"""Whatever comes in is answered, once, with what was done or the reason why not."""

import json
from typing import Any

import pytest

from houses import LONDON, NOON
from ohmstead.clock import ManualClock
from ohmstead.errors import JournalError, RequestError
from ohmstead.model import CommandResult, Request
from ohmstead.outputs.mqtt_commands import Desk, Incoming
from ohmstead.outputs.mqtt_topics import Topics
from web_site import ASite

BASE = "ohmstead/home"


@pytest.mark.parametrize(
    ("topic", "payload", "says"),
    [
        ("inverter/charge_w/set", "a lot", "'a lot' is not a number"),
        ("inverter/charge_w/set", "9000", "9000 is outside 0 to 5000"),
        ("inverter/charge_w/set", "", "'' is not a number"),
        ("inverter/charge_w/set", b"\xff\xfe", "no text in UTF-8"),
        ("inverter/charge_w/set", "1" * 20_000, "longer than 16384 bytes"),
        ("inverter/battery_soc_pct/set", "5", "can only be read"),
        ("inverter/nothing/set", "5", "inverter has no point nothing"),
        ("shed/charge_w/set", "5", "there is no device shed; there is inverter"),
        ("inverter/starts/set", "25:00", "not a time of day"),
        ("inverter/clock/set", "9999-12-31T23:59:59-12:00", "not a local date and time"),
        ("inverter/mode/set", "turbo", "none of eco, boost"),
        ("site/nothing/set", "5", "the site has no point nothing"),
        ("site/mode/set", "turbo", "none of automatic"),
        ("site/duration_min/set", "0", "outside 5 to 1440"),
        ("request", "{", "a request is JSON"),
        ("request", "[1]", "a request is an object"),
        ("request", "[" * 5000, "a request is JSON"),
        ("request", '{"mode": "charge"}', "either minutes or until"),
        ("request", '{"mode": "turbo", "minutes": 5}', "mode"),
        ("request", '{"mode": "charge", "minutes": -5}', "minutes is more than 0"),
        ("request", '{"mode": "charge", "minute": 5}', "unknown key minute"),
        ("request", '{"minutes": 5}', "mode"),
        ("request", '{"cancel": "x"}', "no request x holds now"),
        ("request", '{"cancel": 5}', "cancel stands alone"),
        ("request", '{"id": 5}', "id is a text"),
        ("request", '{"device": "inverter", "point": "charge_w"}', "value is a number"),
        ("request", '{"device": "inverter", "value": 5}', "say device, point and value"),
        ("request", '{"device": "a", "point": "b", "value": 1, "x": 1}', "unknown key x"),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_answered_with_the_reason(
    topic: str, payload: str | bytes, says: str
) -> None:
    site = ASite()
    answer = await answered(site, topic, payload)
    assert answer["ok"] is False
    assert answer["outcome"] == "refused"
    assert answer["topic"] == f"{BASE}/{topic}"
    assert says in answer["why"]
    assert says in answer["said"]
    assert site.asked == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(RequestError("100 requests hold already"), "refused"), (JournalError("full"), "failed")],
)
async def test_what_the_site_refuses_is_answered(error: Exception, outcome: str) -> None:
    class Broken(ASite):
        async def ask(self, request: Request) -> CommandResult | None:
            raise error from Exception(request.id)

    answer = await answered(Broken(), "inverter/charge_w/set", "5")
    assert (answer["ok"], answer["outcome"], answer["why"]) == (False, outcome, str(error))


async def test_a_request_is_answered_with_its_id_even_when_it_is_refused() -> None:
    answer = await answered(ASite(), "request", '{"id": "mine", "mode": "charge"}')
    assert (answer["id"], answer["ok"]) == ("mine", False)


async def test_what_is_sent_again_while_it_is_being_done_waits_for_the_one_answer() -> None:
    said: list[dict[str, Any]] = []

    class Slow(ASite):
        async def ask(self, request: Request) -> CommandResult | None:
            await desk.handle(message)
            return await super().ask(request)

    desk = a_desk(Slow(), said)
    change = {"device": "inverter", "point": "charge_w", "value": 5, "id": "mine"}
    message = Incoming(f"{BASE}/request", json.dumps(change).encode())
    await desk.handle(message)
    assert [answer["id"] for answer in said] == ["mine"]


async def test_only_the_last_ids_are_remembered() -> None:
    said: list[dict[str, Any]] = []
    desk = a_desk(ASite(), said)
    for number in (*range(201), 0):
        wish = {"mode": "hold", "minutes": 1, "id": str(number)}
        await desk.handle(Incoming(f"{BASE}/request", json.dumps(wish).encode()))
    assert said[-1]["why"] == "100 requests hold already; cancel some first"


@pytest.mark.parametrize("topic", ["ohmstead/home/result", "ohmstead/there/a/b/set", "a/b/set"])
async def test_what_is_none_of_ours_is_not_even_answered(topic: str) -> None:
    said: list[dict[str, Any]] = []
    await a_desk(ASite(), said).handle(Incoming(topic, b"5"))
    assert said == []


async def answered(site: ASite, topic: str, payload: str | bytes) -> dict[str, Any]:
    said: list[dict[str, Any]] = []
    given = payload.encode() if isinstance(payload, str) else payload
    await a_desk(site, said).handle(Incoming(f"{BASE}/{topic}", given))
    (answer,) = said
    return answer


def a_desk(site: ASite, said: list[dict[str, Any]]) -> Desk:
    return Desk(
        site,
        Topics("ohmstead", "home"),
        LONDON,
        ManualClock(NOON),
        lambda answer: said.append(json.loads(answer)),
    )
