"""What a person or another program asks for."""

from dataclasses import dataclass
from datetime import datetime

from ohmstead.model.command import BatteryCommand, SettingChange

__all__ = ["Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One wish, with its end. It is an input to the next decision, never a way round it."""

    id: str
    asked_by: str
    """Where it came from: ``web``, ``cli``, ``mqtt``, with a name when there is one."""
    made_at: datetime
    want: BatteryCommand | SettingChange
    until: datetime | None = None
    """When a battery command ends; a change of a setting is carried out once and stays."""
    why: str = ""

    def active(self, now: datetime) -> bool:
        """Tell whether it still holds at *now*."""
        return self.until is None or now < self.until
