"""What a configuration can name: device families, strategies, price sources, outputs.

Everything is found by convention and imported only when it is named, so that a house with one
inverter loads the code of one inverter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import resolve_name
from types import MappingProxyType, ModuleType
from typing import Any, Final, cast, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter

from ohmstead.links.scan import Handshake
from ohmstead.model import Point
from ohmstead.registers import RegisterTable

__all__ = [
    "FAMILIES",
    "FORECASTS",
    "LEAST_POLL_S",
    "OUTPUTS",
    "PRICE_SOURCES",
    "STRATEGIES",
    "Family",
    "forecast",
    "output",
    "price_source",
    "settings_type",
    "strategy",
    "validator",
]

_POLL_S: Final = 10.0
LEAST_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of device: a folder in ``devices/`` whose classes begin with *prefix*."""

    name: str
    prefix: str
    title: str

    @property
    def settings(self) -> type:
        """What an owner says of such a device."""
        return cast("type", self._find("settings", "Settings"))

    @property
    def driver(self) -> Callable[..., Any]:
        """Makes a device of a name, settings, a clock and a time zone."""
        return cast("Callable[..., Any]", self._find("driver", "Driver"))

    @property
    def simulator(self) -> Callable[..., Any]:
        """Makes a simulated device of a house, a clock and a time zone."""
        return cast("Callable[..., Any]", self._find("simulator", "Simulator"))

    @property
    def handshake(self) -> Handshake | None:
        """Asks an address whether such a device is there; None if the family cannot be asked."""
        found = self._discovery()
        return cast("Handshake", found.handshake) if found else None

    @property
    def port(self) -> int | None:
        """Where such a device usually listens; None if the family cannot be asked."""
        found = self._discovery()
        return cast("int", found.PORT) if found else None

    @property
    def poll_s(self) -> float:
        """How often such a device is read if its owner does not say."""
        return float(getattr(self.settings, "POLL_S", _POLL_S))

    @property
    def least_poll_s(self) -> float:
        """No more often than this makes sense for such a device."""
        return float(getattr(self.settings, "LEAST_POLL_S", LEAST_POLL_S))

    @property
    def tables(self) -> tuple[RegisterTable, ...]:
        """The family's register tables; none where the device is not read by registers."""
        found = resolve_name(f"ohmstead.devices.{self.name}.registers:TABLES")
        return cast("tuple[RegisterTable, ...]", found)

    @property
    def points(self) -> Mapping[str, Point]:
        """What a family without register tables measures, by key."""
        found = resolve_name(f"ohmstead.devices.{self.name}.points:POINTS")
        return cast("Mapping[str, Point]", found)

    def tables_for(self, model: str) -> Mapping[str, RegisterTable]:
        """Return the register tables of one model of the family, by address space."""
        find = resolve_name(f"ohmstead.devices.{self.name}.registers:tables_for")
        return cast("Mapping[str, RegisterTable]", find(model))

    def _discovery(self) -> ModuleType | None:
        where = f"ohmstead.devices.{self.name}.discovery"
        return import_module(where) if find_spec(where) else None

    def _find(self, module: str, suffix: str) -> object:
        return resolve_name(f"ohmstead.devices.{self.name}.{module}:{self.prefix}{suffix}")


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family("luxpower", "LuxPower", "LuxPower and EG4 inverters, by their datalogger"),
            Family("givenergy", "GivEnergy", "GivEnergy inverters, by their data adapter"),
            Family("givenergy_cloud", "GivEnergyCloud", "GivEnergy inverters, by their cloud"),
            Family("zappi", "Zappi", "myenergi zappi car chargers, by their hub"),
        )
    }
)

STRATEGIES: Final = (
    "limits",
    "car",
    "clipping_guard",
    "soc_corridor",
    "evening_export",
    "gentle_charge",
    "solar_export",
    "follow_plan",
    "price_threshold",
    "cheapest_slots",
    "rule",
    "self_consumption",
    "keep_clock",
)

PRICE_SOURCES: Final = ("octopus", "fixed", "time_of_use")

FORECASTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "solar": ("model", "open_meteo", "forecast_solar", "solcast"),
        "load": ("history",),
        "carbon": ("uk",),
    }
)

OUTPUTS: Final = ("mqtt", "influx", "prometheus", "givtcp", "notify", "pvoutput")


def strategy(name: str) -> tuple[Callable[..., Any], type]:
    """Return the strategy called *name*, and its settings."""
    found = f"ohmstead.control.{name}"
    return resolve_name(f"{found}:{name}"), settings_type(f"{found}:{_camel(name)}")


def price_source(name: str) -> tuple[Callable[..., Any], type]:
    """Return what makes the price source called *name*, and its settings."""
    found = f"ohmstead.prices.{name}:{_camel(name)}"
    return resolve_name(f"{found}Source"), settings_type(f"{found}Settings")


def forecast(kind: str, source: str) -> tuple[Callable[..., Any], type]:
    """Return what makes the forecast of *kind* by *source*, and its settings."""
    name = source if kind == "solar" else f"{kind}_{source}"
    found = f"ohmstead.forecasts.{name}:"
    return resolve_name(f"{found}{name}"), settings_type(f"{found}{_camel(name)}Settings")


def output(name: str) -> tuple[Callable[..., Any], type]:
    """Return what makes the output called *name*, and its settings."""
    found = f"ohmstead.outputs.{name}:{_camel(name)}"
    return resolve_name(f"{found}Output"), settings_type(f"{found}Settings")


def settings_type(where: str) -> type:
    """Return the settings class at *where* (``module:Class``)."""
    return cast("type", resolve_name(where))


@cache
def validator(settings: type) -> TypeAdapter[Any]:
    """Return what checks a mapping against *settings*, unknown keys refused."""
    _make_strict(settings)
    return TypeAdapter(settings)


def _make_strict(kind: type) -> None:
    """Let pydantic refuse unknown keys in a plain dataclass, and in those inside it.

    The core's settings know nothing of pydantic; this is the one place that tells it how strict
    to be, and that the text under a field describes it.
    """
    config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    kind.__pydantic_config__ = config  # type: ignore[attr-defined]
    for hint in get_type_hints(kind).values():
        for part in (hint, *get_args(hint)):
            if isinstance(part, type) and is_dataclass(part):
                _make_strict(part)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
