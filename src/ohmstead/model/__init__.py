"""The words we think in: frozen data, no behaviour beyond arithmetic."""

from ohmstead.model.calibration import Calibration
from ohmstead.model.command import (
    Ahead,
    Applied,
    BatteryCommand,
    BatteryMode,
    Command,
    CommandResult,
    Failed,
    LimitCommand,
    Refused,
    SettingChange,
    Write,
)
from ohmstead.model.daily import coming_window, daily_window
from ohmstead.model.decision import Advice, Decision, Room
from ohmstead.model.forecast import Forecast, ForecastSlot
from ohmstead.model.history import Chart, DayCosts
from ohmstead.model.journal import JournalEntry, WriteState
from ohmstead.model.plan import LoadTaken, Plan, PlanSlot
from ohmstead.model.point import (
    UNITS,
    Button,
    Category,
    Choice,
    Instant,
    Kind,
    Point,
    Range,
    Switch,
    Text,
    TimeOfDay,
    Value,
    Writable,
    shown,
    unit_of,
)
from ohmstead.model.prices import PriceCurve, Prices, PriceSlot
from ohmstead.model.request import Request
from ohmstead.model.site import (
    BatteryReading,
    ChargerReading,
    DeviceSnapshot,
    LoadReading,
    MeterReading,
    Reading,
    SiteSnapshot,
    SolarReading,
)
from ohmstead.model.tick import Tick
from ohmstead.model.wish import LONGEST, Wish

__all__ = [
    "LONGEST",
    "UNITS",
    "Advice",
    "Ahead",
    "Applied",
    "BatteryCommand",
    "BatteryMode",
    "BatteryReading",
    "Button",
    "Calibration",
    "Category",
    "ChargerReading",
    "Chart",
    "Choice",
    "Command",
    "CommandResult",
    "DayCosts",
    "Decision",
    "DeviceSnapshot",
    "Failed",
    "Forecast",
    "ForecastSlot",
    "Instant",
    "JournalEntry",
    "Kind",
    "LimitCommand",
    "LoadReading",
    "LoadTaken",
    "MeterReading",
    "Plan",
    "PlanSlot",
    "Point",
    "PriceCurve",
    "PriceSlot",
    "Prices",
    "Range",
    "Reading",
    "Refused",
    "Request",
    "Room",
    "SettingChange",
    "SiteSnapshot",
    "SolarReading",
    "Switch",
    "Text",
    "Tick",
    "TimeOfDay",
    "Value",
    "Wish",
    "Writable",
    "Write",
    "WriteState",
    "coming_window",
    "daily_window",
    "shown",
    "unit_of",
]
