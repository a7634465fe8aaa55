"""Prices on disk: what was once fetched survives restarts and outages."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ohmstead.json_file import read_json, write_json
from ohmstead.model import PriceSlot

__all__ = ["CachedPrices", "load_prices", "save_prices"]

_KEPT: Final = timedelta(days=9)


@dataclass(slots=True)
class CachedPrices:
    """The slots of one tariff by their start, and how the asking goes."""

    slots: dict[datetime, PriceSlot] = field(default_factory=dict)
    fetched_at: datetime | None = None
    due: datetime | None = None
    """When to ask next, so that a restart does not ask at once again."""
    failures: int = 0
    trouble: str = ""

    def drop_old(self, now: datetime) -> None:
        """Forget what ended more than nine days ago."""
        self.slots = {s: slot for s, slot in self.slots.items() if slot.end > now - _KEPT}


def load_prices(path: Path | None) -> CachedPrices:
    """Return what is kept in *path*; a file that cannot be understood is set aside."""
    return read_json(path, _understood, "prices are fetched anew") or CachedPrices()


def save_prices(path: Path | None, prices: CachedPrices) -> None:
    """Keep *prices* in *path*, whole or not at all; a full disk loses the cache, not the prices."""
    document = {
        "fetched_at": prices.fetched_at and prices.fetched_at.isoformat(),
        "due": prices.due and prices.due.isoformat(),
        "failures": prices.failures,
        "trouble": prices.trouble,
        "slots": [
            [slot.start.isoformat(), slot.end.isoformat(), slot.per_kwh]
            for _, slot in sorted(prices.slots.items())
        ],
    }
    write_json(path, document, "prices are not kept")


def _understood(document: Any) -> CachedPrices:  # noqa: ANN401 - JSON
    slots = [_slot(row) for row in document["slots"]]
    return CachedPrices(
        slots={slot.start: slot for slot in slots},
        fetched_at=_moment(document["fetched_at"]),
        due=_moment(document["due"]),
        failures=int(document["failures"]),
        trouble=str(document["trouble"]),
    )


def _slot(row: Any) -> PriceSlot:  # noqa: ANN401 - JSON
    start, end, per_kwh = row
    return PriceSlot(
        start=datetime.fromisoformat(start).astimezone(UTC),
        end=datetime.fromisoformat(end).astimezone(UTC),
        per_kwh=float(per_kwh),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
