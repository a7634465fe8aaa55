"""What replays came to: one row each, compared with the bound; as CSV, Parquet and a chart."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import Final

from ohmstead.backtest.replay import Outcome
from ohmstead.backtest.strategies import BOUND, NO_BATTERY
from ohmstead.errors import ProblemError

__all__ = ["Row", "chart", "rows_of", "write_csv", "write_parquet", "write_rows"]

_LEAST_PER_DAY: Final = 0.02
"""Where less can be saved, a share of it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One outcome beside the others of its house and tariff; money in the main unit."""

    house: str
    tariff: str
    strategy: str
    days: float
    net: float
    """The cost, had the battery ended as it began."""
    per_day: float
    saved_by_battery: float | None
    """Over the same house without one."""
    saved_by_control: float | None
    """Over the battery in the inverter's own mode."""
    kept: float | None
    """The share of what perfect foresight saves over the inverter's own mode."""
    kept_of_all: float | None
    """The share of what perfect foresight saves over no battery at all."""
    lost_per_day: float | None
    """What perfect foresight would have saved on top."""
    import_kwh: float
    export_kwh: float
    charged_kwh: float
    discharged_kwh: float
    curtailed_kwh: float
    plans: int


def rows_of(outcomes: Sequence[Outcome]) -> list[Row]:
    """Return *outcomes* as rows, in their order."""
    nets = {(o.house, o.tariff, o.strategy): o.net for o in outcomes}
    return [_row(outcome, nets) for outcome in outcomes]


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write *rows* to *path*: Parquet if its name ends so, SVG likewise, CSV otherwise."""
    if path.suffix == ".parquet":
        write_parquet(rows, path)
    elif path.suffix == ".svg":
        try:
            path.write_text(chart(rows), encoding="utf-8")
        except OSError as exc:
            raise ProblemError(f"cannot write {path}: {exc.strerror or exc}") from exc
    else:
        write_csv(rows, path)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write *rows* as CSV."""
    names = [field.name for field in fields(Row)]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            for row in rows:
                values = [getattr(row, name) for name in names]
                writer.writerow(["" if value is None else value for value in values])
    except OSError as exc:
        raise ProblemError(f"cannot write {path}: {exc.strerror or exc}") from exc


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Write *rows* as Parquet, or raise ``ProblemError`` saying what is missing."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        raise ProblemError(
            "Parquet needs pyarrow: install ohmstead[history], or write CSV"
        ) from exc
    texts, counts = {"house", "tariff", "strategy"}, {"plans"}
    schema = pa.schema(
        [
            (
                f.name,
                pa.string()
                if f.name in texts
                else pa.int64()
                if f.name in counts
                else pa.float64(),
            )
            for f in fields(Row)
        ]
    )
    columns = {f.name: [getattr(row, f.name) for row in rows] for f in fields(Row)}
    try:
        parquet.write_table(pa.table(columns, schema=schema), str(path), compression="zstd")
    except (OSError, pa.ArrowException) as exc:
        raise ProblemError(f"cannot write {path}: {exc}") from exc


def chart(rows: Sequence[Row]) -> str:
    """Return an SVG: for every tariff what each strategy cost a day, mean of all houses."""
    tariffs = list(dict.fromkeys(row.tariff for row in rows))
    strategies = list(dict.fromkeys(row.strategy for row in rows))
    bars = [
        (number, index, _mean(costs))
        for number, t in enumerate(tariffs)
        for index, s in enumerate(strategies)
        if (costs := [r.per_day for r in rows if (r.tariff, r.strategy) == (t, s)])
    ]
    costs = [cost for _, _, cost in bars] or [0.0]
    low, high = min(0.0, *costs), max(0.01, *costs)
    group = _BAR * len(strategies) + _GAP
    wide = _LEFT + group * len(tariffs) + _GAP

    def y(cost: float) -> float:
        return _TOP + (high - cost) / (high - low) * _TALL

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{_TOP + _TALL + 60}">',
        "<style>text{font:11px sans-serif}</style>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="16">Cost a day; below the line is earned</text>',
    ]
    for number, index, cost in bars:
        x = _LEFT + number * group + index * _BAR
        top, size = min(y(cost), y(0)), max(abs(y(cost) - y(0)), 1)
        title = f"{tariffs[number]}, {strategies[index]}: {cost:.2f} a day"
        parts.append(
            f'<rect x="{x}" y="{top:.1f}" width="{_BAR - 4}" height="{size:.1f}" '
            f'fill="{_colour(index)}"><title>{escape(title)}</title></rect>'
        )
        edge = top - 3 if cost >= 0 else top + size + 10
        parts.append(
            f'<text x="{x + (_BAR - 4) / 2}" y="{edge:.1f}" text-anchor="middle" '
            f'style="font-size:8px" fill="#444444">{cost:.2f}</text>'
        )
    parts.append(
        f'<line x1="{_LEFT}" x2="{wide - _GAP}" y1="{y(0):.1f}" y2="{y(0):.1f}" stroke="#222222"/>'
    )
    for number, tariff in enumerate(tariffs):
        middle = _LEFT + number * group + _BAR * len(strategies) / 2
        below = _TOP + _TALL + 24
        parts.append(f'<text x="{middle}" y="{below}" text-anchor="middle">{escape(tariff)}</text>')
    parts += _key(strategies)
    return "\n".join([*parts, "</svg>", ""])


# ---- how it is done -----------------------------------------------------------------------

_BAR, _GAP, _LEFT, _TOP, _TALL = 26, 24, 20, 40, 260
_COLOURS: Final = ("#9aa5b1", "#4f8f5b", "#c98b2b", "#8a6fb3", "#2266bb", "#c04040", "#222222")


def _key(strategies: Sequence[str]) -> list[str]:
    found, x = [], _LEFT
    for index, name in enumerate(strategies):
        at = _TOP + _TALL + 40
        found += [
            f'<rect x="{x}" y="{at}" width="10" height="10" fill="{_colour(index)}"/>',
            f'<text x="{x + 14}" y="{at + 9}">{escape(name)}</text>',
        ]
        x += 30 + 7 * len(name)
    return found


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _row(outcome: Outcome, nets: dict[tuple[str, str, str], float]) -> Row:
    where = (outcome.house, outcome.tariff)
    none, own, least = (nets.get((*where, name)) for name in (NO_BATTERY, "self_use", BOUND))
    return Row(
        house=outcome.house,
        tariff=outcome.tariff,
        strategy=outcome.strategy,
        days=outcome.days,
        net=outcome.net,
        per_day=outcome.net / outcome.days,
        saved_by_battery=None if none is None else none - outcome.net,
        saved_by_control=None if own is None else own - outcome.net,
        kept=_share(own, outcome.net, least, outcome.days),
        kept_of_all=_share(none, outcome.net, least, outcome.days),
        lost_per_day=None if least is None else (outcome.net - least) / outcome.days,
        import_kwh=outcome.import_kwh,
        export_kwh=outcome.export_kwh,
        charged_kwh=outcome.charged_kwh,
        discharged_kwh=outcome.discharged_kwh,
        curtailed_kwh=outcome.curtailed_kwh,
        plans=outcome.plans,
    )


def _share(base: float | None, net: float, least: float | None, days: float) -> float | None:
    if base is None or least is None or base - least < _LEAST_PER_DAY * days:
        return None
    return (base - net) / (base - least)
