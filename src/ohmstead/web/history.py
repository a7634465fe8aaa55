"""The API's routes over what was: charts of any point and span, and what days cost."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from ohmstead.errors import HistoryError
from ohmstead.model import Chart, DayCosts, Value
from ohmstead.ports import HistoryPort
from ohmstead.web.problems import PROBLEM, Problem

__all__ = ["ChartView", "CostsView", "costs_view", "make_history"]

_MOST_POINTS: Final = 20
_MOST_PLACES: Final = 5_000
_OFF: Final = "this house keeps no history: `history: {enabled: false}` is in its configuration"


class ChartView(BaseModel):
    """One point over a span, in columns; null where nobody knew it."""

    device: str
    point: str
    resolution: str
    """raw, 5min, hour or day."""
    step_s: int
    times: list[datetime]
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    last: list[Value | None]


class CostsView(BaseModel):
    """One local day, in the currency's main unit; what is earned counts below zero."""

    day: date
    import_kwh: float
    export_kwh: float
    actual: float
    without_control: float | None
    without_battery: float
    saved_by_control: float | None
    saved_by_battery: float
    covered_h: float


def make_history(history: HistoryPort | None) -> APIRouter:
    """Return the routes over *history*; without one they say so."""
    api = APIRouter(prefix="/api/v1/history", responses={"default": PROBLEM})

    @api.get("/points")
    async def read_recorded() -> dict[str, list[str]]:
        """Every point ever recorded, by device; `site` is the house."""
        found: dict[str, list[str]] = {}
        try:
            names = _kept(history).known()
        except HistoryError as exc:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(exc)) from exc
        for device, point in names:
            found.setdefault(device, []).append(point)
        return found

    @api.get("")
    async def read_history(
        point: Annotated[
            list[str], Query(description="device.point, like site.battery_w; several may be given")
        ],
        start: Annotated[AwareDatetime, Query(description="from this moment on, with its zone")],
        end: Annotated[AwareDatetime, Query(description="up to this moment, with its zone")],
        most: Annotated[
            int, Query(ge=2, le=_MOST_PLACES, description="about so many places")
        ] = 500,
    ) -> list[ChartView]:
        """Charts of one or more points over any span, at a resolution that fits."""
        if len(point) > _MOST_POINTS:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"at most {_MOST_POINTS} points at once")
        names = [_name(one) for one in point]
        kept = _kept(history)
        try:
            charts = await kept.charts(names, start, end, most)
        except HistoryError as exc:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc)) from exc
        return [_chart(chart) for chart in charts]

    @api.get("/costs")
    async def read_costs(
        first: Annotated[date, Query(description="the first local day")],
        last: Annotated[date, Query(description="the last local day")],
    ) -> list[CostsView]:
        """What local days cost: as they were, without control, and without a battery."""
        kept = _kept(history)
        try:
            days = await kept.costs(first, last)
        except HistoryError as exc:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc)) from exc
        return [costs_view(day) for day in days]

    return api


def _kept(history: HistoryPort | None) -> HistoryPort:
    if history is None:
        raise Problem(HTTPStatus.NOT_FOUND, _OFF)
    return history


def _name(text: str) -> tuple[str, str]:
    device, dot, point = text.partition(".")
    if not (device and dot and point):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{text!r} is not device.point")
    return device, point


def _chart(chart: Chart) -> ChartView:
    return ChartView(
        device=chart.device,
        point=chart.point,
        resolution=chart.resolution,
        step_s=chart.step_s,
        times=list(chart.times),
        min=list(chart.low),
        mean=list(chart.mean),
        max=list(chart.high),
        last=list(chart.last),
    )


def costs_view(day: DayCosts) -> CostsView:
    """Return *day* as the API shows it."""
    return CostsView(
        day=day.day,
        import_kwh=day.import_kwh,
        export_kwh=day.export_kwh,
        actual=day.actual,
        without_control=day.without_control,
        without_battery=day.without_battery,
        saved_by_control=day.saved_by_control,
        saved_by_battery=day.saved_by_battery,
        covered_h=day.covered_h,
    )
