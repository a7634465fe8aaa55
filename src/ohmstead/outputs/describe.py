"""One sentence for how a command ended."""

from typing import assert_never

from ohmstead.model import (
    Applied,
    BatteryCommand,
    Command,
    CommandResult,
    Failed,
    LimitCommand,
    Refused,
    SettingChange,
    shown,
)

__all__ = ["describe", "name_of"]


def describe(result: CommandResult) -> str:
    """Return the sentence for the log and the faces."""
    what = f"{result.device}: {name_of(result.command)}"
    match result:
        case Applied(wrote=()):
            return f"{what}: already so"
        case Applied(wrote=wrote):
            return f"{what}: " + ", ".join(
                f"{w.point} {shown(w.old)} -> {shown(w.new)}" for w in wrote
            )
        case Refused(why=why):
            return f"{what}: nothing written: {why}"
        case Failed(why=why):
            return f"{what}: failed: {why}"
        case _:
            assert_never(result)


def name_of(command: Command) -> str:
    """Return a command in a few words."""
    match command:
        case BatteryCommand(mode=mode, power_w=power_w, soc_pct=soc_pct):
            power = "" if power_w is None else f" at {power_w:.0f} W"
            level = "" if soc_pct is None else f" to {soc_pct:.0f} %"
            return f"{mode}{power}{level}"
        case SettingChange(point=point, value=value):
            return f"set {point} to {shown(value)}"
        case LimitCommand(power_w=power_w):
            return "limit lifted" if power_w is None else f"limit {power_w:.0f} W"
        case _:
            assert_never(command)
