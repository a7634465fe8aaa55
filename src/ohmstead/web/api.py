"""The HTTP API, version 1: the whole of what a dashboard needs."""

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from ohmstead.clock import Clock
from ohmstead.errors import NotWritable, RequestError
from ohmstead.model import (
    DeviceSnapshot,
    Point,
    Request,
    SettingChange,
    Tick,
    Wish,
)
from ohmstead.ports import DevicePort, ForecastSources, SitePort
from ohmstead.web import schema
from ohmstead.web.health import health_of
from ohmstead.web.live import Live
from ohmstead.web.problems import PROBLEM, Problem

__all__ = ["make_api"]

Device = Annotated[str, Path(description="the device's name")]
Key = Annotated[str, Path(description="the point's key")]


def make_api(  # noqa: C901, PLR0915 - a list of routes
    site: SitePort, live: Live, clock: Clock, version: str, forecasts: ForecastSources
) -> APIRouter:
    """Return the routes of the API over *site*."""
    api = APIRouter(prefix="/api/v1", responses={"default": PROBLEM})

    @api.get("/site")
    async def read_site() -> schema.SiteView:
        """The house now: powers, state of charge, mode, prices."""
        return schema.site_view(_last(site).snapshot)

    @api.get("/devices")
    async def read_devices() -> list[schema.DeviceView]:
        """Every device, how it is, and all it says."""
        return [schema.device_view(device) for device in _last(site).snapshot.devices.values()]

    @api.get("/devices/{device}")
    async def read_device(device: Device) -> schema.DeviceView:
        """One device."""
        return schema.device_view(_seen(site, device))

    @api.get("/devices/{device}/points")
    async def read_points(device: Device) -> list[schema.PointView]:
        """The points of one device: what they mean, their values, and what may be written."""
        seen = _seen(site, device)
        now = clock.now()
        return [schema.point_view(p, seen, now) for p in _device(site, device).points.values()]

    @api.get("/settings")
    async def read_settings() -> dict[str, list[schema.PointView]]:
        """All that can be changed, by device."""
        now = clock.now()
        return {
            name: [
                schema.point_view(point, _seen(site, name), now)
                for point in device.points.values()
                if point.writable is not None
            ]
            for name, device in site.devices.items()
        }

    @api.get("/settings/{device}/{point}")
    async def read_setting(device: Device, point: Key) -> schema.PointView:
        """One setting."""
        return schema.point_view(_point(site, device, point), _seen(site, device), clock.now())

    @api.put("/settings/{device}/{point}")
    async def change_setting(
        device: Device, point: Key, wanted: schema.NewValue
    ) -> schema.ResultView:
        """Change one setting: checked, journalled, written, read back."""
        try:
            value = _point(site, device, point).check(wanted.value)
        except NotWritable as exc:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc)) from exc
        request = Request(
            id=secrets.token_hex(4),
            asked_by="web",
            made_at=clock.now(),
            want=SettingChange(device=device, point=point, value=value),
            why=wanted.why,
        )
        result = await site.ask(request)
        assert result is not None  # noqa: S101 - a change of a setting always has an end
        view = schema.result_view(result)
        if view.outcome == "refused":
            raise Problem(HTTPStatus.CONFLICT, f"nothing was written: {view.why}")
        if view.outcome == "failed":
            raise Problem(HTTPStatus.BAD_GATEWAY, f"it did not work: {view.why}")
        return view

    @api.get("/prices")
    async def read_prices() -> schema.PricesView:
        """Import and export prices, with their source, age and horizon."""
        snapshot = _last(site).snapshot
        now = clock.now()
        return schema.PricesView(
            buy=schema.curve_view(snapshot.prices.buy, now),
            sell=schema.curve_view(snapshot.prices.sell, now),
        )

    @api.get("/decision")
    async def read_decision() -> schema.DecisionView:
        """The decision that holds now, and what every strategy said."""
        tick = _last(site)
        return schema.decision_view(tick.decision, tick.results)

    @api.get("/decisions")
    async def read_decisions(
        limit: Annotated[int, Query(ge=1, le=100, description="how many at most")] = 20,
    ) -> list[schema.DecisionView]:
        """The last decisions that differed from the one before, newest first."""
        return [schema.decision_view(decision) for decision in list(live.decisions)[:limit]]

    @api.get("/journal")
    async def read_journal(
        device: Annotated[str | None, Query(description="only this device's")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="how many at most")] = 100,
        before: Annotated[
            int | None, Query(ge=1, lt=1 << 63, description="only entries older than this id")
        ] = None,
    ) -> list[schema.JournalView]:
        """Every write to a device, newest first."""
        entries = await site.journal(device=device, limit=limit, before=before)
        return [schema.journal_view(entry) for entry in entries]

    @api.get("/requests")
    async def read_requests() -> list[schema.RequestView]:
        """What somebody asked for and still holds."""
        return [schema.request_view(request) for request in site.requests()]

    @api.post("/requests", status_code=HTTPStatus.CREATED)
    async def make_request(wanted: schema.NewRequest) -> schema.RequestView:
        """Ask for a mode of the battery, for a time."""
        try:
            wish = Wish(**dict(wanted))
            request = wish.request(secrets.token_hex(4), "web", clock.now())
        except RequestError as exc:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc)) from exc
        await site.ask(request)
        return schema.request_view(request)

    @api.delete("/requests/{request_id}")
    async def cancel_request(
        request_id: Annotated[str, Path(description="as `requests` lists it")],
    ) -> schema.RequestView:
        """Take a request back."""
        try:
            return schema.request_view(site.cancel(request_id))
        except RequestError as exc:
            raise Problem(HTTPStatus.NOT_FOUND, str(exc)) from exc

    @api.get("/health")
    async def read_health() -> schema.HealthView:
        """Whether the service does its work: 200 if so, 503 with reasons if not."""
        health = health_of(site, forecasts, clock.now(), version)
        if not health.ok:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "; ".join(health.reasons))
        return health

    @api.get(
        "/live",
        response_class=_Events,
        responses={200: {"model": schema.TickView, "description": "the data of each event"}},
    )
    async def listen() -> _Events:
        """Server-sent events: one `tick` for every turn of the loop."""
        return _Events(live.events(), headers={"X-Accel-Buffering": "no"})

    return api


class _Events(StreamingResponse):
    """Events as they come; FastAPI's own kind puts each into JSON once a listener."""

    media_type = "text/event-stream"


def _last(site: SitePort) -> Tick:
    if site.last is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "the first turn is not over yet; try again in a second"
        )
    return site.last


def _device(site: SitePort, name: str) -> DevicePort:
    if name not in site.devices:
        known = ", ".join(site.devices) or "none"
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no device {name}; there is {known}")
    return site.devices[name]


def _seen(site: SitePort, name: str) -> DeviceSnapshot:
    _device(site, name)
    return _last(site).snapshot.devices[name]


def _point(site: SitePort, device: str, key: str) -> Point:
    points = _device(site, device).points
    if key not in points:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            f"{device} has no point {key}; see /api/v1/devices/{device}/points",
        )
    return points[key]
