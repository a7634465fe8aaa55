"""What replays came to, as rows, files and a chart."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pyarrow import parquet

from ohmstead.backtest.replay import Outcome
from ohmstead.backtest.results import chart, rows_of, write_rows
from ohmstead.backtest.strategies import BOUND, NO_BATTERY
from ohmstead.errors import ProblemError


def an_outcome(
    strategy: str, cost: float, *, tariff: str = "agile", more_left: float = 0
) -> Outcome:
    return Outcome(
        house="h", tariff=tariff, strategy=strategy, days=10, cost=cost,
        more_left=more_left,
    )  # fmt: skip


FOUR = [
    an_outcome(NO_BATTERY, 20),
    an_outcome("self_use", 15),
    an_outcome("plan", 7, more_left=1),
    an_outcome(BOUND, 5),
]


def test_shares_are_of_what_perfect_foresight_saves() -> None:
    plan = rows_of(FOUR)[2]
    assert plan.net == pytest.approx(6)  # what is left is worth 1 more
    assert plan.per_day == pytest.approx(0.6)
    assert plan.kept == pytest.approx(0.9)
    assert plan.kept_of_all == pytest.approx(14 / 15)
    assert plan.saved_by_battery == pytest.approx(14)
    assert plan.saved_by_control == pytest.approx(9)
    assert plan.lost_per_day == pytest.approx(0.1)


def test_where_nothing_can_be_saved_no_share_is_told() -> None:
    rows = rows_of([an_outcome("self_use", 15), an_outcome("plan", 15), an_outcome(BOUND, 14.9)])
    assert rows[1].kept is None
    assert rows[1].kept_of_all is None
    assert rows_of(FOUR[:1])[0].lost_per_day is None


def test_rows_go_to_files(tmp_path: Path) -> None:
    rows = rows_of(FOUR)
    write_rows(rows, tmp_path / "t.csv")
    write_rows(rows, tmp_path / "t.parquet")
    write_rows(rows, tmp_path / "t.svg")
    with (tmp_path / "t.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["strategy"] for line in lines] == [row.strategy for row in rows]
    assert float(lines[2]["kept"]) == pytest.approx(0.9)
    table = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert [row["per_day"] for row in table] == pytest.approx([row.per_day for row in rows])
    assert (tmp_path / "t.svg").read_text() == chart(rows)


@pytest.mark.parametrize("kind", ["csv", "parquet", "svg"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ProblemError, match="cannot write"):
        write_rows(rows_of(FOUR), tmp_path / "nowhere" / f"t.{kind}")


def test_a_chart_has_a_bar_for_each_cost_below_the_line_if_it_is_earned() -> None:
    outcomes = [*FOUR, an_outcome("self_use", -3, tariff="<odd>")]
    drawn = ET.fromstring(chart(rows_of(outcomes)))  # noqa: S314 - our own drawing
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text for title in drawn.iter(f"{space}title")]
    assert "agile, plan: 0.60 a day" in titles
    assert "<odd>, self_use: -0.30 a day" in titles
    assert len(titles) == 5
