"""What hangs behind the inverter: asked for, remembered, and looked for again now and then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ohmstead.devices.givenergy.frames import Function
from ohmstead.devices.givenergy.guard import is_serial
from ohmstead.devices.givenergy.registers import Batteries, Model, unit_table
from ohmstead.devices.givenergy.station import PACKS, Place
from ohmstead.model import Value
from ohmstead.registers import RegisterTable

__all__ = ["STACK_COUNT", "Topology", "Unit"]

STACK_COUNT: Final = (0xA0, 60, 5)
"""Where a high-voltage system says how many stacks it has: address, first register, count."""


@dataclass(slots=True, kw_only=True)
class Unit:
    """One thing with a page of its own."""

    address: int
    table: RegisterTable
    count: int
    present: Callable[[Mapping[str, Value | None]], bool]
    """Tells it from an address that answers nonsense when nothing is there."""
    found: bool = False
    tries: int = 0
    due_at: float = 0.0
    """When to ask for it again."""

    @property
    def name(self) -> str:
        """What its points begin with."""
        return self.table.space

    @property
    def place(self) -> Place:
        """Where its words are."""
        return self.address, Function.READ_INPUT

    def decode(self, words: Mapping[int, int]) -> Mapping[str, Value | None]:
        """Return what *words* say, by point."""
        return self.table.decode(words).values

    def looked(self, words: Sequence[int] | None, now: float) -> None:
        """Take what a look at *now* brought: None is silence."""
        self.tries += 1
        values = self.decode(dict(enumerate(words, start=_FIRST))) if words else {}
        if self.present(values):
            self.found, self.due_at = True, 0.0
        else:
            # Silent at first may be deaf for a moment; silent again is not there.
            self.due_at = now + (_SOON_S if self.tries < _TRIES else _LATER_S)


@dataclass(slots=True)
class Topology:
    """All units there are or may be."""

    units: list[Unit] = field(default_factory=list)
    stacks_asked: bool = False

    @classmethod
    def of(cls, model: Model) -> "Topology":
        """Return what may hang behind *model*."""
        units = []
        if model.batteries is Batteries.PACKS:
            units += [
                _unit("battery", n, address, _has_serial) for n, address in enumerate(PACKS, 1)
            ]
        if model.controller:
            units.append(_unit("battery_control", None, _CONTROL, _has_anything, count=4))
        if model.batteries is Batteries.STACKS:
            units.append(_unit("stack", 1, _STACKS, _has_modules))
        units += [_unit("meter", n, n, _has_voltage, count=30) for n in range(1, 9)]
        return cls(units)

    @property
    def found(self) -> list[Unit]:
        """Return the units that are there."""
        return [unit for unit in self.units if unit.found]

    @property
    def known(self) -> bool:
        """Whether each of them was looked for, at least once."""
        return all(unit.found or unit.tries for unit in self.units)

    def due(self, now: float) -> list[Unit]:
        """Return the units to look for now."""
        return [unit for unit in self.units if not unit.found and unit.due_at <= now]

    def stacked(self, stacks: int, modules: int) -> None:
        """Take over how many *stacks* there are, and how many *modules* in each."""
        known = {unit.name for unit in self.units}
        more = [
            *(_unit("stack", n, _STACKS + n - 1, _has_modules) for n in range(2, stacks + 1)),
            *(_unit("module", n, _MODULES + n - 1, _has_serial) for n in range(1, modules + 1)),
        ]
        self.units += [unit for unit in more if unit.name not in known]


_FIRST: Final = 60
_CONTROL: Final = 0x31
_STACKS: Final = 0x70
_MODULES: Final = 0x50
_TRIES: Final = 3
_SOON_S: Final = 30.0
_LATER_S: Final = 6 * 3600.0


def _unit(
    kind: str,
    number: int | None,
    address: int,
    present: Callable[[Mapping[str, Value | None]], bool],
    *,
    count: int = 60,
) -> Unit:
    return Unit(address=address, table=unit_table(kind, number), count=count, present=present)


def _has_serial(values: Mapping[str, Value | None]) -> bool:
    return any(name.endswith("_serial") and is_serial(value) for name, value in values.items())


def _has_anything(values: Mapping[str, Value | None]) -> bool:
    return any(values.values())


def _has_modules(values: Mapping[str, Value | None]) -> bool:
    return any(name.endswith("_module_count") and value for name, value in values.items())


def _has_voltage(values: Mapping[str, Value | None]) -> bool:
    return any(name.endswith("_phase_1_v") and value for name, value in values.items())
