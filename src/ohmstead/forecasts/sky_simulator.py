"""Open-Meteo, Forecast.Solar, Solcast and Carbon Intensity on loopback: real shapes, one sky."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.forecasts.panels import Air, ArraySettings, Panels
from ohmstead.forecasts.sun import Light, Place, clear_light, sun_at
from ohmstead.http_server import listening

__all__ = ["SkySimulator"]

_QUARTER: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
_SLOW_S: Final = 30.0
_MINUTES_OF_A_SLOT: Final = 30
_FREE_CALLS: Final = 12
"""What Forecast.Solar gives an address in an hour."""


class SkySimulator:
    """One sky, as four services tell it; *cloud* (0 to 1) says what each moment is like."""

    FAULTS = ("down", "slow", "too_many", "server_error", "garbage", "empty", "absurd", "null")

    def __init__(
        self,
        clock: Clock,
        cloud: Callable[[datetime], float] = lambda _: 0.0,
        *,
        sites: Mapping[str, ArraySettings] | None = None,
        key: str = "simulated-key",
        calls_a_day: int = 10,
    ) -> None:
        """Show the sky of *clock*'s days; *sites* are Solcast's, by resource."""
        self.clock = clock
        self.cloud = cloud
        self.sites = dict(sites or {})
        self.key = key
        self.calls_a_day = calls_a_day
        self.faults: set[str] = set()
        self.asked: list[str] = []
        """Every address that was asked for, for tests."""
        self.called: list[datetime] = []

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Answer on *host* for as long as the block lasts; yields the port."""
        plane = "/estimate/{latitude}/{longitude}/{tilt}/{azimuth}/{kwp}"
        window = "/intensity/{start}/fw48h"
        routes = [
            Route("/v1/forecast", self._guarded(self._open_meteo)),
            Route(plane, self._guarded(self._forecast_solar)),
            Route("/{key}" + plane, self._guarded(self._forecast_solar)),
            Route("/rooftop_sites/{resource}/forecasts", self._guarded(self._solcast)),
            Route(window, self._guarded(self._carbon)),
            Route(f"/regional{window}/postcode/{{postcode}}", self._guarded(self._carbon)),
            Route(f"/regional{window}/regionid/{{region:int}}", self._guarded(self._carbon)),
        ]
        async with listening(Starlette(routes=routes), host, port) as bound:
            yield bound

    def light(self, moment: datetime, place: Place) -> Light:
        """Return the light at *moment*: clouds turn beam into half as much diffuse."""
        clear = clear_light(sun := sun_at(moment, place), moment, place)
        cloud = min(max(self.cloud(moment), 0.0), 1.0)
        beam = clear.beam_w * (1 - cloud)
        diffuse = clear.diffuse_w + 0.35 * cloud * clear.beam_w * sun.up
        return Light(beam * sun.up + diffuse, beam, diffuse)

    def power_w(self, moment: datetime, place: Place, *arrays: ArraySettings) -> float:
        """Return what *arrays* make at *moment*."""
        return Panels(arrays).power_w(sun_at(moment, place), self.light(moment, place), Air())

    # ---- what it answers ------------------------------------------------------------

    def _open_meteo(self, request: Request) -> Response:
        query = request.query_params
        try:
            place = Place(latitude=float(query["latitude"]), longitude=float(query["longitude"]))
            names = query["minutely_15"].split(",")
            days = int(query.get("forecast_days", "7")), int(query.get("past_days", "0"))
        except (KeyError, ValueError) as exc:
            return JSONResponse({"error": True, "reason": f"Parameter {exc} is invalid"}, 400)
        start = _midnight(self.clock.now()) - days[1] * _DAY
        times = [start + n * _QUARTER for n in range(sum(days) * 96)]
        columns = {name: [self._weather(name, time, place) for time in times] for name in names}
        if "absurd" in self.faults:
            columns["shortwave_radiation"] = [1e9] * len(times)
        if "null" in self.faults:
            columns["shortwave_radiation"] = [None] * len(times)
        if "empty" in self.faults:
            columns, times = {name: [] for name in names}, []
        return JSONResponse(
            {
                "latitude": place.latitude, "longitude": place.longitude,
                "generationtime_ms": 0.21, "utc_offset_seconds": 0, "timezone": "GMT",
                "timezone_abbreviation": "GMT", "elevation": 23.0,
                "minutely_15_units": {"time": "unixtime", "shortwave_radiation": "W/m²"},
                "minutely_15": {"time": [int(time.timestamp()) for time in times], **columns},
            }
        )  # fmt: skip

    def _weather(self, name: str, time: datetime, place: Place) -> float | None:
        # Radiation is the mean of the quarter that ends at its time.
        light = self.light(time - _QUARTER / 2, place)
        return {
            "shortwave_radiation": round(light.global_w, 1),
            "diffuse_radiation": round(light.diffuse_w, 1),
            "direct_normal_irradiance": round(light.beam_w, 1),
            "temperature_2m": 12.0,
            "wind_speed_10m": 2.0,
        }.get(name)

    def _forecast_solar(self, request: Request) -> Response:
        given = request.path_params
        now = self.clock.now()
        ratelimit: dict[str, Any] = {"zone": "IP 192.0.2.1", "period": 3600, "limit": _FREE_CALLS}
        if "key" in given and given["key"] != self.key:
            return _message(401, "Invalid API key", ratelimit)
        recent = [at for at in self.called if now - at < timedelta(hours=1)]
        if "key" not in given and len(recent) > _FREE_CALLS:
            ratelimit["retry-at"] = (recent[0] + timedelta(hours=1)).isoformat()
            return _message(429, "Rate limit for API calls reached.", ratelimit)
        try:
            place = Place(latitude=float(given["latitude"]), longitude=float(given["longitude"]))
            array = ArraySettings(
                kwp=float(given["kwp"]),
                tilt=int(given["tilt"]),
                azimuth=int(given["azimuth"]) + 180,
            )
        except ValueError as exc:
            return _message(422, str(exc), ratelimit)
        energies = {} if "empty" in self.faults else self._energies(now, place, array)
        if "absurd" in self.faults:
            energies = dict.fromkeys(energies, -5.0)
        result = {
            "watts": energies, "watt_hours_period": energies, "watt_hours": energies,
            "watt_hours_day": {},
        }  # fmt: skip
        left = {**ratelimit, "remaining": _FREE_CALLS - len(recent)}
        message = {"code": 0, "type": "success", "text": "", "pid": "s1", "ratelimit": left}
        return JSONResponse({"result": None if "null" in self.faults else result,
                             "message": message})  # fmt: skip

    def _energies(self, now: datetime, place: Place, array: ArraySettings) -> dict[str, float]:
        """Return Wh at the end of each hour, the first and last cut at sunrise and sunset."""
        found: dict[str, float] = {}
        for day in (0, 1):
            start = _midnight(now) + day * _DAY
            minutes = [start + n * timedelta(minutes=1) for n in range(1440)]
            lit = [minute for minute in minutes if sun_at(minute, place).height > 0]
            energy = 0.0
            for minute in lit:
                if minute == lit[0] or minute.minute == 0 or minute == lit[-1]:
                    found[minute.isoformat()] = round(energy, 3)
                    energy = 0.0
                energy += self.power_w(minute, place, array) / 60
        return found

    def _solcast(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return PlainTextResponse("", 401)
        today = _midnight(self.clock.now())
        if len([at for at in self.called if at >= today]) > self.calls_a_day:
            return _status(429, "TooManyRequests", "You have exceeded your free daily limit.")
        array = self.sites.get(request.path_params["resource"])
        if array is None:
            return _status(404, "NotFound", "The specified site cannot be found.")
        place = Place(latitude=51.5, longitude=-0.1)
        begin = self.clock.now().replace(second=0, microsecond=0)
        begin -= timedelta(minutes=begin.minute % _MINUTES_OF_A_SLOT)
        rows = []
        for n in range(2 * int(request.query_params.get("hours", "48"))):
            start = begin + 2 * n * _QUARTER
            watts = [
                self.power_w(start + (step + 0.5) * _QUARTER / 2, place, array) for step in range(4)
            ]
            power = math.fsum(watts) / 4_000
            rows.append(
                {
                    "pv_estimate": -5 if "absurd" in self.faults else round(power, 4),
                    "pv_estimate10": round(power * 0.6, 4),
                    "pv_estimate90": round(power * 1.2, 4),
                    "period_end": f"{start + 2 * _QUARTER:%Y-%m-%dT%H:%M:%S}.0000000Z",
                    "period": "PT30M",
                }
            )
        known = [] if "empty" in self.faults else rows
        return JSONResponse({"forecasts": None if "null" in self.faults else known})

    def _carbon(self, request: Request) -> Response:
        given = request.path_params
        if given.get("postcode") in {"ZZ99", "XX1"}:
            error = {"code": "400 Bad Request", "message": "Please enter a valid UK postcode."}
            return JSONResponse({"error": error}, 400)
        start = datetime.strptime(given["start"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
        start -= timedelta(minutes=start.minute % 30)
        rows = []
        for n in range(0 if "empty" in self.faults else 97):
            at = start + n * 2 * _QUARTER
            grams = round(150 - 80 * math.cos((at.hour + at.minute / 60 - 3) / 24 * 2 * math.pi))
            forecast = -1 if "absurd" in self.faults else None if "null" in self.faults else grams
            rows.append(
                {
                    "from": f"{at:%Y-%m-%dT%H:%MZ}",
                    "to": f"{at + 2 * _QUARTER:%Y-%m-%dT%H:%MZ}",
                    "intensity": {"forecast": forecast, "index": "moderate"},
                }
            )
        if "postcode" not in given and "region" not in given:
            return JSONResponse({"data": rows})
        region = {
            "regionid": given.get("region", 12), "dnoregion": "SSE South",
            "shortname": "South England", "postcode": given.get("postcode"), "data": rows,
        }  # fmt: skip
        return JSONResponse({"data": region})

    # ---- how it is done -------------------------------------------------------------

    def _guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            self.asked.append(request.url.path)
            self.called.append(self.clock.now())
            refusals = {
                "too_many": JSONResponse(
                    {
                        "error": True,
                        "reason": "Hourly API request limit exceeded. Please try again in the "
                        "next hour.",
                    },
                    429,
                ),
                "server_error": PlainTextResponse("upstream connect error", 502),
                "garbage": PlainTextResponse("<!doctype html>maintenance", 200),
                "down": PlainTextResponse("down for maintenance", 503),
            }
            for fault, refusal in refusals.items():
                if fault in self.faults:
                    return refusal
            if "slow" in self.faults:
                await asyncio.sleep(_SLOW_S)
            return answer(request)

        return guarded


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _message(code: int, text: str, ratelimit: Mapping[str, Any]) -> Response:
    message = {
        "code": code, "type": "error", "text": text, "pid": "s1", "ratelimit": dict(ratelimit)
    }  # fmt: skip
    return JSONResponse({"result": None, "message": message}, code)


def _status(status: int, code: str, message: str) -> Response:
    body = {"error_code": code, "message": message, "errors": []}
    return JSONResponse({"response_status": body}, status)
