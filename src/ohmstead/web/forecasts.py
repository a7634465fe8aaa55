"""The API's route over what is expected of the hours to come."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ohmstead.clock import Clock
from ohmstead.errors import ForecastError, PriceSourceError
from ohmstead.model import Forecast
from ohmstead.ports import ForecastSource, ForecastSources, PriceSource
from ohmstead.web.problems import PROBLEM
from ohmstead.web.schema import Moment

__all__ = [
    "CarbonSlotView",
    "CarbonView",
    "ForecastSlotView",
    "ForecastView",
    "ForecastsView",
    "forecasts_view",
    "make_forecasts_api",
]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ForecastSlotView(_View):
    """A mean power for a quarter of an hour."""

    start: Moment
    end: Moment
    low_w: float
    """Nine times in ten it is more."""
    middle_w: float
    """What to expect."""
    high_w: float
    """Nine times in ten it is less."""


class ForecastView(_View):
    """What the sun will give, or what the house will use."""

    source: str
    """Where it comes from, in words, with what was done to it."""
    fetched_at: Moment | None
    """When the source last said so; null for what needs none."""
    age_s: float | None
    ends: Moment | None
    trouble: str | None
    """What is wrong with the source, and what to do; there is a forecast nevertheless."""
    slots: list[ForecastSlotView]


class CarbonSlotView(_View):
    """What a kWh from the grid weighs, in kilograms of CO2."""

    start: Moment
    end: Moment
    kg_per_kwh: float


class CarbonView(_View):
    """The carbon of the grid's power, as far as its source knows it."""

    source: str
    fetched_at: Moment | None
    age_s: float | None
    ends: Moment | None
    trouble: str | None
    slots: list[CarbonSlotView]


class ForecastsView(_View):
    """What is expected; null where it is not configured."""

    solar: ForecastView | None = Field(default=None)
    """What the panels will give."""
    load: ForecastView | None = Field(default=None)
    """What the house will use."""
    carbon: CarbonView | None = Field(default=None)
    """What a kWh from the grid weighs."""


def make_forecasts_api(sources: ForecastSources, clock: Clock) -> APIRouter:
    """Return the route over what *sources* say."""
    api = APIRouter(prefix="/api/v1", responses={"default": PROBLEM})

    @api.get("/forecasts")
    async def read_forecasts() -> ForecastsView:
        """Sun, load and carbon of the coming days: low, middle and high, source, age."""
        return await forecasts_view(sources, clock.now())

    return api


async def forecasts_view(sources: ForecastSources, now: datetime) -> ForecastsView:
    """Return what *sources* say at *now*; each is asked only if that is due."""
    return ForecastsView(
        solar=await _forecast(sources.solar, now),
        load=await _forecast(sources.load, now),
        carbon=await _carbon(sources.carbon, now),
    )


async def _forecast(source: ForecastSource | None, now: datetime) -> ForecastView | None:
    if source is None:
        return None
    trouble = None
    try:
        said = await source.forecast(now)
    except ForecastError as exc:
        said, trouble = Forecast(slots=()), str(exc)
    age = said.age(now)
    return ForecastView(
        source=said.source,
        fetched_at=said.fetched_at,
        age_s=None if age is None else age.total_seconds(),
        ends=said.ends,
        trouble=trouble or source.trouble,
        slots=[
            ForecastSlotView(
                start=slot.start,
                end=slot.end,
                low_w=round(slot.low_w, 1),
                middle_w=round(slot.middle_w, 1),
                high_w=round(slot.high_w, 1),
            )
            for slot in said
        ],
    )


async def _carbon(source: PriceSource | None, now: datetime) -> CarbonView | None:
    if source is None:
        return None
    try:
        curve = await source.curve(now)
    except PriceSourceError as exc:
        return CarbonView(
            source="", fetched_at=None, age_s=None, ends=None, trouble=str(exc), slots=[]
        )
    age = curve.age(now)
    return CarbonView(
        source=curve.source,
        fetched_at=curve.fetched_at,
        age_s=None if age is None else age.total_seconds(),
        ends=curve.ends,
        trouble=None,
        slots=[
            CarbonSlotView(start=slot.start, end=slot.end, kg_per_kwh=slot.per_kwh)
            for slot in curve.from_now(now)
        ],
    )
