"""Do something while an expression of the owner's is true.

Expressions are CEL (the Common Expression Language) over the names of ``docs/glossary.md``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeAlias

import cel

from ohmstead.control.words import clock_time
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["Action", "Do", "Rule", "names_of", "rule"]

_TROUBLE: Final = (ValueError, KeyError, TypeError, RuntimeError, ArithmeticError)
"""All that the expression library raises."""

Name: TypeAlias = float | str | None
Names: TypeAlias = Mapping[str, Mapping[str, Name]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """How to do it."""

    power_w: float | None = None
    """How much at most."""
    until_soc: float | None = None
    """The state of charge to stop at: the target of a charge, the floor of a discharge."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.power_w is not None and self.power_w < 0:
            raise ValueError("power_w must be 0 or more; the mode says the direction")
        if self.until_soc is not None and not 0 <= self.until_soc <= 100:  # noqa: PLR2004 - per cent
            raise ValueError("until_soc must be from 0 to 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Exactly one of the battery's modes."""

    charge: Action | None = None
    charge_solar: Action | None = None
    hold: Action | None = None
    discharge: Action | None = None
    export_solar: Action | None = None
    idle: Action | None = None
    self_use: Action | None = None

    def __post_init__(self) -> None:
        """Refuse none, or more than one."""
        if len([f for f in fields(self) if getattr(self, f.name) is not None]) != 1:
            raise ValueError(f"say exactly one of {', '.join(BatteryMode)}")

    @property
    def chosen(self) -> tuple[BatteryMode, Action]:
        """The mode, and how."""
        actions = {mode: getattr(self, mode) for mode in BatteryMode}
        return next((mode, action) for mode, action in actions.items() if action is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """While *when* is true, do *do*."""

    when: str
    """A CEL expression: price.import < 0.05 && battery.soc < 90."""
    do: Do
    lasting_s: float = 0.0
    """How long the expression must have been true before the rule speaks."""
    name: str = ""
    """What to call it in reasons."""

    def __post_init__(self) -> None:
        """Refuse an expression that cannot be understood, or that yields no yes or no."""
        try:
            answers = _answers(self.when)
        except _TROUBLE as exc:
            raise ValueError(f"{self.when!r} cannot be understood: {_say(exc)}") from exc
        if not answers <= {True, False}:
            raise ValueError(f"{self.when!r} must say true or false")
        if self.lasting_s < 0:
            raise ValueError("lasting_s must be 0 or more")


def rule(site: SiteSnapshot, room: Room, settings: Rule) -> Advice:
    """Return what the rule says, if its expression has been true for long enough."""
    names, called = names_of(site), settings.name or settings.when
    missing = _missing(settings.when, names)
    if missing:
        return Advice(reason=f"{', '.join(missing)} is not known for now", blind=True)
    try:
        answer = _program(settings.when).execute(_context(names))
    except _TROUBLE as exc:
        return Advice(reason=f"{called} cannot be answered: {_say(exc)}", blind=True)
    if answer is not True:
        return Advice(reason=f"{called} is not so")
    since = datetime.fromisoformat(site.memory.get("since", site.at.isoformat()))
    memory = {"since": since.isoformat()}
    lasted_s = (site.at - since).total_seconds()
    if lasted_s < settings.lasting_s:
        return Advice(
            reason=f"{called} has been so for {lasted_s:.0f} s of {settings.lasting_s:.0f} s",
            memory=memory,
        )
    mode, action = settings.do.chosen
    charges = mode in {BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR}
    power_w = action.power_w
    return Advice(
        reason=f"{called} has been so since {clock_time(site, since)}",
        room=Room(
            modes=frozenset({mode}),
            charge_w=room.charge_w if power_w is None or not charges else power_w,
            discharge_w=room.discharge_w if power_w is None or charges else power_w,
            floor_pct=0 if action.until_soc is None or charges else action.until_soc,
            ceiling_pct=100 if action.until_soc is None or not charges else action.until_soc,
        ),
        memory=memory,
    )


def names_of(site: SiteSnapshot) -> Names:
    """Return everything an expression may speak of; None where it is not known."""
    buy, sell = site.prices.buy, site.prices.sell
    slot = buy.at(site.at) if buy else None
    next_slot = buy.at(slot.end) if buy and slot else None
    sold = sell.at(site.at) if sell else None
    local, since = site.local, site.mode_since
    battery = site.battery
    names: dict[str, Mapping[str, Name]] = {
        "price": {
            "import": slot.per_kwh if slot else None,
            "next_import": next_slot.per_kwh if next_slot else None,
            "export": sold.per_kwh if sold else None,
        },
        "battery": {
            "soc": battery.soc_pct if battery else None,
            "power_w": battery.power_w if battery else None,
        },
        "grid": {"power_w": site.grid_w},
        "pv": {"power_w": site.pv_w},
        "load": {"power_w": site.load_w},
        "car": {"power_w": site.car_w},
        "time": {
            "hour": local.hour,
            "minute": local.minute,
            "weekday": local.isoweekday(),
            "hhmm": f"{local:%H:%M}",
        },
        "mode": {
            "name": site.mode or "",
            "for_s": (site.at - since).total_seconds() if since else 0.0,
        },
    }
    return names


def _missing(expression: str, names: Names) -> list[str]:
    """Return the names that *expression* uses and nobody knows now."""
    return [
        f"{group}.{name}"
        for group, values in names.items()
        for name, value in values.items()
        if value is None and re.search(rf"\b{group}\.{name}\b", expression)
    ]


def _answers(expression: str) -> set[object]:
    """Return what *expression* says with all names low, and with all high.

    Two houses, so that a mistake behind an "or" or an "and" is found before the night it matters.
    """
    nothing = names_of(SiteSnapshot(at=datetime(2026, 1, 1, tzinfo=UTC)))
    examples = (
        {
            group: {name: number if value is None else value for name, value in values.items()}
            for group, values in nothing.items()
        }
        for number in (-1e6, 1e6)
    )
    return {_program(expression).execute(_context(names)) for names in examples}


def _context(names: Names) -> cel.Context:
    return cel.Context(variables={group: dict(values) for group, values in names.items()})


def _say(error: Exception) -> str:
    """Return the first sentence of what the expression library says, and what to do."""
    said = str(error).strip().splitlines()[0].split(". ")[0]
    mixed = "float" in said and "int" in said
    return f"{said}; write 200 as 200.0 to calculate with powers" if mixed else said


@lru_cache(maxsize=256)
def _program(expression: str) -> cel.Program:
    return cel.compile(expression)
