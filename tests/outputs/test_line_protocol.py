"""Line protocol says exactly what was meant, whatever the names and values are."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houses import NOON
from ohmstead.outputs.line_protocol import FieldValue, Line, Precision, encode

NOON_S = 1_782_043_200


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param(
            Line(
                measurement="toy", tags={"site": "home", "device": "a"}, fields={"w": 1.5}, at=NOON
            ),
            f"toy,device=a,site=home w=1.5 {NOON_S}000000000",
            id="tags are sorted",
        ),
        pytest.param(
            Line(measurement="m,a b", tags={"t =,": "v, ="}, fields={"f =,": 1.0}, at=NOON),
            rf"m\,a\ b,t\ \=\,=v\,\ \= f\ \=\,=1.0 {NOON_S}000000000",
            id="what separates is escaped",
        ),
        pytest.param(
            Line(measurement="m", fields={"a": 1, "b": True, "c": False, "d": -0.5}, at=NOON),
            f"m a=1i,b=true,c=false,d=-0.5 {NOON_S}000000000",
            id="each type in its own way",
        ),
        pytest.param(
            Line(measurement="m", fields={"a": 1 << 63, "b": 1e300, "c": 20.0}, at=NOON),
            f"m a=9.223372036854776e+18,b=1e+300,c=20.0 {NOON_S}000000000",
            id="an integer too large is a float",
        ),
        pytest.param(
            Line(measurement="m", fields={"a": 'say "\\n",\nor not'}, at=NOON),
            rf'm a="say \"\\n\", or not" {NOON_S}000000000',
            id="text keeps its quotes and backslashes, but stays on one line",
        ),
        pytest.param(
            Line(measurement="#1\\", tags={"t": "c:\\"}, fields={'a"\\': 1.0}, at=NOON),
            f"_1/,t=c:/ a'/=1.0 {NOON_S}000000000",
            id="a name neither begins a comment, nor quotes, nor escapes what follows",
        ),
        pytest.param(
            Line(measurement="m", tags={"t": "", "u": " \n"}, fields={"a": 1.0, "": 2.0}, at=NOON),
            f"m a=1.0 {NOON_S}000000000",
            id="what has no name or value is left out",
        ),
    ],
)
def test_a_line(line: Line, text: str) -> None:
    assert encode([line]) == [text]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(Line(measurement="m", fields={}, at=NOON), id="no field"),
        pytest.param(
            Line(measurement="m", fields={"a": math.nan, "b": -math.inf}, at=NOON), id="no number"
        ),
        pytest.param(Line(measurement="\n", fields={"a": 1.0}, at=NOON), id="no measurement"),
    ],
)
def test_a_line_that_says_nothing_is_not_written(line: Line) -> None:
    assert encode([line]) == []


@pytest.mark.parametrize(
    ("precision", "stamp"),
    [
        ("ns", f"{NOON_S - 1}999999000"),
        ("us", f"{NOON_S - 1}999999"),
        ("ms", f"{NOON_S - 1}999"),
        ("s", f"{NOON_S - 1}"),
    ],
)
def test_a_timestamp_is_exact(precision: Precision, stamp: str) -> None:
    at = NOON - timedelta(microseconds=1)
    assert encode([Line(measurement="m", fields={"a": 1.0}, at=at)], precision) == [
        f"m a=1.0 {stamp}"
    ]


# Printable, and none of what a name cannot hold.
_names = st.text(
    st.characters(blacklist_categories=("C", "Z"), blacklist_characters='\\"'), min_size=1
).flatmap(lambda word: st.sampled_from([word, f"{word} {word}", f"a,{word}=b"]))
_texts = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")))
_values = st.one_of(
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    _texts,
)
_moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
_lines = st.builds(
    Line,
    measurement=_names.filter(lambda name: not name.startswith("#")),
    tags=st.dictionaries(_names, _names, max_size=3),
    fields=st.dictionaries(_names, _values, min_size=1, max_size=4),
    at=_moments,
)


@given(_lines)
def test_what_is_written_reads_back(line: Line) -> None:
    (text,) = encode([line])
    again = parsed(text)
    assert again == line
    assert [type(v) for v in again.fields.values()] == [type(v) for v in line.fields.values()]


def parsed(text: str) -> Line:
    """Read one line, as the protocol's description has it."""
    head = next(_split(text, " ", quotes=False))
    values, stamp = _split(text[len(head) + 1 :], " ")
    measurement, *tags = _split(head, ",", quotes=False)
    return Line(
        measurement=_bare(measurement),
        tags=dict(_pair(tag) for tag in tags),
        fields={
            name: _value(value)
            for name, value in (_pair(pair, raw=True) for pair in _split(values, ","))
        },
        at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(stamp) // 1_000),
    )


def _pair(text: str, *, raw: bool = False) -> tuple[str, str]:
    name, value = _split(text, "=", quotes=raw)
    return _bare(name), value if raw else _bare(value)


def _split(text: str, by: str, *, quotes: bool = True) -> Iterator[str]:
    """Split *text* at *by* where it is neither escaped nor, in fields, inside quotes."""
    start, quoted, n = 0, False, 0
    while n < len(text):
        if text[n] == "\\":
            n += 1
        elif quotes and text[n] == '"':
            quoted = not quoted
        elif text[n] == by and not quoted:
            yield text[start:n]
            start = n + 1
        n += 1
    yield text[start:]


def _bare(name: str) -> str:
    for sign in ", =":
        name = name.replace("\\" + sign, sign)
    return name


def _value(text: str) -> FieldValue:
    if text in {"true", "false"}:
        return text == "true"
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return int(text[:-1]) if text.endswith("i") else float(text)
