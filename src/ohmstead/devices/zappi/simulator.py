"""A zappi and its hub without either: the real paths, shapes and digest, with a house behind.

The hub's serial number is 10000000, its password ``simulated``, the zappi's serial number
10077777. The car is one of 50 kWh that takes 7 kW; plug it in with ``plug_in``.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from urllib.request import parse_http_list, parse_keqv_list

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.http_server import listening
from ohmstead.simulation import House

__all__ = ["ZappiSimulator"]

_REALM: Final = "MyEnergi Telemetry"
_FAST_W: Final = 7_000.0
_LEAST_W: Final = 1_400.0
_FAST, _ECO, _ECO_PLUS, _STOP = 1, 2, 3, 4
_PAUSED, _CHARGING, _BOOSTING, _COMPLETE = 1, 3, 4, 5
_TAKEN, _FAILED = 254, 253
_INVALID: Final = -14
_SLOW_S: Final = 30.0
_MODE: Final = re.compile(r"cgi-zappi-mode-Z(\d+)-(\d+)-(\d+)-(\d+)-(\d{4})")
_GREEN: Final = re.compile(r"cgi-set-min-green-Z(\d+)-(\d+)")


class ZappiSimulator:
    """One hub with one zappi."""

    MODELS: Final = ("zappi",)
    FAULTS: Final = (
        "bad_password", "command_failed", "deaf", "down", "garbage", "moved", "no_zappi",
        "other_zappi", "silent", "slow", "stale",
    )  # fmt: skip
    HUB: Final = "10000000"
    PASSWORD: Final = "simulated"  # noqa: S105 - opens nothing but this
    SERIAL: Final = "10077777"

    def __init__(
        self, house: House, clock: Clock, timezone: tzinfo, *, model: str = "zappi"
    ) -> None:
        """Stand beside *house*, on the grid's side of its battery's meter."""
        del timezone, model  # it tells UTC, and there is one model
        self.house = house
        self.clock = clock
        self.faults: set[str] = set()
        """Any of ``FAULTS``; may be changed while it runs."""
        self.asked: list[str] = []
        """Every path that was asked for by somebody who knew the password, for tests."""
        self.mode = _ECO_PLUS
        self.min_green_pct = 100
        self.boost_kwh = self.smart_boost_kwh = 0
        self.ready = (7, 0)
        self.plugged = False
        self.wanted_kwh = 0.0
        """What the car still takes."""
        self.session_kwh = 0.0
        self._seen = clock.now()
        self._told: datetime | None = None
        self._command = 255
        self._nonces: set[str] = set()
        self._asn = ""

    @property
    def car_w(self) -> float:
        """What goes into the car now."""
        if not self.plugged or self.wanted_kwh <= 0:
            return 0.0
        surplus_w = max(-self.house.grid_w, 0.0)
        if self.boost_kwh or self.smart_boost_kwh or self.mode == _FAST:
            return _FAST_W
        if self.mode == _ECO:
            return min(max(surplus_w, _LEAST_W), _FAST_W)
        if self.mode == _ECO_PLUS and surplus_w >= _LEAST_W:
            return min(surplus_w, _FAST_W)
        return 0.0

    def plug_in(self, wanted_kwh: float = 20.0) -> None:
        """Let a car come that takes so much."""
        self.plugged, self.wanted_kwh, self.session_kwh = True, wanted_kwh, 0.0

    def unplug(self) -> None:
        """Let the car drive away."""
        self.plugged, self.wanted_kwh, self.boost_kwh = False, 0.0, 0

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Answer on *host* for as long as the block lasts; yields the port."""
        routes = [Route("/{path:path}", self._answer)]
        async with listening(Starlette(routes=routes), host, port) as bound:
            self._asn = f"localhost:{bound}" if "moved" in self.faults else f"{host}:{bound}"
            yield bound

    # ---- what it answers ------------------------------------------------------------

    async def _answer(self, request: Request) -> Response:
        refusals: dict[str, Callable[[], Response]] = {
            "down": lambda: PlainTextResponse("upstream connect error", 503),
            "garbage": lambda: HTMLResponse("<!doctype html>maintenance"),
        }
        for fault, refusal in refusals.items():
            if fault in self.faults:
                return refusal()
        if "slow" in self.faults:
            await asyncio.sleep(_SLOW_S)
        answer = self._told_to(request)
        answer.headers["x_myenergi-asn"] = self._asn
        return answer

    def _told_to(self, request: Request) -> Response:
        if not self._welcome(request):
            nonce = hashlib.sha256(f"{len(self._nonces)}".encode()).hexdigest()[:16]
            self._nonces.add(nonce)
            challenge = f'Digest realm="{_REALM}", qop="auth", nonce="{nonce}", algorithm=MD5'
            return PlainTextResponse("", 401, {"WWW-Authenticate": challenge})
        path = request.path_params["path"]
        self.asked.append(path)
        if "moved" in self.faults and request.headers["host"] != self._asn:
            return PlainTextResponse("", 404)
        self._live()
        return self._page(path)

    def _page(self, path: str) -> Response:
        if path in {"cgi-jstatus-Z", f"cgi-jstatus-Z{self.SERIAL}"}:
            return JSONResponse({"zappi": self._zappis()})
        if path == "cgi-jstatus-*":
            others: list[Any] = [{"eddi": []}, {"zappi": self._zappis()}, {"harvi": []}]
            return JSONResponse([*others, {"asn": self._asn, "fwv": "3401S3077"}])
        if command := _MODE.fullmatch(path):
            serial, mode, boost, kwh, ready = command.groups()
            return self._command_to(serial, lambda: self._obey(int(mode), int(boost), kwh, ready))
        if command := _GREEN.fullmatch(path):
            self.min_green_pct = int(command[2])
            return JSONResponse({"mgl": self.min_green_pct})
        return JSONResponse({"status": _INVALID, "statustext": ""})

    def _command_to(self, serial: str, obey: Callable[[], None]) -> Response:
        if serial != self.SERIAL:
            return JSONResponse({"status": _INVALID, "statustext": ""})
        self._command = _FAILED if "command_failed" in self.faults else _TAKEN
        if not self.faults & {"command_failed", "deaf"}:
            obey()
        if "silent" in self.faults:
            return PlainTextResponse("", 504)
        return JSONResponse({"status": 0, "statustext": ""})

    def _obey(self, mode: int, boost: int, kwh: str, ready: str) -> None:
        if mode:
            self.mode = mode
            return
        manual, smart, stop = boost == 10, boost == 11, boost == 2  # noqa: PLR2004 - as on the wire
        if stop or manual:
            self.boost_kwh, self.smart_boost_kwh = int(kwh) if manual else 0, 0
        elif smart:
            self.boost_kwh, self.smart_boost_kwh = 0, int(kwh)
            self.ready = int(ready[:2]), int(ready[2:])

    def _zappis(self) -> list[Any]:
        if "no_zappi" in self.faults:
            return []
        own = self._status()
        return [own, own | {"sno": 10088888}] if "other_zappi" in self.faults else [own]

    def _status(self) -> dict[str, Any]:
        """Return the zappi's own words; what is zero is left out, as it does."""
        if self._told is None or "stale" not in self.faults:
            self._told = self.clock.now()
        told, car_w = self._told.astimezone(UTC), self.car_w
        grid_w = self.house.grid_w + car_w
        said = {
            "sno": int(self.SERIAL), "dat": f"{told:%d-%m-%Y}", "tim": f"{told:%H:%M:%S}",
            "dst": 1, "tz": 0, "sta": self._sta(car_w), "pst": self._pst(car_w), "zmo": self.mode,
            "div": round(car_w), "che": round(self.session_kwh, 2), "gen": round(self.house.pv_w),
            "grd": round(grid_w), "ectp1": round(car_w), "ectt1": "Internal Load",
            "ectp2": round(grid_w), "ectt2": "Grid", "ectp3": round(self.house.pv_w),
            "ectt3": "Generation", **{f"ectt{n}": "None" for n in (4, 5, 6)},
            "vol": 2402, "frq": 50.01, "pha": 1, "pri": 1, "lck": 16, "cmt": self._command,
            "mgl": self.min_green_pct, "tbk": self.boost_kwh or 5, "bsm": int(self.boost_kwh > 0),
            "bss": int(self.smart_boost_kwh > 0), "sbk": self.smart_boost_kwh or 5,
            "sbh": self.ready[0], "sbm": self.ready[1], "fwv": "3560S5.039",
        }  # fmt: skip
        return {key: value for key, value in said.items() if value != 0}

    # ---- how it is done -------------------------------------------------------------

    def _sta(self, car_w: float) -> int:
        if car_w:
            return _BOOSTING if self.boost_kwh or self.smart_boost_kwh else _CHARGING
        return _COMPLETE if self.plugged and self.wanted_kwh <= 0 else _PAUSED

    def _pst(self, car_w: float) -> str:
        if not self.plugged:
            return "A"
        return "C2" if car_w else "B1"

    def _live(self) -> None:
        """Let the house and the car live until now."""
        now = self.clock.now()
        hours = max((now - self._seen).total_seconds(), 0.0) / 3_600
        kwh = min(self.car_w * hours / 1_000, self.wanted_kwh)
        self.session_kwh += kwh
        self.wanted_kwh -= kwh
        self._seen = now
        self.house.advance(now)
        for boost in ("boost_kwh", "smart_boost_kwh"):
            if getattr(self, boost) and self.session_kwh >= getattr(self, boost):
                setattr(self, boost, 0)

    def _welcome(self, request: Request) -> bool:
        """Tell whether the request carries a digest of the password for a nonce of ours."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "digest" or "bad_password" in self.faults:
            return False
        given = parse_keqv_list(parse_http_list(rest))
        one = _md5(f"{self.HUB}:{_REALM}:{self.PASSWORD}")
        two = _md5(f"{request.method}:{given.get('uri', '')}")
        parts = (one, given.get("nonce"), given.get("nc"), given.get("cnonce"), "auth", two)
        return (
            given.get("username") == self.HUB
            and given.get("nonce") in self._nonces
            and given.get("uri") == request.url.path
            and given.get("response") == _md5(":".join(map(str, parts)))
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
