"""What each battery mode writes, in which order, and how a window becomes a slot."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ohmstead.devices.luxpower.guard import check_enable_word
from ohmstead.devices.luxpower.modes import Plant, changes_for
from ohmstead.devices.luxpower.registers import MODELS
from ohmstead.errors import DeviceProtocolError, NotWritable
from ohmstead.model import BatteryCommand, BatteryMode, Range, SettingChange, Value, daily_window

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 1, 15, 23, 40, 20, tzinfo=UTC)
UNTIL = datetime(2026, 1, 16, 5, 30, tzinfo=UTC)
OFF = {
    "ac_charge_enabled": False,
    "forced_discharge_enabled": False,
    "charge_priority_enabled": False,
}


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        pytest.param(
            BatteryCommand(mode=BatteryMode.CHARGE, power_w=1800, soc_pct=90, until=UNTIL),
            [
                ("forced_discharge_enabled", False),
                ("charge_priority_enabled", False),
                ("ac_charge_power_pct", 50),
                ("ac_charge_soc_limit_pct", 90),
                ("ac_charge_slot_1_start", time(23, 39)),
                ("ac_charge_slot_1_end", time(5, 30)),
                ("ac_charge_enabled", True),
            ],
            id="charge",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.CHARGE, until=UNTIL),
            [
                ("forced_discharge_enabled", False),
                ("charge_priority_enabled", False),
                ("ac_charge_power_pct", 100),
                ("ac_charge_soc_limit_pct", 100),
                ("ac_charge_slot_1_start", time(23, 39)),
                ("ac_charge_slot_1_end", time(5, 30)),
                ("ac_charge_enabled", True),
            ],
            id="charge with all it has, until full",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.CHARGE_SOLAR, soc_pct=80.4, until=UNTIL),
            [
                ("ac_charge_enabled", False),
                ("forced_discharge_enabled", False),
                ("charge_priority_power_pct", 100),
                ("charge_priority_soc_limit_pct", 80),
                ("charge_priority_slot_1_start", time(23, 39)),
                ("charge_priority_slot_1_end", time(5, 30)),
                ("charge_priority_enabled", True),
            ],
            id="charge from the sun",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.DISCHARGE, power_w=10, soc_pct=30, until=UNTIL),
            [
                ("ac_charge_enabled", False),
                ("charge_priority_enabled", False),
                ("forced_discharge_power_pct", 1),
                ("forced_discharge_soc_floor_pct", 30),
                ("forced_discharge_slot_1_start", time(23, 39)),
                ("forced_discharge_slot_1_end", time(5, 30)),
                ("forced_discharge_enabled", True),
            ],
            id="discharge, a little is not nothing",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.HOLD, until=UNTIL),
            [*OFF.items(), ("discharge_rate_pct", 0)],
            id="hold",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.EXPORT_SOLAR, until=UNTIL),
            [*OFF.items(), ("charge_rate_pct", 0)],
            id="export solar",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.IDLE, until=UNTIL),
            [*OFF.items(), ("charge_rate_pct", 0), ("discharge_rate_pct", 0)],
            id="idle",
        ),
        pytest.param(
            BatteryCommand(mode=BatteryMode.SELF_USE), [*OFF.items()], id="self use, open already"
        ),
    ],
)
def test_a_mode_is_written_with_its_switch_last(
    command: BatteryCommand, settings: list[tuple[str, Value]]
) -> None:
    changes = changes_for(command, NOW, a_plant())
    assert changes == tuple(
        SettingChange(device="lux", point=point, value=value) for point, value in settings
    )


@pytest.mark.parametrize(
    ("power_w", "written"), [(7_330, 7_300), (30, 100), (None, 12_000), (99_000, 15_000), (0, 0)]
)
def test_a_large_model_is_told_its_power_in_hundreds_of_watts(
    power_w: float | None, written: float
) -> None:
    command = BatteryCommand(mode=BatteryMode.CHARGE, power_w=power_w, until=UNTIL)
    assert values(command, a_plant("lxp_12k"))["ac_charge_power_w"] == written


def test_self_use_opens_the_rates_that_are_shut_and_no_other() -> None:
    shown = {"charge_rate_pct": 0, "discharge_rate_pct": 60}
    command = BatteryCommand(mode=BatteryMode.SELF_USE)
    assert values(command, a_plant(shown=shown)) == OFF | {"charge_rate_pct": 100}


def test_a_rate_is_opened_to_where_it_was() -> None:
    plant = a_plant(shown={"discharge_rate_pct": 0}, usual={"discharge_rate_pct": 80})
    assert values(BatteryCommand(mode=BatteryMode.SELF_USE), plant)["discharge_rate_pct"] == 80


@pytest.mark.parametrize(
    ("mode", "rate"),
    [
        (BatteryMode.CHARGE, "charge_rate_pct"),
        (BatteryMode.CHARGE_SOLAR, "charge_rate_pct"),
        (BatteryMode.DISCHARGE, "discharge_rate_pct"),
        (BatteryMode.HOLD, "charge_rate_pct"),
        (BatteryMode.EXPORT_SOLAR, "discharge_rate_pct"),
    ],
)
def test_a_shut_rate_that_a_mode_needs_is_opened_before_it(mode: BatteryMode, rate: str) -> None:
    plant = a_plant(shown={"charge_rate_pct": 0, "discharge_rate_pct": 0})
    command = BatteryCommand(mode=mode, until=UNTIL)
    points = [change.point for change in changes_for(command, NOW, plant)]
    assert values(command, plant)[rate] == 100
    assert points.index(rate) < len(points) - 1


@pytest.mark.parametrize(("shown", "floor"), [({}, 10), ({"discharge_cutoff_soc_pct": 25}, 25)])
def test_a_discharge_without_a_floor_ends_where_the_inverter_ends_it(
    shown: dict[str, Value | None], floor: float
) -> None:
    command = BatteryCommand(mode=BatteryMode.DISCHARGE, until=UNTIL)
    assert values(command, a_plant(shown=shown))["forced_discharge_soc_floor_pct"] == floor


def test_a_charge_never_asks_for_the_number_that_means_never_stop() -> None:
    command = BatteryCommand(mode=BatteryMode.CHARGE, soc_pct=101, until=UNTIL)
    assert values(command, a_plant())["ac_charge_soc_limit_pct"] == 100


@pytest.mark.parametrize("mode", sorted(set(BatteryMode) - {BatteryMode.SELF_USE}))
def test_all_but_self_use_need_an_end_to_come(mode: BatteryMode) -> None:
    with pytest.raises(NotWritable, match="until when"):
        changes_for(BatteryCommand(mode=mode), NOW, a_plant())
    with pytest.raises(NotWritable, match="ended already"):
        changes_for(BatteryCommand(mode=mode, until=NOW), NOW, a_plant())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mode", BatteryMode)
def test_all_that_is_written_is_writable_without_leave(mode: BatteryMode, model: str) -> None:
    plant = a_plant(model, shown={"charge_rate_pct": 0, "discharge_rate_pct": 0})
    for change in changes_for(BatteryCommand(mode=mode, until=UNTIL), NOW, plant):
        row = plant.model.holdings[change.point]
        assert row.point.check(change.value) == change.value
        assert not row.opt_in
    for name in ("ac_charge", "charge_priority", "forced_discharge"):
        unit = "power_w" if plant.model.in_watts else "power_pct"
        assert isinstance(plant.model.holdings[f"{name}_{unit}"].writable, Range)


# ---- windows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until", "slot"),
    [
        pytest.param("2026-01-15T10:00:40", "2026-01-15T12:00", ("09:59", "12:00"), id="winter"),
        pytest.param("2026-07-15T10:00:40", "2026-07-15T12:00", ("10:59", "13:00"), id="summer"),
        pytest.param(
            "2026-01-15T10:00", "2026-01-15T12:00:01", ("09:59", "12:01"), id="rounded up"
        ),
        pytest.param(
            "2026-01-15T10:00", "2026-01-15T23:59:30", ("09:59", "00:00"), id="to midnight"
        ),
        pytest.param(
            "2026-01-15T00:00", "2026-01-15T05:30", ("23:59", "05:30"), id="from midnight"
        ),
        pytest.param("2026-01-15T10:30", "2026-01-16T10:27", ("10:29", "09:00"), id="a whole day"),
        pytest.param("2026-01-15T10:00", "2026-01-16T09:56", ("09:59", "09:56"), id="almost a day"),
        pytest.param("2026-01-15T10:00", "2026-01-18T10:00", ("09:59", "09:00"), id="three days"),
        pytest.param(
            "2026-03-29T00:30", "2026-03-29T03:00", ("00:29", "03:00"), id="spring forward"
        ),
        pytest.param("2026-10-25T00:30", "2026-10-25T03:00", ("01:29", "04:00"), id="fall back"),
        pytest.param(
            "2026-03-29T00:30", "2026-03-29T00:59", ("00:29", "00:59"), id="before the change"
        ),
        pytest.param(
            "2026-03-29T01:01", "2026-03-29T03:00", ("02:00", "04:00"), id="after the change"
        ),
    ],
)
def test_a_window_becomes_a_slot_of_the_houses_clock(
    now: str, until: str, slot: tuple[str, str]
) -> None:
    start, end = daily_window(utc(now), utc(until), LONDON, (None, None))
    assert (start.isoformat("minutes"), end.isoformat("minutes")) == slot


@pytest.mark.parametrize(
    ("present", "start"),
    [
        pytest.param(("23:39", "05:30"), "23:39", id="our own, written a while ago"),
        pytest.param(("20:00", "05:30"), "20:00", id="the owner's, begun before"),
        pytest.param(("23:39", "02:00"), "23:39", id="ours, prolonged"),
        pytest.param(("05:30", "05:30"), "01:59", id="nothing at all"),
        pytest.param(("02:30", "05:30"), "01:59", id="begins only later"),
        pytest.param(("00:00", "00:00"), "01:59", id="off"),
        pytest.param((None, None), "01:59", id="not known"),
    ],
)
def test_a_slot_that_runs_keeps_its_start(
    present: tuple[str | None, str | None], start: str
) -> None:
    held = tuple(None if text is None else time.fromisoformat(text) for text in present)
    opens, closes = daily_window(utc("2026-01-16T02:00"), UNTIL, LONDON, (held[0], held[1]))
    assert (opens.isoformat("minutes"), closes) == (start, time(5, 30))


def test_a_command_that_goes_on_writes_nothing_new() -> None:
    command = BatteryCommand(mode=BatteryMode.CHARGE, until=UNTIL)
    first = values(command, a_plant())
    later = changes_for(command, NOW + timedelta(hours=3), a_plant(shown=first))
    assert {change.point: change.value for change in later} == first


# ---- the guard ------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [0xF354, 0xF3D4, 0xFF54, 0xFFD4])
def test_our_own_bits_may_change(wanted: int) -> None:
    check_enable_word("lux", 21, 0xF354, wanted)


@pytest.mark.parametrize("bit", sorted(set(range(16)) - {7, 10, 11}))
def test_no_other_bit_may(bit: int) -> None:
    with pytest.raises(NotWritable, match="would change protection"):
        check_enable_word("lux", 21, 0xF354, 0xF354 ^ 1 << bit)


@pytest.mark.parametrize(
    "present", [pytest.param(0x5402, id="a length byte misread"), 0x0000, 0xF344, 0xF154]
)
def test_a_word_without_its_protection_is_not_believed(present: int) -> None:
    with pytest.raises(DeviceProtocolError, match="nothing is written"):
        check_enable_word("lux", 21, present, present | 0x80)


def test_other_registers_are_none_of_the_guards_business() -> None:
    check_enable_word("lux", 110, 0, 16)


def a_plant(
    model: str = "acs_3600",
    shown: Mapping[str, Value | None] | None = None,
    usual: Mapping[str, float] | None = None,
) -> Plant:
    return Plant(
        device="lux",
        model=MODELS[model],
        rated_w=MODELS[model].rated_w,
        timezone=LONDON,
        shown=shown or {},
        usual=usual or {},
    )


def values(command: BatteryCommand, plant: Plant) -> dict[str, Value]:
    return {change.point: change.value for change in changes_for(command, NOW, plant)}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
