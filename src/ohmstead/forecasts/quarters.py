"""Quarters of an hour: the steps in which forecasts are kept, learnt from and told. Pure.

Every zone's clock differs from UTC by whole quarters, so a quarter lies in one local hour.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from ohmstead.model import Forecast, ForecastSlot

__all__ = ["QUARTER", "QUARTER_S", "Quarters", "Told", "begin", "of", "slot_of", "spread_out"]

QUARTER_S: Final = 900
QUARTER: Final = timedelta(seconds=QUARTER_S)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Quarters: TypeAlias = Mapping[int, float]
"""Mean watts by quarter, counted from 1970."""


class Told(NamedTuple):
    """What is said of one quarter, in watts."""

    low_w: float
    middle_w: float
    high_w: float


def of(moment: datetime) -> int:
    """Return the quarter that *moment* lies in."""
    return (moment - _EPOCH) // QUARTER


def begin(quarter: int) -> datetime:
    """Return when *quarter* begins, in UTC."""
    return _EPOCH + quarter * QUARTER


def slot_of(quarter: int, told: Told) -> ForecastSlot:
    """Return *told* as a slot."""
    start = begin(quarter)
    return ForecastSlot(
        start=start,
        end=start + QUARTER,
        low_w=told.low_w,
        middle_w=told.middle_w,
        high_w=told.high_w,
    )


def spread_out(slots: Iterable[ForecastSlot]) -> dict[int, Told]:
    """Return *slots* by quarter with all their energy; what a part of one lacks counts as dark."""
    found: dict[int, Told] = {}
    for slot in Forecast(slots=tuple(slots)).resampled(QUARTER):
        share = (slot.end - slot.start) / QUARTER
        quarter = of(slot.start)
        before = found.get(quarter, Told(0.0, 0.0, 0.0))
        found[quarter] = Told(
            before.low_w + slot.low_w * share,
            before.middle_w + slot.middle_w * share,
            before.high_w + slot.high_w * share,
        )
    return found
