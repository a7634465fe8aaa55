"""Keep the grid at zero with spare solar and the battery, and a reserve for power cuts."""

from dataclasses import dataclass
from typing import Final

from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["SelfConsumption", "self_consumption"]

_SLACK_PCT: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfConsumption:
    """The inverter's normal mode, above a reserve."""

    reserve_pct: float = 10.0
    """At this state of charge or below, the battery is kept for power cuts."""

    def __post_init__(self) -> None:
        """Refuse what is no percentage."""
        if not 0 <= self.reserve_pct <= 100:  # noqa: PLR2004 - per cent
            raise ValueError("reserve_pct must be from 0 to 100")


def self_consumption(site: SiteSnapshot, room: Room, settings: SelfConsumption) -> Advice:
    """Return self-use, or a hold once the battery is down to its reserve."""
    del room
    if site.soc_pct is None:
        return Advice(reason="the state of charge is not known for now", blind=True)
    slack = _SLACK_PCT if "reserve" in site.memory else 0.0
    if settings.reserve_pct > 0 and site.soc_pct <= settings.reserve_pct + slack:
        return Advice(
            reason=f"the battery keeps its reserve of {settings.reserve_pct:.0f} %",
            room=Room(modes=frozenset({BatteryMode.HOLD})),
            memory={"reserve": "yes"},
        )
    return Advice(
        reason="the battery stores spare solar and serves the house",
        room=Room(modes=frozenset({BatteryMode.SELF_USE}), floor_pct=settings.reserve_pct),
    )
