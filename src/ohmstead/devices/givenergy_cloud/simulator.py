"""GivEnergy's cloud without the cloud: the real routes, shapes and codes, with a house behind.

The data adapter of the simulated inverter reports every five minutes; settings go through to
the inverter at once. The API key is ``simulated``, the inverter's serial number FA0000G000.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.devices.givenergy_cloud.simulator_settings import (
    MODELS,
    Moment,
    accepted,
    keyed,
    wish,
)
from ohmstead.http_server import listening
from ohmstead.simulation import Energies, House, chance

__all__ = ["GivEnergyCloudSimulator"]

_REPORTS_S: Final = 300
_CODES: Final[Mapping[str, int]] = {
    "timeout": -1,
    "timeout_but_done": -1,
    "offline": -2,
    "not_found": -3,
    "invalid": -4,
    "failed": -5,
    "no_reply": -6,
    "locked": -7,
}
_ONLY_WRITES: Final = frozenset({"locked", "timeout_but_done", "invalid"})
_SILENT: Final = frozenset({"offline", "stale"})
"""While one of these lasts, the inverter reports nothing to the cloud."""


class GivEnergyCloudSimulator:
    """Serves one account with one inverter."""

    MODELS: Final = tuple(MODELS)
    FAULTS: Final = (*_CODES, "bad_token", "deaf", "down", "garbage", "rate_limited", "stale")
    SERIAL: Final = "FA0000G000"
    TOKEN: Final = "simulated"  # noqa: S105 - opens nothing but this

    def __init__(
        self,
        house: House,
        clock: Clock,
        timezone: tzinfo,
        *,
        model: str = "hybrid_gen3",
        seed: int = 0,
    ) -> None:
        """Take over the battery of *house*; *seed* decides about the noise of its voltage."""
        self.house = house
        self.faults: set[str] = set()
        """Any of ``FAULTS``; may be changed while it runs."""
        self.asked: list[str] = []
        """Every path that was asked for, for tests."""
        self.writes: list[tuple[int, Any]] = []
        """Every value that anybody asked to write: to which setting, what. Refused ones too."""
        self.rows = {row.id: row for row in MODELS[model]}
        self.held = {row.id: row.value for row in MODELS[model]}
        self._keys = keyed(self.rows.values())
        self._clock = clock
        self._timezone = timezone
        self._random = chance("givenergy_cloud", seed)
        self._seen = clock.now()
        self._system: dict[str, Any] = {}
        self._meter: dict[str, Any] = {}
        self._report(clock.now())
        house.controller = self._wish
        house.settle()

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Answer on *host* for as long as the block lasts; yields the port."""
        inverter = "/v1/inverter/{serial}"
        routes = [
            Route("/v1/communication-device", self._guarded(self._devices)),
            Route(f"{inverter}/system-data/latest", self._guarded(self._latest)),
            Route(f"{inverter}/meter-data/latest", self._guarded(self._energies)),
            Route(f"{inverter}/settings", self._guarded(self._settings)),
            Route(
                f"{inverter}/settings/{{id:int}}/read", self._guarded(self._read), methods=["POST"]
            ),
            Route(
                f"{inverter}/settings/{{id:int}}/write",
                self._guarded(self._write),
                methods=["POST"],
            ),
        ]
        async with listening(Starlette(routes=routes), host, port) as bound:
            yield bound

    # ---- what it answers ------------------------------------------------------------

    async def _devices(self, request: Request) -> Response:
        del request
        inverter = {"serial": self.SERIAL, "status": "NORMAL", "last_online": self._system["time"]}
        device = {"serial_number": "WF0000G000", "type": "WIFI", "inverter": inverter}
        return JSONResponse({"data": [device], "meta": {"current_page": 1, "last_page": 1}})

    async def _latest(self, request: Request) -> Response:
        del request
        return JSONResponse({"data": self._system})

    async def _energies(self, request: Request) -> Response:
        del request
        return JSONResponse({"data": self._meter})

    async def _settings(self, request: Request) -> Response:
        del request
        rows = [
            {"id": row.id, "name": row.name, "validation": row.rule, "validation_rules": [row.rule]}
            for row in self.rows.values()
        ]
        return JSONResponse({"data": rows})

    async def _read(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number not in self.rows:
            return JSONResponse({"message": "Not found."}, 404)
        code = self._code(self.faults - _ONLY_WRITES)
        return JSONResponse({"data": {"value": self.held[number] if code is None else code}})

    async def _write(self, request: Request) -> Response:
        number, value = request.path_params["id"], (await request.json()).get("value")
        self.writes.append((number, value))
        if number not in self.rows:
            return JSONResponse({"message": "Not found."}, 404)
        kept = accepted(self.rows[number], value)
        if kept is None:
            return JSONResponse({"message": "The given data was invalid."}, 422)
        code = self._code(self.faults)
        if (code is None and "deaf" not in self.faults) or "timeout_but_done" in self.faults:
            self.held[number] = kept
            self.house.settle()
        if code is not None:
            said = {"value": code, "success": False, "message": "Not written"}
        else:
            said = {"value": kept, "success": True, "message": "Written Successfully"}
        return JSONResponse({"data": said})

    # ---- how it is done -------------------------------------------------------------

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            self.asked.append(request.url.path)
            self._live()
            refusals = {
                "down": PlainTextResponse("upstream connect error", 503),
                "garbage": HTMLResponse("<!doctype html>maintenance"),
                "rate_limited": JSONResponse(
                    {"message": "Too Many Attempts."}, 429, {"Retry-After": "45"}
                ),
            }
            for fault, refusal in refusals.items():
                if fault in self.faults:
                    return refusal
            allowed = request.headers.get("Authorization") == f"Bearer {self.TOKEN}"
            if "bad_token" in self.faults or not allowed:
                return JSONResponse({"message": "Unauthenticated."}, 401)
            if request.path_params.get("serial", self.SERIAL) != self.SERIAL:
                return JSONResponse({"message": "Not found."}, 404)
            return await answer(request)

        return guarded

    def _code(self, faults: set[str]) -> int | None:
        return next((code for fault, code in _CODES.items() if fault in faults), None)

    def _live(self) -> None:
        """Let the house live until now, with the reports that were due on the way."""
        now = self._clock.now()
        while (due := self._next_report()) <= now:
            self._seen = due
            self.house.advance(due)
            if not self.faults & _SILENT:
                self._report(due)
        self.house.advance(now)

    def _next_report(self) -> datetime:
        second = (int(self._seen.timestamp()) // _REPORTS_S + 1) * _REPORTS_S
        return datetime.fromtimestamp(second, UTC)

    def _report(self, at: datetime) -> None:
        house, moment = self.house, f"{at:%Y-%m-%dT%H:%M:%SZ}"
        grid_v = round(240 + self._random.uniform(-2, 2), 1)
        self._system = {
            "time": moment,
            "status": "Normal",
            "solar": {
                "power": round(house.pv_w),
                "arrays": [
                    {"array": 1, "voltage": 320.1, "current": round(house.pv_w / 320.1, 1),
                     "power": round(house.pv_w)},
                    {"array": 2, "voltage": 0, "current": 0, "power": 0},
                ],
            },
            "grid": {"voltage": grid_v, "current": round(abs(house.grid_w) / grid_v, 1),
                     "power": -round(house.grid_w), "frequency": 50.02},
            "battery": {"percent": round(house.battery.soc_pct), "power": round(house.battery_w),
                        "temperature": round(house.battery.temperature_c)},
            "inverter": {"temperature": 31.2, "power": round(house.pv_w + house.battery_w),
                         "output_voltage": grid_v, "output_frequency": 50.02, "eps_power": 0},
            "consumption": round(house.load_w),
        }  # fmt: skip
        # The counters of the day begin anew at local midnight; so do the house's.
        self._meter = {
            "time": moment,
            "today": _counted(house.day),
            "total": _counted(house.totals),
        }

    def _wish(self, house: House) -> float:
        local = (house.at + timedelta(seconds=1)).astimezone(self._timezone)
        now = Moment(
            minute=60 * local.hour + local.minute,
            soc_pct=house.battery.soc_pct,
            pv_w=house.pv_w,
            load_w=house.load_w,
        )
        return wish({key: self.held[number] for key, number in self._keys.items()}, now)


def _counted(energies: Energies) -> dict[str, Any]:
    return {
        "solar": round(energies.pv_kwh, 1),
        "grid": {"import": round(energies.import_kwh, 1), "export": round(energies.export_kwh, 1)},
        "battery": {
            "charge": round(energies.charged_kwh, 1),
            "discharge": round(energies.discharged_kwh, 1),
        },
        "consumption": round(energies.load_kwh, 1),
        "ac_charge": round(energies.ac_charged_kwh, 1),
    }
