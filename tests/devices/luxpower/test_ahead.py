"""A charge to come, as AC charging by the clock."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest

from ohmstead.devices.luxpower.modes import Plant, changes_ahead
from ohmstead.devices.luxpower.registers import MODELS
from ohmstead.model import Ahead, BatteryCommand, BatteryMode, Value

NOW = datetime(2026, 1, 15, 23, 40, 20, tzinfo=UTC)
NIGHT = Ahead(
    start=datetime(2026, 1, 16, 2, tzinfo=UTC),
    until=datetime(2026, 1, 16, 5, tzinfo=UTC),
    power_w=1_800,
    soc_pct=80,
)
Pairs: TypeAlias = list[tuple[str, Value]]
SLOT: Pairs = [("ac_charge_slot_1_start", time(2)), ("ac_charge_slot_1_end", time(5))]


def ahead(
    mode: BatteryMode = BatteryMode.SELF_USE,
    coming: Ahead | None = NIGHT,
    shown: Mapping[str, Value | None] | None = None,
    model: str = "acs_3600",
) -> Pairs:
    plant = Plant(
        device="lux", model=MODELS[model], rated_w=3_600, timezone=ZoneInfo("Europe/London"),
        shown=shown or {}, usual={},
    )  # fmt: skip
    command = BatteryCommand(mode=mode, ahead=coming)
    return [(change.point, change.value) for change in changes_ahead(command, NOW, plant)]


def test_power_limit_slot_and_switch() -> None:
    assert ahead() == [
        ("ac_charge_power_pct", 50),
        ("ac_charge_soc_limit_pct", 80),
        *SLOT,
        ("ac_charge_enabled", True),
    ]
    assert ahead(coming=None) == []


def test_all_it_has_where_no_power_and_no_target_are_said() -> None:
    free = replace(NIGHT, power_w=None, soc_pct=None)
    assert ahead(coming=free, model="eg4_12kpv")[:2] == [
        ("ac_charge_power_w", 3_600),
        ("ac_charge_soc_limit_pct", 100),
    ]


def test_the_owners_other_slots_go_off_and_no_slot_spans_a_day_meanwhile() -> None:
    shown = {
        "ac_charge_slot_1_start": time(23, 50), "ac_charge_slot_1_end": time(1),
        "ac_charge_slot_3_start": time(13), "ac_charge_slot_3_end": time(15),
    }  # fmt: skip
    off = [("ac_charge_slot_3_start", time(0)), ("ac_charge_slot_3_end", time(0))]
    assert ahead(shown=shown)[2:-1] == [*off, *SLOT[::-1]]


@pytest.mark.parametrize("mode", [BatteryMode.EXPORT_SOLAR, BatteryMode.IDLE])
def test_a_charge_rate_that_stays_shut_leaves_nothing_to_set(mode: BatteryMode) -> None:
    assert ahead(mode) == []
    assert ahead(BatteryMode.HOLD) == ahead()
