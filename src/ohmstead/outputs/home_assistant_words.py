"""Home Assistant's words for our units and names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ohmstead.model import Kind, Point

__all__ = ["name_of_entity", "slug", "unit_and_class"]

_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "W": "power",
        "VA": "apparent_power",
        "var": "reactive_power",
        "V": "voltage",
        "mV": "voltage",
        "A": "current",
        "mA": "current",
        "Hz": "frequency",
        "°C": "temperature",
        "s": "duration",
        "min": "duration",
        "h": "duration",
        "d": "duration",
        "dBm": "signal_strength",
    }
)
_QUANTITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "W": "power",
        "VA": "apparent power",
        "var": "reactive power",
        "V": "voltage",
        "mV": "voltage",
        "A": "current",
        "mA": "current",
        "Hz": "frequency",
        "°C": "temperature",
    }
)
_SOC: Final = "soc"


def unit_and_class(point: Point, currency: str | None = None) -> tuple[str | None, str | None]:
    """Return the unit and the device class of a number.

    Energy that was counted is ``energy``, energy that is stored ``energy_storage``: the energy
    dashboard takes the first only. A price has no class: ``monetary`` is for amounts.
    """
    unit = point.unit
    match unit:
        case None:
            return None, None
        case "/kWh":
            return f"{currency or 'EUR'}/kWh", None
        case "Wh" | "kWh":
            return unit, "energy" if point.kind is Kind.TOTAL else "energy_storage"
        case "%":
            return unit, "battery" if _SOC in point.key.split("_") else None
        case _:
            return unit, _CLASSES.get(unit)


def name_of_entity(point: Point) -> str:
    """Return a name that says what is measured: labels leave that to the unit.

    >>> name_of_entity(Point(key="grid_v", label="Grid"))
    'Grid voltage'
    """
    quantity = _QUANTITIES.get(point.unit or "")
    if quantity is None or quantity.rpartition(" ")[2] in point.label.lower():
        return point.label
    return f"{point.label} {quantity}"


def slug(name: str) -> str:
    """Return *name* in the letters that Home Assistant allows in ids.

    >>> slug("dach_süd")
    'dach_s-fc-d'
    """
    return "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "_-") else f"-{ord(sign):x}-"
        for sign in name
    )
