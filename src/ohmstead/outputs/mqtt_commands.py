"""What comes in by MQTT: every message is answered, whatever it says."""

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import tzinfo
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ohmstead.clock import Clock
from ohmstead.errors import NotWritable, OhmsteadError, RequestError
from ohmstead.model import (
    Applied,
    BatteryCommand,
    BatteryMode,
    CommandResult,
    Point,
    Refused,
    Request,
    SettingChange,
    Value,
    Wish,
)
from ohmstead.outputs.describe import describe, name_of
from ohmstead.outputs.mqtt_payload import as_json, local_instant, plain
from ohmstead.outputs.mqtt_site import AUTOMATIC, SITE_POINTS
from ohmstead.outputs.mqtt_topics import SITE, Topics
from ohmstead.ports import SitePort

__all__ = ["ASKED_BY", "Desk", "Incoming", "SiteControl"]

log = logging.getLogger(__name__)

ASKED_BY: Final = "mqtt"
Answer = dict[str, object]

_LONGEST: Final = 16_384
_REMEMBERED: Final = 200
_LONGEST_ID: Final = 64
_BAD: Final = ("refused", "failed")

_wish: Final = TypeAdapter(Wish)
_WORDS: Final = tuple(f.name for f in fields(Wish))


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteControl:
    """What Home Assistant's controls of the house are set to."""

    duration_min: float = 60
    """How long a mode that is asked for by hand shall hold."""


class Desk:
    """Takes messages in, puts what they ask to the site, and answers each once."""

    def __init__(
        self,
        site: SitePort,
        topics: Topics,
        timezone: tzinfo,
        clock: Clock,
        say: Callable[[str], None],
        control: SiteControl | None = None,
    ) -> None:
        """Put commands to *site*, and give every answer, as JSON, to *say*."""
        self._site = site
        self._topics = topics
        self._timezone = timezone
        self._clock = clock
        self._say = say
        self._answers: dict[str, Answer | None] = {}
        self.control = control or SiteControl()

    async def handle(self, message: Incoming) -> None:
        """Carry out what *message* asks, and say how it ended."""
        base: Answer = {"topic": message.topic}
        try:
            answer = await self._answer(message)
        except (NotWritable, RequestError) as exc:
            answer = _refusal(exc)
        except OhmsteadError as exc:
            answer = {"outcome": "failed", "why": str(exc), "said": f"failed: {exc}"}
        if answer is None:
            return
        answer = {**base, **answer, "ok": answer["outcome"] not in _BAD}
        if isinstance(key := answer.get("id"), str) and key in self._answers:
            self._answers[key] = answer
        log.log(logging.INFO if answer["ok"] else logging.WARNING, "%(topic)s: %(said)s", answer)
        self._say(as_json(answer))

    async def _answer(self, message: Incoming) -> Answer | None:
        inbound = self._topics.inbound(message.topic)
        if inbound is None:
            return None  # nothing we listen to: some brokers send it all the same
        if message.retained:
            raise RequestError("it was retained, so nobody knows how old it is; send it without")
        text = _text(message.payload)
        if inbound.device is None or inbound.point is None:
            return await self._request(text)
        place: Answer = {"device": inbound.device, "point": inbound.point}
        try:
            if inbound.device == SITE:
                return place | await self._set_site(inbound.point, text)
            return place | await self._change(inbound.device, inbound.point, text, "")
        except (NotWritable, RequestError) as exc:
            return place | _refusal(exc)

    # ---- one value ------------------------------------------------------------------

    async def _change(
        self, device: str, key: str, given: Value, why: str, request_id: str | None = None
    ) -> Answer:
        point = self._point(device, key)
        if isinstance(given, str):
            given = local_instant(point, given, self._timezone)
        value = point.check(given)
        request = Request(
            id=request_id or secrets.token_hex(4),
            asked_by=ASKED_BY,
            made_at=self._clock.now(),
            want=SettingChange(device=device, point=key, value=value),
            why=why,
        )
        result = await self._site.ask(request)
        assert result is not None  # noqa: S101 - a change of a setting always has an end
        return self._outcome(result)

    def _outcome(self, result: CommandResult) -> Answer:
        wrote = () if isinstance(result, Refused) else result.wrote
        return {
            "outcome": type(result).__name__.lower(),
            "device": result.device,
            "why": "" if isinstance(result, Applied) else result.why,
            "wrote": {write.point: plain(write.new, self._timezone) for write in wrote},
            "said": describe(result),
        }

    def _point(self, device: str, key: str) -> Point:
        if device not in self._site.devices:
            known = ", ".join(self._site.devices) or "none"
            raise RequestError(f"there is no device {device}; there is {known}")
        points = self._site.devices[device].points
        if key not in points:
            raise RequestError(f"{device} has no point {key}")
        return points[key]

    # ---- requests -------------------------------------------------------------------

    async def _request(self, text: str) -> Answer | None:
        """Answer a JSON request: a mode of the battery, a value of a point, or a cancellation.

        What has the id of an earlier request is that request, sent again: it gets the same
        answer, or none while the first is still being done.
        """
        given = _object(text)
        key = _id(given.pop("id", None))
        if key in self._answers:
            return self._answers[key]
        named: Answer = {}
        if key is not None:
            named["id"] = key
            self._answers[key] = None
            while len(self._answers) > _REMEMBERED:
                del self._answers[next(iter(self._answers))]
        try:
            if "cancel" in given:
                return named | self._cancel(given)
            if "point" in given or "device" in given:
                return named | await self._change_as_asked(given, key)
            return named | await self._ask(_checked_wish(given), key)
        except (NotWritable, RequestError) as exc:
            return named | _refusal(exc)

    async def _change_as_asked(self, given: dict[str, Any], key: str | None) -> Answer:
        device, point = given.pop("device", None), given.pop("point", None)
        value, why = given.pop("value", None), given.pop("why", "")
        if given:
            raise RequestError(f"unknown key {next(iter(given))}")
        if not all(isinstance(text, str) for text in (device, point, why)):
            raise RequestError("say device, point and value; device, point and why are texts")
        if not isinstance(value, bool | int | float | str):
            raise RequestError("value is a number, a text, true or false")
        place: Answer = {"device": device, "point": point}
        return place | await self._change(device, point, value, why, key)

    async def _ask(self, wish: Wish, key: str | None = None) -> Answer:
        request = wish.request(key or secrets.token_hex(4), ASKED_BY, self._clock.now())
        await self._site.ask(request)
        assert isinstance(request.want, BatteryCommand)  # noqa: S101 - a wish is for the battery
        assert request.until is not None  # noqa: S101 - and has an end
        until = plain(request.until, self._timezone)
        local = f"{request.until.astimezone(self._timezone):%H:%M}"
        return {
            "outcome": "accepted",
            "id": request.id,
            "until": until,
            "why": "",
            "said": f"{name_of(request.want)} until {local} holds from the next decision on",
        }

    def _cancel(self, given: dict[str, Any]) -> Answer:
        which = given.pop("cancel")
        if given or not isinstance(which, str):
            raise RequestError('cancel stands alone: {"cancel": "<id>"} or {"cancel": "all"}')
        return self._cancelled([r.id for r in self._site.requests()] if which == "all" else [which])

    def _cancelled(self, ids: list[str]) -> Answer:
        for request_id in ids:
            self._site.cancel(request_id)
        said = f"cancelled {', '.join(ids)}" if ids else "nothing was asked for"
        return {"outcome": "cancelled", "cancelled": ids, "why": "", "said": said}

    # ---- the house's own controls ---------------------------------------------------

    async def _set_site(self, key: str, text: str) -> Answer:
        if key not in SITE_POINTS:
            raise RequestError(f"the site has no point {key}")
        value = SITE_POINTS[key].check(text)
        match key:
            case "duration_min":
                self.control = replace(self.control, duration_min=float(str(value)))
                return {"outcome": "applied", "why": "", "said": f"{value:g} minutes"}
            case "mode" if value != AUTOMATIC:
                return await self._ask_by_hand(BatteryMode(str(value)))
            case "force_charge":
                return await self._ask_by_hand(BatteryMode.CHARGE)
            case "force_discharge":
                return await self._ask_by_hand(BatteryMode.DISCHARGE)
            case _:
                return self._cancelled([r.id for r in self._site.requests()])

    async def _ask_by_hand(self, mode: BatteryMode) -> Answer:
        """Let the battery do *mode* for the set time; what was asked by hand before ends."""
        for request in self._site.requests():
            if request.asked_by == ASKED_BY:
                self._site.cancel(request.id)
        return await self._ask(Wish(mode=mode, minutes=self.control.duration_min))


def _refusal(exc: OhmsteadError) -> Answer:
    return {"outcome": "refused", "why": str(exc), "said": f"nothing was done: {exc}"}


def _text(payload: bytes) -> str:
    if len(payload) > _LONGEST:
        raise RequestError(f"it is longer than {_LONGEST} bytes")
    try:
        return payload.decode()
    except UnicodeDecodeError as exc:
        raise RequestError("it is no text in UTF-8") from exc


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise RequestError('a request is JSON, like {"mode": "charge", "minutes": 60}') from exc
    if not isinstance(given, dict):
        raise RequestError('a request is an object, like {"mode": "charge", "minutes": 60}')
    return given


def _id(given: object) -> str | None:
    if given is None or (isinstance(given, str) and 0 < len(given) <= _LONGEST_ID):
        return given
    raise RequestError(f"id is a text of 1 to {_LONGEST_ID} characters")


def _checked_wish(given: dict[str, Any]) -> Wish:
    for key in given:
        if key not in _WORDS:
            raise RequestError(f"unknown key {key}; there is {', '.join(_WORDS)}")
    try:
        return _wish.validate_python(given)
    except ValidationError as exc:
        problems = (
            f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
            for error in exc.errors(include_url=False, include_input=False)
        )
        raise RequestError("; ".join(problem.removeprefix(": ") for problem in problems)) from exc
