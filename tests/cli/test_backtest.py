"""``ohmstead backtest``, as its user runs it."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ohmstead.cli import cli
from ohmstead.errors import OhmsteadError


def ohmstead(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["backtest", "--results", str(folder / "results"), "--workers", "1", *arguments]
    )


def test_a_simulated_house_is_replayed_and_told_in_a_table(tmp_path: Path) -> None:
    played = ohmstead(
        tmp_path, "--from", "2025-04-08", "--to", "2025-04-08", "--tariffs", "agile,flat",
        "--strategies", "plan", "--out", str(tmp_path / "t.csv"), "--out", str(tmp_path / "t.svg"),
    )  # fmt: skip
    assert played.exit_code == 0, played.output
    for word in ("agile", "flat", "plan", "no_battery", "self_use", "perfect_foresight"):
        assert word in played.output
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert rows[3]["strategy"] == "perfect_foresight"
    assert (tmp_path / "t.svg").read_text().startswith("<svg")


def test_a_configuration_s_own_strategies_are_replayed_over_a_table(tmp_path: Path) -> None:
    (tmp_path / "ohmstead.yaml").write_text(
        "web: {enabled: false}\ncontrol:\n  - price_threshold: {at_most_per_kwh: 0.12}\n"
    )
    lines = ["time,load_w,import_per_kwh"]
    for n in range(96):
        day, half = divmod(n, 48)
        at = f"2025-06-{10 + day}T{half // 2:02d}:{half % 2 * 30:02d}Z"
        lines.append(f"{at},400,{0.1 if half < 8 else 0.3}")
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    played = ohmstead(
        tmp_path,
        "-c",
        str(tmp_path / "ohmstead.yaml"),
        "--csv",
        str(tmp_path / "mine.csv"),
        "--json",
    )
    assert played.exit_code == 0, played.output
    rows = {row["strategy"]: row for row in json.loads(played.stdout)}
    assert rows["configured"]["saved_by_control"] > 1
    assert rows["perfect_foresight"]["per_day"] <= rows["configured"]["per_day"] + 1e-9
    assert rows["plan"]["tariff"] == "own"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--tariffs", "economy9"], "no tariff called economy9", id="tariff"),
        pytest.param(["--strategies", "magic"], "no strategy called magic", id="strategy"),
        pytest.param(["--to", "2024-01-01"], "--to must not be before", id="days"),
        pytest.param(["-c", "ohmstead.yaml"], "nothing was recorded", id="no history"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ohmstead.yaml").write_text("web: {enabled: false}\n")
    refused = ohmstead(tmp_path, *arguments)
    assert refused.exit_code != 0
    assert isinstance(refused.exception, OhmsteadError | SystemExit)
    assert says in f"{refused.exception} {refused.output}"
