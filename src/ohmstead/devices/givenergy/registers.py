"""Which GivEnergy models there are: how they are told apart, what they answer, what they take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ohmstead.devices.givenergy.frames import Function
from ohmstead.devices.givenergy.holdings import (
    BEHAVIOUR,
    CLOCK,
    COMMERCIAL,
    COMMON,
    GRID_PORT,
    SECOND_SLOT,
    SECOND_SLOT_OF_TEN,
    SMART_LOADS,
    TEN_SLOTS,
)
from ohmstead.devices.givenergy.inputs import (
    GEN1_ENERGIES,
    GENERATION,
    MEASURED,
    MORE_ENERGIES,
)
from ohmstead.devices.givenergy.plants import EMS_HOLDINGS, EMS_INPUTS, GATEWAY_V1, GATEWAY_V2
from ohmstead.devices.givenergy.three_phase import THREE_PHASE_HOLDINGS, THREE_PHASE_INPUTS
from ohmstead.devices.givenergy.units import (
    BMS,
    METER,
    METER_PRODUCT,
    MODULE,
    PACK,
    PACK_CONTROL,
    STACK,
)
from ohmstead.registers import Register, RegisterTable

__all__ = [
    "MODELS",
    "TABLES",
    "UNKNOWN",
    "Batteries",
    "Model",
    "Page",
    "Rhythm",
    "model_of",
    "tables_for",
    "unit_table",
]


class Rhythm(StrEnum):
    """How fast the words of a page change."""

    LIVE = "live"
    """Measurements: with every reading."""
    OFTEN = "often"
    """Counters, packs and everyday settings."""
    SELDOM = "seldom"
    """What only an installer changes."""


class Batteries(StrEnum):
    """What hangs behind the inverter."""

    PACKS = "packs"
    """Low-voltage packs, each at an address of its own."""
    STACKS = "stacks"
    """High-voltage stacks of modules."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A block of words that is read in one go: blocks of 60, as everybody asks for them."""

    function: Function
    first: int
    count: int = 60
    rhythm: Rhythm = Rhythm.OFTEN
    optional: bool = False
    """Not every firmware has it; silence about it means just that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One way of counting and obeying; several products share it."""

    name: str
    title: str
    inputs: RegisterTable
    holdings: RegisterTable
    pages: tuple[Page, ...]
    batteries: Batteries = Batteries.PACKS
    battery_v: float = 51.2
    """What amp-hours are multiplied with to make watt-hours."""
    by_rated: bool = False
    """Whether it heeds charge rates in per cent of its rated power; else of the capacity."""
    controller: bool = False
    """Whether its packs have a controller page of their own, at 0x31."""

    def has(self, point: str) -> bool:
        """Tell whether it has the setting *point*."""
        return point in self.holdings


def _holdings(*groups: Iterable[Register]) -> RegisterTable:
    rows = [row for group in groups for row in group]
    rows.sort(key=lambda row: (row.address, row.word.mask & -row.word.mask))
    return RegisterTable("givenergy", tuple(rows), "holding")


def _inputs(*rows: Register) -> RegisterTable:
    return RegisterTable("givenergy", rows, "input")


def _only_shown(rows: Iterable[Register], *, but: frozenset[int] = frozenset()) -> list[Register]:
    """Return *rows* without the right to write them, *but* for some addresses."""
    return [row if row.address in but else replace(row, writable=None) for row in rows]


def _hold(first: int, rhythm: Rhythm, *, count: int = 60, optional: bool = False) -> Page:
    return Page(
        function=Function.READ_HOLD, first=first, count=count, rhythm=rhythm, optional=optional
    )


def _measure(first: int, rhythm: Rhythm, *, count: int = 60, optional: bool = False) -> Page:
    return Page(
        function=Function.READ_INPUT, first=first, count=count, rhythm=rhythm, optional=optional
    )


_IDENTITY: Final = (_hold(0, Rhythm.OFTEN),)
_SINGLE: Final = (
    _measure(0, Rhythm.LIVE),
    *_IDENTITY,
    _hold(60, Rhythm.OFTEN),
    _measure(180, Rhythm.OFTEN, optional=True),
    _hold(120, Rhythm.SELDOM),
    _hold(180, Rhythm.SELDOM, optional=True),
)
_SLOTS: Final = (_hold(240, Rhythm.OFTEN),)
_PORT: Final = (_hold(300, Rhythm.OFTEN),)
_MAYBE_PORT: Final = (_hold(300, Rhythm.OFTEN, optional=True),)
_ALL_GENERATION: Final = (_measure(240, Rhythm.LIVE, optional=True),)
_LOADS: Final = (_hold(540, Rhythm.SELDOM, count=34, optional=True),)
_CABINETS: Final = (
    _hold(499, Rhythm.SELDOM, count=12, optional=True),
    _hold(20000, Rhythm.SELDOM, count=52, optional=True),
)
_THREE: Final = (
    _measure(1000, Rhythm.LIVE),
    _measure(1060, Rhythm.LIVE),
    _measure(1120, Rhythm.LIVE),
    _measure(1180, Rhythm.OFTEN),
    _measure(1240, Rhythm.OFTEN),
    _measure(1300, Rhythm.OFTEN),
    _measure(1360, Rhythm.OFTEN),
    *_IDENTITY,
    _hold(60, Rhythm.OFTEN),
    _hold(1000, Rhythm.SELDOM),
    _hold(1060, Rhythm.OFTEN),
    _hold(1120, Rhythm.OFTEN, count=5),
    _hold(120, Rhythm.SELDOM),
    _hold(180, Rhythm.SELDOM, optional=True),
)
_GATEWAY_PAGES: Final = (
    *(_measure(first, Rhythm.LIVE) for first in (1600, 1660, 1780)),
    *(_measure(first, Rhythm.OFTEN) for first in (1720, 1840)),
)

_TWO_SLOTS: Final = _holdings(COMMON, SECOND_SLOT, BEHAVIOUR)
_TWO_SLOTS_PORT: Final = _holdings(COMMON, SECOND_SLOT, BEHAVIOUR, GRID_PORT)
_TEN_SLOTS: Final = _holdings(COMMON, SECOND_SLOT_OF_TEN, BEHAVIOUR, TEN_SLOTS, GRID_PORT)
_WITH_LOADS: Final = _holdings(
    COMMON, SECOND_SLOT_OF_TEN, BEHAVIOUR, TEN_SLOTS, GRID_PORT, SMART_LOADS
)
_GATEWAY_HOLDINGS: Final = _holdings(
    row for row in _TEN_SLOTS if row.address not in range(180, 240)
)
"""It is not asked for the inverter's own faults, and has faults of its own."""
_THREE_WRITABLE: Final = frozenset({20, 27, 29, CLOCK.address, 50, 59, 111, 112, 114, 163, 166})
_THREE_NAMES: Final = frozenset(row.name for row in THREE_PHASE_HOLDINGS)
_THREE_COMMON: Final = tuple(
    row
    for row in _only_shown((*COMMON, *BEHAVIOUR), but=_THREE_WRITABLE)
    if row.name not in _THREE_NAMES and row.address not in {96, 110}
)
_THREE_HOLDINGS: Final = _holdings(_THREE_COMMON, THREE_PHASE_HOLDINGS)
_THREE_PORT: Final = _holdings(
    _THREE_COMMON, THREE_PHASE_HOLDINGS, (row for row in GRID_PORT if row.name not in _THREE_NAMES)
)
_THREE_CABINETS: Final = _holdings(
    _THREE_COMMON,
    THREE_PHASE_HOLDINGS,
    (row for row in COMMERCIAL if row.name not in _THREE_NAMES),
)
_SHOWN: Final = _holdings(_only_shown((*COMMON, *SECOND_SLOT), but=frozenset({CLOCK.address})))
"""What a model shows whose control nobody has seen."""
_EMS_HOLDINGS: Final = _holdings(
    (
        row
        for row in _only_shown(COMMON, but=frozenset({CLOCK.address}))
        if row.address < 60  # noqa: PLR2004 - it answers nothing useful beyond the first page
        and "slot" not in row.name
    ),
    EMS_HOLDINGS,
)
_MEASURED: Final = _inputs(*MEASURED, *MORE_ENERGIES)
_GEN1_INPUTS: Final = _inputs(*MEASURED, *MORE_ENERGIES).replacing(*GEN1_ENERGIES)
_GEN3_INPUTS: Final = _inputs(*MEASURED, *MORE_ENERGIES, *GENERATION)
_THREE_INPUTS: Final = _inputs(*THREE_PHASE_INPUTS)
_EMS_INPUTS: Final = RegisterTable("givenergy EMS", EMS_INPUTS, "input")

_ALL: Final = (
    Model(
        name="hybrid_gen1",
        title="Hybrid, generation 1",
        inputs=_GEN1_INPUTS,
        holdings=_TWO_SLOTS,
        pages=_SINGLE,
    ),
    Model(
        name="hybrid_gen2",
        title="Hybrid, generation 2",
        inputs=_MEASURED,
        holdings=_TWO_SLOTS_PORT,
        pages=(*_SINGLE, *_MAYBE_PORT),
        controller=True,
    ),
    Model(
        name="hybrid_gen3_two_slots",
        title="Hybrid, generation 3 with old firmware",
        inputs=_GEN3_INPUTS,
        holdings=_TWO_SLOTS_PORT,
        pages=(*_SINGLE, *_ALL_GENERATION, *_MAYBE_PORT),
        controller=True,
    ),
    Model(
        name="hybrid_gen3",
        title="Hybrid, generation 3",
        inputs=_GEN3_INPUTS,
        holdings=_TEN_SLOTS,
        pages=(*_SINGLE, *_ALL_GENERATION, *_SLOTS, *_MAYBE_PORT),
        controller=True,
    ),
    Model(
        name="hybrid_gen3_plus",
        title="Hybrid, generation 3 plus",
        inputs=_GEN3_INPUTS,
        holdings=_WITH_LOADS,
        pages=(*_SINGLE, *_ALL_GENERATION, *_SLOTS, *_MAYBE_PORT, *_LOADS),
        controller=True,
    ),
    Model(
        name="hybrid_gen4",
        title="Hybrid, generation 4, battery ready",
        inputs=_GEN3_INPUTS,
        holdings=_WITH_LOADS,
        pages=(*_SINGLE, *_ALL_GENERATION, *_SLOTS, *_MAYBE_PORT, *_LOADS),
        controller=True,
    ),
    Model(
        name="hybrid_hv_gen3",
        title="High-voltage hybrid, generation 3",
        inputs=_GEN3_INPUTS,
        holdings=_TEN_SLOTS,
        pages=(*_SINGLE, *_ALL_GENERATION, *_SLOTS, *_MAYBE_PORT),
        batteries=Batteries.STACKS,
        battery_v=76.8,
    ),
    Model(
        name="polar",
        title="Polar or ALPS hybrid",
        inputs=_MEASURED,
        holdings=_TWO_SLOTS,
        pages=_SINGLE,
    ),
    Model(
        name="pv_only",
        title="PV inverter without a battery",
        inputs=_inputs(*MEASURED),
        holdings=_SHOWN,
        pages=(_measure(0, Rhythm.LIVE), *_IDENTITY, _hold(60, Rhythm.SELDOM)),
        batteries=Batteries.NONE,
    ),
    Model(
        name="ac_coupled",
        by_rated=True,
        title="AC-coupled",
        inputs=_MEASURED,
        holdings=_TWO_SLOTS_PORT,
        pages=(*_SINGLE, *_PORT),
    ),
    Model(
        name="all_in_one",
        by_rated=True,
        title="All-in-One",
        inputs=_MEASURED,
        holdings=_TEN_SLOTS,
        pages=(*_SINGLE, *_SLOTS, *_PORT),
        batteries=Batteries.STACKS,
        battery_v=307.0,
    ),
    Model(
        name="all_in_one_hybrid",
        by_rated=True,
        title="All-in-One hybrid, three-phase",
        inputs=_THREE_INPUTS,
        holdings=_THREE_PORT,
        pages=(*_THREE, *_MAYBE_PORT),
        batteries=Batteries.STACKS,
        battery_v=76.8,
    ),
    Model(
        name="hybrid_3ph",
        by_rated=True,
        title="Three-phase hybrid",
        inputs=_THREE_INPUTS,
        holdings=_THREE_HOLDINGS,
        pages=_THREE,
        batteries=Batteries.STACKS,
        battery_v=76.8,
    ),
    Model(
        name="ac_3ph",
        by_rated=True,
        title="Three-phase AC-coupled",
        inputs=_THREE_INPUTS,
        holdings=_THREE_PORT,
        pages=(*_THREE, *_MAYBE_PORT),
        batteries=Batteries.STACKS,
        battery_v=76.8,
    ),
    Model(
        name="commercial",
        by_rated=True,
        title="Commercial three-phase",
        inputs=_THREE_INPUTS,
        holdings=_THREE_CABINETS,
        pages=(*_THREE, *_CABINETS),
        batteries=Batteries.STACKS,
        battery_v=76.8,
    ),
    Model(
        name="ems",
        title="Energy management system",
        inputs=_EMS_INPUTS,
        holdings=_EMS_HOLDINGS,
        pages=(
            _measure(2040, Rhythm.LIVE, count=55),
            *_IDENTITY,
            _hold(2040, Rhythm.OFTEN, count=36),
        ),
        batteries=Batteries.NONE,
    ),
    Model(
        name="gateway",
        title="Gateway",
        inputs=GATEWAY_V2,
        holdings=_GATEWAY_HOLDINGS,
        pages=(
            *_GATEWAY_PAGES,
            *_IDENTITY,
            _hold(60, Rhythm.OFTEN),
            *_SLOTS,
            *_MAYBE_PORT,
            _hold(120, Rhythm.SELDOM),
        ),
        batteries=Batteries.NONE,
        battery_v=307.0,
    ),
    Model(
        name="gateway_v1",
        title="Gateway with firmware up to GA000009",
        inputs=GATEWAY_V1,
        holdings=_GATEWAY_HOLDINGS,
        pages=(
            *_GATEWAY_PAGES,
            *_IDENTITY,
            _hold(60, Rhythm.OFTEN),
            *_SLOTS,
            *_MAYBE_PORT,
            _hold(120, Rhythm.SELDOM),
        ),
        batteries=Batteries.NONE,
        battery_v=307.0,
    ),
)
MODELS: Final[Mapping[str, Model]] = MappingProxyType({model.name: model for model in _ALL})
UNKNOWN: Final = Model(
    name="unknown",
    title="GivEnergy",
    inputs=_inputs(),
    holdings=_holdings(_only_shown(COMMON[:9])),
    pages=_IDENTITY,
    batteries=Batteries.NONE,
)
"""A device that has not said yet what it is."""

TABLES: Final = (
    _GEN1_INPUTS,
    _GEN3_INPUTS,
    _TWO_SLOTS_PORT,
    _WITH_LOADS,
    RegisterTable("givenergy three-phase", THREE_PHASE_INPUTS, "input"),
    RegisterTable("givenergy three-phase", _THREE_PORT.rows, "holding"),
    RegisterTable("givenergy commercial", COMMERCIAL, "holding"),
    _EMS_INPUTS,
    RegisterTable("givenergy EMS", _EMS_HOLDINGS.rows, "holding"),
    GATEWAY_V1,
    GATEWAY_V2,
    PACK,
    PACK_CONTROL,
    BMS,
    STACK,
    MODULE,
    METER,
    METER_PRODUCT,
)

_UNITS: Final = {
    "battery_control": PACK_CONTROL,
    "battery": PACK,
    "stack": STACK,
    "module": MODULE,
    "meter": METER,
}


def unit_table(kind: str, number: int | None = None) -> RegisterTable:
    """Return the table of the *number*th unit of *kind*, its names with that before them.

    >>> unit_table("battery", 2)["battery_2_soc_pct"].address
    100
    """
    name = kind if number is None else f"{kind}_{number}"
    return _UNITS[kind].prefixed(f"{name}_", name)


def tables_for(model: str) -> Mapping[str, RegisterTable]:
    """Return the tables of the model called *model*, by address space; units are spaces too."""
    found = MODELS[model]
    units = [unit_table("battery", n) for n in range(1, 7)]
    units += [unit_table("meter", n) for n in range(1, 9)]
    units += [unit_table("module", n) for n in range(1, 7)] + [unit_table("stack", 1)]
    tables = (found.inputs, found.holdings, unit_table("battery_control"), *units)
    return {table.space: table for table in tables}


def model_of(device_type: int, arm_firmware: int) -> Model | None:
    """Return the model that calls itself so, or None if it is not one we know.

    >>> model_of(0x2003, 920).name, model_of(0x8001, 620).name
    ('hybrid_gen2', 'all_in_one')
    """
    kind = device_type >> 8
    if kind == _HYBRID:
        return MODELS[_generation(arm_firmware)]
    name = _BY_TYPE.get(kind)
    return MODELS[name] if name else None


_HYBRID: Final = 0x20
_BY_TYPE: Final = {
    0x21: "polar",
    0x22: "hybrid_gen3_plus",
    0x23: "pv_only",
    0x24: "polar",
    0x25: "polar",
    0x30: "ac_coupled",
    0x40: "hybrid_3ph",
    0x41: "commercial",
    0x50: "ems",
    0x51: "ems",
    0x60: "ac_3ph",
    0x70: "gateway",
    0x80: "all_in_one",
    0x81: "hybrid_hv_gen3",
    0x82: "all_in_one_hybrid",
    0x83: "hybrid_gen4",
}


def _generation(arm_firmware: int) -> str:
    """Return which hybrid it is: the firmware's hundreds tell, and its last digits on 3xx."""
    match arm_firmware // 100:
        case 3:
            # 303 is the first with ten slots.
            return "hybrid_gen3" if arm_firmware > 302 else "hybrid_gen3_two_slots"  # noqa: PLR2004 - see above
        case 8 | 9:
            return "hybrid_gen2"
        case _:
            return "hybrid_gen1"
