"""Octopus' GraphQL without Octopus: hour-long tokens, dispatches that come and go, events.

It knows the handful of fields that are asked for here, and refuses others in the server's words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ohmstead.clock import Clock

__all__ = ["OctopusGraphqlSimulator", "SimulatedDispatch", "SimulatedEvent"]

_WORD: Final = re.compile(r"[{}()]|\w+")
_TOKEN_HOLDS: Final = timedelta(hours=1)
_COMPLETED_AFTER: Final = timedelta(minutes=5)


@dataclass(slots=True, kw_only=True)
class SimulatedDispatch:
    """A time in which the car is to be charged."""

    start: datetime
    end: datetime
    kwh: float = 3.5
    kind: str = "SMART"
    """SMART, BOOST or TEST."""


@dataclass(slots=True, kw_only=True)
class SimulatedEvent:
    """A saving session, or hours of free electricity."""

    start: datetime
    end: datetime
    points: int | None = None
    """What a kWh earns; None where the schema does not say."""
    joined: bool | None = True


class OctopusGraphqlSimulator:
    """One account with one car."""

    ACCOUNT: Final = "A-AAAA1111"
    DEVICE: Final = "00000000-0000-4000-8000-000000000001"
    FAULTS = (
        "bad_key", "bad_token", "too_many_questions", "no_plans", "null_plans", "odd_times",
        "no_devices", "no_flex", "no_sessions", "no_data",
    )  # fmt: skip

    def __init__(self, clock: Clock, key: str) -> None:
        """Know the account by *key*."""
        self.clock = clock
        self.planned: list[SimulatedDispatch] = []
        """What is to come. What ends becomes completed a few minutes later."""
        self.sessions: list[SimulatedEvent] = []
        self.free: list[SimulatedEvent] = []
        self.state = "SMART_CONTROL_CAPABLE"
        self.faults: set[str] = set()
        self.asked: list[str] = []
        """The first field of every question, for tests."""
        self._key = key
        self._tokens: dict[str, datetime] = {}

    async def answer(self, request: Request) -> Response:
        """Answer one question, with status 200 also where it is refused."""
        given = await request.json()
        query, variables = str(given["query"]), given.get("variables") or {}
        if "too_many_questions" in self.faults:
            return _refusal("KT-CT-1199", "Too many requests.")
        if "obtainKrakenToken" in query:
            self.asked.append("obtainKrakenToken")
            return self._token(variables)
        fields = [name for name in _fields(query) if name in self._answers(variables)]
        self.asked.append(fields[0] if fields else "?")
        if not self._welcome(request.headers.get("Authorization", "")):
            return _refusal("KT-CT-1139", "Signature of the JWT has expired.")
        if variables.get("account") != self.ACCOUNT:
            return _refusal("KT-CT-1111", "Unauthorized.")
        return self._data(fields, variables)

    # ---- how it is done -------------------------------------------------------------

    def _answers(self, variables: Mapping[str, Any]) -> Mapping[str, Callable[[], Any]]:
        return {
            "flexPlannedDispatches": self._flex_planned,
            "plannedDispatches": self._planned,
            "completedDispatches": self._completed,
            "devices": self._devices,
            "account": lambda: {"electricityAgreements": self._meters()},
            "savingSessions": self._saving_sessions,
            "customerFlexibilityCampaignEvents": lambda: self._campaign(variables.get("slug")),
        }

    def _data(self, fields: list[str], variables: Mapping[str, Any]) -> Response:
        gone = {"no_flex": "flexPlannedDispatches", "no_sessions": "savingSessions"}
        for fault, name in gone.items():
            if fault in self.faults and name in fields:
                message = f"Cannot query field '{name}' on type 'Query'."
                return JSONResponse({"errors": [{"message": message}]}, 400)
        if "no_data" in self.faults:
            return _refusal("KT-CT-7899", "Sorry, something went wrong.")
        answers = self._answers(variables)
        data: dict[str, Any] = {name: answers[name]() for name in fields}
        answer: dict[str, Any] = {"data": data}
        if self.faults & {"no_plans", "null_plans"}:
            data |= {name: None for name in data if name.lower().endswith("planneddispatches")}
            code = "KT-CT-4340" if "no_plans" in self.faults else "KT-CT-7899"
            answer["errors"] = [_error(code, "Unable to fetch planned dispatches.")]
        return JSONResponse(answer)

    def _token(self, variables: Mapping[str, Any]) -> Response:
        if "bad_key" in self.faults or variables.get("key") != self._key:
            return _refusal("KT-CT-1139", "Authentication failed.")
        token = f"token{len(self._tokens)}"
        self._tokens[token] = self.clock.now() + _TOKEN_HOLDS
        return JSONResponse({"data": {"obtainKrakenToken": {"token": token}}})

    def _welcome(self, authorization: str) -> bool:
        until = self._tokens.get(authorization.removeprefix("JWT "))
        return "bad_token" not in self.faults and until is not None and self.clock.now() < until

    def _devices(self) -> list[Any]:
        return (
            []
            if "no_devices" in self.faults
            else [{"id": self.DEVICE, "status": {"currentState": self.state}}]
        )

    def _to_come(self) -> list[SimulatedDispatch]:
        return [d for d in self.planned if d.end > self.clock.now()]

    def _flex_planned(self) -> list[Any]:
        return [
            {"start": self._time(d.start), "end": self._time(d.end), "type": d.kind,
             "energyAddedKwh": -d.kwh}
            for d in self._to_come()
        ]  # fmt: skip

    def _planned(self) -> list[Any]:
        return [
            {"start": self._time(d.start), "end": self._time(d.end), "delta": f"{-d.kwh}",
             "meta": {"source": _source(d), "location": None}}
            for d in self._to_come()
        ]  # fmt: skip

    def _completed(self) -> list[Any]:
        done = [d for d in self.planned if d.end + _COMPLETED_AFTER <= self.clock.now()]
        return [
            {"start": self._time(d.start), "end": self._time(d.end), "delta": f"{-d.kwh}",
             "meta": {"source": _source(d), "location": "AT_HOME"}}
            for d in done
        ]  # fmt: skip

    def _meters(self) -> list[Any]:
        return [
            {"meterPoint": {"mpan": "1000000000001", "direction": "EXPORT"}},
            {"meterPoint": {"mpan": "1000000000000", "direction": "IMPORT"}},
        ]

    def _saving_sessions(self) -> Any:  # noqa: ANN401 - JSON
        events = [
            {"id": n, "code": f"EVENT_{n}", "rewardPerKwhInOctoPoints": event.points,
             "startAt": event.start.isoformat(), "endAt": event.end.isoformat()}
            for n, event in enumerate(self.sessions)
        ]  # fmt: skip
        joined = [
            {"eventId": row["id"], "startAt": row["startAt"], "endAt": row["endAt"]}
            for row, event in zip(events, self.sessions, strict=True)
            if event.joined
        ]
        account = {"hasJoinedCampaign": True, "joinedEvents": joined}
        return {"events": events, "account": account}

    def _campaign(self, slug: str | None) -> Any:  # noqa: ANN401 - JSON
        events = {"free_electricity": self.free, "octoplus-saving-sessions": self.sessions}
        nodes = [
            {"code": f"EVENT_{n}", "startAt": event.start.isoformat(),
             "endAt": event.end.isoformat(), "isEventParticipant": event.joined}
            for n, event in enumerate(events.get(str(slug), ()))
        ]  # fmt: skip
        return {"edges": [{"node": node} for node in nodes]}

    def _time(self, moment: datetime) -> str:
        return f"{moment:%H:%M}" if "odd_times" in self.faults else moment.isoformat()


def _fields(query: str) -> list[str]:
    """Return the outermost fields of *query*, without their arguments and what lies in them."""
    found, braces, brackets = list[str](), 0, 0
    for word in _WORD.findall(query):
        braces += (word == "{") - (word == "}")
        brackets += (word == "(") - (word == ")")
        if word not in "{}()" and (braces, brackets) == (1, 0):
            found.append(word)
    return found


def _source(dispatch: SimulatedDispatch) -> str:
    return "smart-charge" if dispatch.kind == "SMART" else "bump-charge"


def _error(code: str, message: str) -> Mapping[str, Any]:
    return {
        "message": message,
        "extensions": {"errorType": "AUTHORIZATION", "errorCode": code, "errorDescription": ""},
    }


def _refusal(code: str, message: str) -> Response:
    return JSONResponse({"data": None, "errors": [_error(code, message)]})
