"""octolux's ``config.ini`` as a configuration of ours. Pure."""

from collections.abc import Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass
from typing import Final

from ohmstead.errors import ConfigError

__all__ = ["Migration", "from_octolux"]

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "lxp": frozenset({"host", "port", "serial", "datalog", "batteries"}),
    "octopus": frozenset({"tariff_code", "product_code"}),
    "rules": frozenset({"required_soc", "emergency_soc", "cheap_charge", "min_discharge"}),
}
_NOTES: Final[Mapping[str, str]] = {
    "server": "[server]: the page and the API are on web.listen (/api/v1/devices instead of "
    "/api/inputs and /api/registers)",
    "mqtt": "[mqtt]: there is no MQTT in this version; the API has live events (/api/v1/live)",
    "solcast": "[solcast]: there are no solar forecasts in this version",
}
_RULES_NOTE: Final = (
    "rules.rb: if it was octolux's agile_cheap_slots example, the strategy below decides the same; "
    "a rule of your own becomes a `rule:` (docs/strategies.md)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A configuration, and what could not be carried over."""

    yaml: str
    notes: tuple[str, ...]


def from_octolux(text: str, name: str = "config.ini") -> Migration:
    """Return what octolux's configuration means here; *name* stands in errors.

    Raises ``ConfigError`` naming the section and key that cannot be used.
    """
    ini = ConfigParser(interpolation=None)
    try:
        ini.read_string(text, source=name)
    except Error as exc:
        said = str(exc).replace("\n", " ")
        raise ConfigError(f"{name} is no configuration of octolux: {said}") from exc
    lxp, octopus = _section(ini, "lxp", name), _section(ini, "octopus", name)
    lines = [
        "# From octolux's config.ini. Look at it with `ohmstead check`.",
        "site: {name: home, timezone: Europe/London}",
        "devices:",
        "  - name: inverter",
        "    family: luxpower",
        f"    host: {_value(lxp, 'lxp', 'host', name)}",
        f"    port: {_whole(lxp, 'lxp', 'port', name, '8000')}",
        f'    datalog: "{_value(lxp, "lxp", "datalog", name)}"',
        f'    serial: "{_value(lxp, "lxp", "serial", name)}"',
        "prices:",
        f"  import: {{source: octopus, tariff: {_value(octopus, 'octopus', 'tariff_code', name)}}}",
        "control:",
    ]
    notes = []
    if ini.has_section("rules"):
        lines += _cheapest_slots(dict(ini["rules"]), lxp, name)
        notes.append(_RULES_NOTE)
    else:
        lines.append("  - price_threshold: {at_most_per_kwh: 0.05}")
        notes.append("no [rules]: octolux's first rule stands below, charge at 5p or less")
    notes += [note for section, note in _NOTES.items() if ini.has_section(section)]
    notes += [
        f"[{section}] {key}: has no counterpart"
        for section in ini.sections()
        if section not in _NOTES
        for key in ini[section]
        if key not in _KNOWN.get(section, ())
    ]
    return Migration(yaml="\n".join(lines) + "\n", notes=tuple(notes))


def _cheapest_slots(rules: Mapping[str, str], lxp: Mapping[str, str], name: str) -> list[str]:
    def number(key: str, default: float, scale: float = 1) -> str:
        text = rules.get(key) or str(default)
        try:
            return f"{float(text) * scale:g}"
        except ValueError as exc:
            raise ConfigError(f"{name}: [rules] {key}: {text!r} is not a number") from exc

    return [
        "  - cheapest_slots:",
        f"      required_soc_pct: {number('required_soc', 90)}",
        f"      emergency_soc_pct: {number('emergency_soc', 50)}",
        f"      cheap_per_kwh: {number('cheap_charge', 2, 0.01)}",
        f"      min_discharge_per_kwh: {number('min_discharge', 3, 0.01)}",
        f"      batteries: {_whole(lxp, 'lxp', 'batteries', name, '1')}",
        "      old_behaviour: true   # decides exactly as octolux did; false mends its mistakes",
    ]


def _section(ini: ConfigParser, section: str, name: str) -> Mapping[str, str]:
    if not ini.has_section(section):
        raise ConfigError(f"{name} has no section [{section}]; is it octolux's config.ini?")
    return dict(ini[section])


def _value(section: Mapping[str, str], title: str, key: str, name: str) -> str:
    value = section.get(key, "").strip().strip('"')
    if not value:
        raise ConfigError(f"{name}: [{title}] has no {key}")
    return value


def _whole(section: Mapping[str, str], title: str, key: str, name: str, default: str) -> int:
    text = section.get(key) or default
    if not text.isdecimal():
        raise ConfigError(f"{name}: [{title}] {key}: {text!r} is not a whole number")
    return int(text)
