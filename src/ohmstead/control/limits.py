"""Never more than the owner allows, whoever asks."""

import math
from dataclasses import dataclass
from typing import Final

from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["Limits", "limits"]

_SLACK_PCT: Final = 2.0
"""How far the battery must recover before a limit on its charge no longer binds."""
_FULL_PCT: Final = 100.0
_EMPTYING: Final = frozenset(
    {BatteryMode.SELF_USE, BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR}
)
_FILLING: Final = frozenset({BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR})
_ALL: Final = frozenset(BatteryMode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What nobody may exceed."""

    max_charge_w: float | None = None
    """The most the battery may be charged with."""
    max_discharge_w: float | None = None
    """The most the battery may be discharged with."""
    min_soc_pct: float = 0.0
    """Below this the battery is not discharged."""
    max_soc_pct: float = 100.0
    """Above this the battery is not charged on purpose."""
    import_limit_w: float | None = None
    """What the grid connection may import: charging leaves room for the house."""

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other."""
        if not 0 <= self.min_soc_pct < self.max_soc_pct <= _FULL_PCT:
            raise ValueError("min_soc_pct must be below max_soc_pct, both from 0 to 100")
        for name in ("max_charge_w", "max_discharge_w", "import_limit_w"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} must be 0 or more")


def limits(site: SiteSnapshot, room: Room, settings: Limits) -> Advice:
    """Return the room that the owner's limits leave."""
    del room
    modes, said, memory = _ALL, list[str](), dict[str, str]()
    soc_pct = site.soc_pct
    if soc_pct is not None and settings.min_soc_pct > 0:
        slack = _SLACK_PCT if "low" in site.memory else 0.0
        if soc_pct < settings.min_soc_pct + slack or soc_pct == settings.min_soc_pct:
            modes -= _EMPTYING
            memory["low"] = "yes"
            said.append(f"the battery keeps its {settings.min_soc_pct:.0f} %")
    most = settings.max_soc_pct - (_SLACK_PCT if "full" in site.memory else 0.0)
    if soc_pct is not None and settings.max_soc_pct < _FULL_PCT and soc_pct >= most:
        modes -= _FILLING
        memory["full"] = "yes"
        said.append(f"at {settings.max_soc_pct:.0f} % the battery is full enough")
    charge_w = _charge_w(site, settings)
    if charge_w < math.inf:
        said.append(f"charging gets at most {charge_w:.0f} W")
    return Advice(
        reason="; ".join(said) or "nothing is near a limit",
        room=Room(
            modes=modes,
            charge_w=charge_w,
            discharge_w=math.inf if settings.max_discharge_w is None else settings.max_discharge_w,
            floor_pct=settings.min_soc_pct,
            ceiling_pct=settings.max_soc_pct,
        ),
        memory=memory,
        blind=modes == _ALL,
    )


def _charge_w(site: SiteSnapshot, settings: Limits) -> float:
    """Return the most the battery may charge with, the grid connection heeded."""
    charge_w = math.inf if settings.max_charge_w is None else settings.max_charge_w
    if settings.import_limit_w is None or site.load_w is None:
        return charge_w
    spare_w = settings.import_limit_w - site.load_w + (site.pv_w or 0.0)
    # Whole hundreds, so that a flickering load does not rewrite the inverter's setting.
    return max(min(charge_w, spare_w // 100 * 100), 0.0)
