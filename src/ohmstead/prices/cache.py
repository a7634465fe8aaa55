"""Prices on disk: what was once fetched survives restarts and outages."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ohmstead.model import PriceSlot

__all__ = ["CachedPrices", "load_prices", "save_prices"]

log = logging.getLogger(__name__)

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
    if path is None or not path.exists():
        return CachedPrices()
    try:
        kept = json.loads(path.read_text())
        slots = [_slot(row) for row in kept["slots"]]
        return CachedPrices(
            slots={slot.start: slot for slot in slots},
            fetched_at=_moment(kept["fetched_at"]),
            due=_moment(kept["due"]),
            failures=int(kept["failures"]),
            trouble=str(kept["trouble"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as exc:
        aside = path.with_suffix(".broken")
        log.warning("%s cannot be understood (%s); set aside as %s", path, exc, aside.name)
        try:
            path.replace(aside)
        except OSError as inner:
            log.warning("%s cannot be set aside: %s", path, inner)
        return CachedPrices()


def save_prices(path: Path | None, prices: CachedPrices) -> None:
    """Keep *prices* in *path*, whole or not at all; a full disk loses the cache, not the prices."""
    if path is None:
        return
    kept: Mapping[str, Any] = {
        "fetched_at": prices.fetched_at and prices.fetched_at.isoformat(),
        "due": prices.due and prices.due.isoformat(),
        "failures": prices.failures,
        "trouble": prices.trouble,
        "slots": [
            [slot.start.isoformat(), slot.end.isoformat(), slot.per_kwh]
            for _, slot in sorted(prices.slots.items())
        ],
    }
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        log.warning("prices are not kept: %s", exc)


def _slot(row: Any) -> PriceSlot:  # noqa: ANN401 - JSON
    start, end, per_kwh = row
    return PriceSlot(
        start=datetime.fromisoformat(start).astimezone(UTC),
        end=datetime.fromisoformat(end).astimezone(UTC),
        per_kwh=float(per_kwh),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
