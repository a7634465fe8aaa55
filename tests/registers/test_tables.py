"""Every table of every family: what a person compares with the vendor's list, checked by rule."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.config.catalogue import FAMILIES
from ohmstead.model import UNITS, Button, Choice, Instant, Range, Switch, Text, TimeOfDay, Value
from ohmstead.registers import (
    Ascii,
    Bits,
    Clock,
    Float,
    Integer,
    Press,
    Register,
    RegisterTable,
    Time,
    Truth,
    claims,
)

NAMES = sorted(FAMILIES)


def tables() -> Iterator[tuple[str, RegisterTable]]:
    """Yield every table of every family and model once."""
    for name in NAMES:
        family = import_module(f"ohmstead.devices.{name}.registers")
        seen: list[RegisterTable] = []
        named = [(f"{n}-{table.space}", table) for n, table in enumerate(family.TABLES)]
        for model in getattr(family, "MODELS", ()):
            named += [
                (f"{model}-{space}", table) for space, table in family.tables_for(model).items()
            ]
        for key, table in named:
            if table not in seen:
                seen.append(table)
                yield f"{name}-{key}", table


TABLES = dict(tables())
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


def tables_with(*kinds: type) -> pytest.MarkDecorator:
    """Return what goes through the tables in which something of *kinds* can be written."""
    found = {
        name: table
        for name, table in TABLES.items()
        if any(isinstance(row.writable, kinds) for row in table)
    }
    return pytest.mark.parametrize("table", found.values(), ids=found.keys())


BARE_SETTINGS = {"language": "a code of the display, whose words no vendor lists"}
"""Numbers to be written that have no unit, each with its reason."""

BARE_WORDS = {"factor": "a power factor is a bare number between -1 and 1"}
"""Words in the name of a scaled number that has no unit, each with its reason."""

UNIT_SPACES = ("battery", "battery_control", "meter", "module", "product", "stack")
"""What hangs behind a device and has pages of its own; a number follows where there are several."""

STRANGE_UNITS = (
    *("_kw", "_mw", "_watt", "_watts", "_power", "_kva", "_kvar", "_mwh"),
    *("_volt", "_volts", "_voltage", "_amp", "_amps", "_current"),
    *("_percent", "_soc", "_ms", "_sec", "_seconds", "_minutes", "_hours"),
    *("_deg", "_degc", "_celsius", "_temp", "_temperature"),
)
"""Endings that want to be a unit and are none of ours."""


@every_table
def test_no_bit_is_claimed_by_two_registers(table: RegisterTable) -> None:
    claimed = Counter(claim for row in table for claim in claims(row))
    assert [claim for claim, times in claimed.items() if times > 1] == []


@every_table
def test_rows_stand_in_address_order_and_bits_from_the_lowest(table: RegisterTable) -> None:
    places = [(row.address, row.word.mask & -row.word.mask) for row in table]
    assert places == sorted(places)


@every_table
def test_a_table_knows_its_family_and_space(table: RegisterTable) -> None:
    assert table.family.split()[0] in NAMES
    kind = table.space.rstrip("0123456789").rstrip("_")
    assert kind in {"input", "holding", "coil", "discrete", *UNIT_SPACES}


@every_table
def test_names_are_words_in_lower_case(table: RegisterTable) -> None:
    assert [
        row.name for row in table if not row.name.isidentifier() or not row.name.islower()
    ] == []


@every_table
def test_a_number_that_was_scaled_says_its_unit(table: RegisterTable) -> None:
    assert [row.name for row in table if row.point.unit is None and not unitless(row)] == []


@every_table
def test_no_name_ends_in_a_unit_that_is_none_of_ours(table: RegisterTable) -> None:
    assert not set(STRANGE_UNITS) & set(UNITS)
    strange = [row.name for row in table if row.name.endswith(STRANGE_UNITS)]
    assert strange == []


@every_table
def test_every_point_has_a_label(table: RegisterTable) -> None:
    assert [row.name for row in table if not row.point.label.strip()] == []


@every_table
def test_names_of_options_and_flags_are_unique_and_fit_their_word(table: RegisterTable) -> None:
    for row in table:
        options, flags = row.options or {}, row.flags or {}
        assert len(set(options.values())) == len(options), row.name
        assert len(set(flags.values())) == len(flags), row.name
        assert not any("," in name for name in flags.values()), row.name
        for value in (*options.values(), *flags.values()):
            assert there_and_back(row, value) == value, row.name


@every_table
def test_a_register_has_either_options_or_flags_and_neither_with_a_scale(
    table: RegisterTable,
) -> None:
    named = [row for row in table if row.options or row.flags]
    assert [row.name for row in named if row.options and row.flags] == []
    assert [row.name for row in named if row.scale != 1 or row.offset] == []


@every_table
def test_only_numbers_can_be_implausible(table: RegisterTable) -> None:
    doubtful = [(row, row.plausible) for row in table if row.plausible is not None]
    assert [row.name for row, _ in doubtful if row.options or row.flags or not numeric(row)] == []
    assert [row.name for row, bounds in doubtful if bounds.low >= bounds.high] == []


@every_table
def test_what_may_be_written_is_of_the_words_own_kind(table: RegisterTable) -> None:
    misfits = [row.name for row in table if row.writable is not None and not fitting(row)]
    assert misfits == []


@every_table
def test_a_range_fits_its_word_and_its_steps_are_those_of_the_scale(table: RegisterTable) -> None:
    for row, bounds in ranges(table):
        assert bounds.low < bounds.high, row.name
        for end in (bounds.low, bounds.high):
            assert there_and_back(row, end) == pytest.approx(end), row.name
        steps = bounds.step / abs(row.scale)
        assert steps == pytest.approx(round(steps)), row.name
        assert steps > 0.5, row.name
        span = (bounds.high - bounds.low) / bounds.step
        assert span == pytest.approx(round(span)), row.name


@tables_with(Range)
@given(data=st.data())
def test_every_step_of_a_range_is_what_the_device_then_shows(
    table: RegisterTable, data: st.DataObject
) -> None:
    for row, bounds in ranges(table):
        most = round((bounds.high - bounds.low) / bounds.step)
        number = bounds.low + data.draw(st.integers(0, most)) * bounds.step
        (write,) = table.encode(**{row.name: number})
        assert write.mask == row.word.mask
        shown = row.decode(dict(zip(row.addresses, write.words, strict=True)))
        assert shown == pytest.approx(number), row.name


@every_table
@pytest.mark.parametrize("value", [False, True])
def test_every_switch_is_one_bit_that_turns(table: RegisterTable, value: bool) -> None:
    for row in table:
        if isinstance(row.writable, Switch):
            assert there_and_back(row, value) is value, row.name


@tables_with(TimeOfDay, Instant)
@given(of_day=st.times(), moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_every_writable_time_comes_back(
    table: RegisterTable, of_day: time, moment: datetime
) -> None:
    for row in table:
        if isinstance(row.writable, TimeOfDay | Instant):
            taken = row.point.check(of_day if isinstance(row.writable, TimeOfDay) else moment)
            assert there_and_back(row, taken) == taken, row.name


def unitless(row: Register) -> bool:
    """Tell whether *row* needs no unit: text, a time, a state, a code or a count as it stands."""
    if isinstance(row.writable, Range):
        return row.name in BARE_SETTINGS
    if not numeric(row) or row.options or row.flags:
        return True
    if set(BARE_WORDS) & set(row.name.split("_")):
        return True
    return row.scale == 1 and not row.offset and isinstance(row.word, Integer | Bits)


def numeric(row: Register) -> bool:
    return not isinstance(row.word, Ascii | Time | Clock | Truth | Press)


def fitting(row: Register) -> bool:
    whole = isinstance(row.word, Integer | Bits)
    match row.writable:
        case Range():
            fits = (whole or isinstance(row.word, Float)) and not row.options
        case Choice(options):
            fits = row.options is not None and set(options) <= set(row.options.values())
        case TimeOfDay():
            fits = isinstance(row.word, Time)
        case Instant():
            fits = isinstance(row.word, Clock)
        case Button():
            fits = whole or isinstance(row.word, Press)
        case Text(length):
            fits = isinstance(row.word, Ascii) and length <= 2 * row.word.words
        case _:
            fits = whole and row.scale == 1
    return fits


def ranges(table: RegisterTable) -> list[tuple[Register, Range]]:
    return [(row, row.writable) for row in table if isinstance(row.writable, Range)]


def there_and_back(row: Register, value: Value) -> Value | None:
    return row.decode(dict(zip(row.addresses, row.encode(value), strict=True)))
