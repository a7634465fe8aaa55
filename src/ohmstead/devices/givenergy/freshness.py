"""How old words may grow: before they are asked for again, and before they count as gone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ohmstead.devices.givenergy.frames import INVERTER, Function
from ohmstead.devices.givenergy.registers import Model, Page, Rhythm
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.devices.givenergy.station import Place
from ohmstead.model import Value
from ohmstead.registers import Heard, Register, RegisterTable

__all__ = ["LIVE_MOST_S", "Deferred", "Freshness"]

LIVE_MOST_S: Final = 60.0
"""A measurement older than this is no measurement."""
_FAILED_S: Final = 45.0
_ABSENT_S: Final = 6 * 3600.0
_MISSES: Final = 3
_SELDOM: Final = 15
"""How much older than the others the settings may be that only an installer changes."""
_MISSED: Final = 5
"""So many polls of a counter may fail before its value counts as gone."""


@dataclass(slots=True)
class Deferred:
    """Pages that could not be read, each with the time before which it is left alone."""

    _not_before: dict[tuple[Place, int], float] = field(default_factory=dict)
    _misses: Counter[tuple[Place, int]] = field(default_factory=Counter)

    def waits(self, place: Place, page: Page, now: float) -> bool:
        """Tell whether *page* of *place* is not to be asked for yet."""
        return now < self._not_before.get((place, page.first), now)

    def failed(self, place: Place, page: Page, now: float) -> None:
        """Leave *page* alone for a while, so that a silent one does not slow down the others."""
        if page.rhythm is not Rhythm.LIVE:
            self._not_before[place, page.first] = now + _FAILED_S

    def absent(self, place: Place, page: Page, now: float) -> None:
        """Take *page* for one that this firmware does not have, once it was missed three times."""
        key = place, page.first
        self._misses[key] += 1
        self._not_before[key] = now + (_FAILED_S if self._misses[key] < _MISSES else _ABSENT_S)


@dataclass(frozen=True, slots=True)
class Freshness:
    """What an owner asked for, by page and by register."""

    settings: GivEnergySettings

    def wanted_s(self, page: Page) -> float:
        """Return the age at which *page* is asked for again."""
        match page.rhythm, page.function:
            case Rhythm.LIVE, _:
                return self.settings.fresh_s
            case Rhythm.SELDOM, _:
                return _SELDOM * self.settings.settings_fresh_s
            case _, Function.READ_HOLD:
                return self.settings.settings_fresh_s
            case _:
                return self.settings.counters_fresh_s

    def outdated(
        self,
        place: Place,
        table: RegisterTable,
        names: Mapping[str, Value | None],
        heard: Heard,
        model: Model,
        now: float,
    ) -> dict[str, str]:
        """Return the registers heard too long ago to be passed off as new, each with its age."""
        live = [page for page in model.pages if page.rhythm is Rhythm.LIVE]
        found: dict[str, str] = {}
        for name in names:
            row = table[name]
            age_s = heard.age_s(row.addresses, now)
            if age_s > self._most_s(place, row, live):
                found[name] = f"not heard for {age_s:.0f} s"
        return found

    def _most_s(self, place: Place, row: Register, live: list[Page]) -> float:
        if place[1] is Function.READ_HOLD:
            return 2 * _SELDOM * self.settings.settings_fresh_s
        fast = any(page.first <= row.address < page.first + page.count for page in live)
        if fast and place[0] == INVERTER:
            return LIVE_MOST_S
        return max(_MISSED * self.settings.counters_fresh_s, LIVE_MOST_S)
