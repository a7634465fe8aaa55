"""A file is read or refused in one sentence with its line; no complaint tells a password."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ohmstead.config.document import read_document
from ohmstead.config.yaml_file import read_yaml
from ohmstead.errors import ConfigError


def complaint(folder: Path, text: str, **environment: str) -> str:
    path = folder / "ohmstead.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        read_document(path, environment)
    return str(told.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param("site: !!set {a, b}", 1, "unknown tag !!set; write the value", id="set"),
        pytest.param("a: 1\nsite: !!omap [b: 1]", 2, "unknown tag !!omap", id="omap"),
        pytest.param(
            "a: !!python/object/apply:os.system [ls]",
            1,
            "the only tag is !secret NAME",
            id="python",
        ),
        pytest.param("a: !!bool x", 1, "unknown tag !!bool", id="bool"),
        pytest.param("a: !!int x", 1, "unknown tag !!int", id="int"),
        pytest.param("a: !ours [1]", 1, "unknown tag !ours", id="a list of ours"),
        pytest.param("a: !secret [web]", 1, "write !secret and one name", id="secrets"),
        pytest.param("a: 1\nb: 2026-13-45", 2, "no such date, time or number", id="date"),
        pytest.param("a:\n- x\n- 2026-01-01T99:00:00Z", 3, "quote it", id="time"),
        pytest.param(f"a: {'9' * 5000}", 1, "no such date, time or number", id="number"),
        pytest.param(f"a:\n  {'[' * 60}{']' * 60}", 2, "more than 50 lists", id="deep"),
        pytest.param("a: {<<: 5}", 1, "expected a mapping", id="merge of a number"),
    ],
)
def test_what_fits_nothing_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    said = complaint(tmp_path, text)
    assert said.startswith(f"ohmstead.yaml:{line}: ")
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "web:\n  password: hunter2\n  password: hunter3",
            'found duplicate key "password"; two keys of one name? keep one',
            id="twice",
        ),
        pytest.param("web:\n  password: !hunter2", "begins with ! needs quotes", id="like a tag"),
        pytest.param("web:\n  password: !!hunter2", "begins with ! needs quotes", id="like two"),
        pytest.param("web: {password: *hunter2}", "begins with * needs quotes", id="like an alias"),
        pytest.param("web: {password: 2026-99-99}", "no such date", id="like a date"),
        pytest.param("web: {password: %hunter2}", "ohmstead.yaml:1", id="like a directive"),
        pytest.param("web: {password: @hunter2}", "ohmstead.yaml:1", id="like nothing"),
    ],
)
def test_a_password_that_yaml_cannot_read_is_not_told(tmp_path: Path, text: str, says: str) -> None:
    said = complaint(tmp_path, text)
    assert says in said
    assert "hunter" not in said
    assert "2026" not in said


def test_what_is_no_text_at_all_is_told_in_one_line(tmp_path: Path) -> None:
    said = complaint(tmp_path, "a: \x00")
    assert said.startswith("ohmstead.yaml: not YAML: ")
    assert len(said.splitlines()) == 1


def test_keys_merged_from_elsewhere_have_the_line_of_their_list(tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text("a: &usual {x: 1, y: 2}\nb:\n  <<: *usual\n  y: 3\n")
    document = read_document(path, {})
    assert document.values["b"] == {"x": 1, "y": 3}
    assert document.where(("b", "x")) == "ohmstead.yaml:3"
    assert document.where(("b", "y")) == "ohmstead.yaml:4"


def test_a_strange_value_in_the_environment_is_told(tmp_path: Path) -> None:
    said = complaint(tmp_path, "web: {}", OHMSTEAD__WEB__LISTEN="!!bool x")
    assert said.startswith("OHMSTEAD__WEB__LISTEN in the environment")


@given(some.text(alphabet="a1-:,[]{}&*!|>%@#'\"? \n~<.", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text)
    try:
        read_document(path, {})
        read_yaml(path)
    except ConfigError as exc:
        assert len(str(exc).splitlines()) == 1  # noqa: PT017 - the other way out is fine too
