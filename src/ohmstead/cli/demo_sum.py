"""The end of the demonstration: the same day in three ways, and what the plan saved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ohmstead.cli.demo_played import OCTOLUX_PER_KWH, Played
from ohmstead.cli.demo_worth import value_left
from ohmstead.cli.plan_spans import money
from ohmstead.control.words import price
from ohmstead.simulation import Scenario

__all__ = ["costs_of", "summary"]

_CURRENCY: Final = "GBP"
_PENNY: Final = 0.01
_NET: Final = (
    "The day: the bill, had the battery ended as it began. What is left in it is worth what it "
    "saves in the two days after."
)


def costs_of(scenario: Scenario, ways: Mapping[str, Played], end: datetime) -> dict[str, float]:
    """Return what each of *ways* cost, had the battery ended as it began."""
    value, house = value_left(scenario, end), scenario.house
    began = value(house.battery.capacity_kwh * house.start_soc_pct / 100)
    return {name: way.bill + began - value(way.left_kwh) for name, way in ways.items()}


def summary(scenario: Scenario, ways: Mapping[str, Played], end: datetime) -> RenderableType:
    """Return the table of *ways*, the last of them what really happened, and what it saved."""
    costs, local = costs_of(scenario, ways, end), end.astimezone(scenario.timezone)
    until = f", until {local:%H:%M}" if local.date() == scenario.date else ""
    table = Table(title=f"The same day in three ways{until}", title_justify="left")
    for column in ("", "imported", "exported", "left", "bill", "the day"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for name, way in ways.items():
        table.add_row(
            name,
            f"{way.import_kwh:.2f} kWh",
            f"{way.export_kwh:.2f} kWh",
            f"{way.left_kwh:.1f} kWh, {way.left_pct:.0f} %",
            money(way.bill, _CURRENCY),
            money(costs[name], _CURRENCY),
        )
    cheapest = min(per_kwh for at, per_kwh in scenario.import_prices if at < end)
    told = [_saved(costs), _NET]
    if cheapest > OCTOLUX_PER_KWH:
        told.append(
            f"The cheapest half-hour cost {price(cheapest)}: the 5p rule had nothing to do."
        )
    return Group(table, *(Text(line) for line in told))


def _saved(costs: Mapping[str, float]) -> str:
    """Return the sentence that says what the last of *costs* saved over the others."""
    *others, (_, planned) = costs.items()
    # As the table shows them, so that nobody finds a penny that is not there.
    less = {name: round(cost, 2) - round(planned, 2) for name, cost in others}
    parts = {name: _beside(pounds) for name, pounds in less.items()}
    rules = [name if name == "self-use" else f"the {name}" for name in parts]
    if len(set(parts.values())) == 1:
        return f"The plan {next(iter(parts.values()))} {' and '.join(rules)}."
    told = (f"{part} {rule}" for part, rule in zip(parts.values(), rules, strict=True))
    return f"The plan {', and '.join(told)}."


def _beside(less: float) -> str:
    """Return how costing *less* pounds less is said, before the name of what cost more."""
    if abs(less) < _PENNY / 2:
        return "cost the same as"
    if less > 0:
        return f"saved {money(less, _CURRENCY)} over"
    return f"cost {money(-less, _CURRENCY)} more than"
