"""octolux's ``config.ini`` as a configuration of ours. Pure."""

import json
import math
import re
from collections.abc import Mapping
from configparser import ConfigParser, Error
from typing import Final

from ohmstead.config.migration import Migration, quoted
from ohmstead.control.cheapest_slots import CheapestSlots
from ohmstead.devices.luxpower.settings import LuxPowerSettings
from ohmstead.errors import ConfigError
from ohmstead.prices.octopus import OctopusSettings

__all__ = ["from_octolux"]

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "lxp": frozenset({"host", "port", "serial", "datalog", "batteries"}),
    "octopus": frozenset({"tariff_code"}),
    "rules": frozenset({"required_soc", "emergency_soc", "cheap_charge", "min_discharge"}),
}
_SECTION_NOTES: Final[Mapping[str, str]] = {
    "server": "the page and the API are on web.listen (/api/v1/devices instead of /api/inputs "
    "and /api/registers); an address others can reach needs a password",
    "mqtt": "there is no MQTT in this version; the API has live events (/api/v1/live)",
    "solcast": "there are no solar forecasts in this version",
}
_KEY_NOTES: Final[Mapping[tuple[str, str], str]] = {
    ("octopus", "product_code"): "not needed, the tariff code contains it",
    ("lxp", "host_slave"): "octolux's rules drove the first inverter only, and so does this file; "
    "to drive the second too, list it under devices: with its own host, datalog and serial",
}
_RULES_NOTE: Final = (
    "rules.rb: if it was octolux's agile_cheap_slots example, the strategy in the file decides the "
    "same; a rule of your own becomes a `rule:` (docs/strategies.md)"
)
_FIRST_RULE_NOTE: Final = (
    "rules.rb: there is no [rules], so the file has octolux's first rule, charge at 5p or less; "
    "a rule of your own becomes a `rule:` (docs/strategies.md)"
)
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


def from_octolux(text: str, name: str = "config.ini") -> Migration:
    """Return what octolux's configuration means here; *name* stands in errors.

    Raises ``ConfigError`` naming the section and key that cannot be used.
    """
    ini = _Ini(text, name)
    lines = [
        f"# From octolux's {json.dumps(name)}. Look at it with `ohmstead check`.",
        "site: {name: home, timezone: Europe/London}",
        "devices:",
        *_inverter(ini),
        "prices:",
        *_prices(ini),
        "control:",
    ]
    if ini.has("rules"):
        lines += _cheapest_slots(ini)
    else:
        lines.append("  - price_threshold: {at_most_per_kwh: 0.05}   # pounds; octolux's 5p rule")
    return Migration(yaml="\n".join(lines) + "\n", notes=_notes(ini))


def _inverter(ini: "_Ini") -> list[str]:
    host, port = ini.text("lxp", "host"), ini.whole("lxp", "port", 8000)
    datalog, serial = ini.text("lxp", "datalog"), ini.text("lxp", "serial")
    try:
        LuxPowerSettings(host=host, port=port, datalog=datalog, serial=serial)
    except ValueError as exc:
        raise ini.wrong(f"[lxp] {exc}") from exc
    return [
        "  - name: inverter",
        "    family: luxpower",
        f"    host: {quoted(host)}",
        f"    port: {port}",
        f"    datalog: {quoted(datalog)}   # quoted: a serial number may begin with 0",
        f"    serial: {quoted(serial)}",
    ]


def _prices(ini: "_Ini") -> list[str]:
    tariff = ini.text("octopus", "tariff_code")
    try:
        OctopusSettings(tariff=tariff)
    except ValueError as exc:
        raise ini.wrong(f"[octopus] tariff_code: {exc}") from exc
    return [f"  import: {{source: octopus, tariff: {quoted(tariff)}}}"]


def _cheapest_slots(ini: "_Ini") -> list[str]:
    required, emergency = ini.number("required_soc", 90), ini.number("emergency_soc", 50)
    # octolux thinks in pence; six digits, so that 5.0p is 0.05 and not 0.050000000000000003.
    cheap = round(ini.number("cheap_charge", 2) / 100, 6)
    discharge = round(ini.number("min_discharge", 3) / 100, 6)
    batteries = ini.whole("lxp", "batteries", 1)
    try:
        CheapestSlots(required_soc_pct=required, emergency_soc_pct=emergency, batteries=batteries)
    except ValueError as exc:
        raise ini.wrong(f"[rules] {str(exc).replace('_soc_pct', '_soc')}") from exc
    return [
        "  - cheapest_slots:",
        f"      required_soc_pct: {required:g}",
        f"      emergency_soc_pct: {emergency:g}",
        f"      cheap_per_kwh: {cheap:g}   # pounds, where octolux had pence",
        f"      min_discharge_per_kwh: {discharge:g}",
        f"      batteries: {batteries}",
        "      old_behaviour: true   # decides exactly as octolux did; false mends its mistakes",
    ]


def _notes(ini: "_Ini") -> tuple[str, ...]:
    """Return a sentence for whatever has no counterpart; keys only, a value may be a password."""
    notes = [_RULES_NOTE if ini.has("rules") else _FIRST_RULE_NOTE]
    for section, keys in ini.sections.items():
        unknown = [key for key in keys if key not in _KNOWN.get(section, ())]
        if section in _SECTION_NOTES and unknown:
            notes.append(f"[{section}] {', '.join(unknown)}: {_SECTION_NOTES[section]}")
            continue
        for key in unknown:
            why = _KEY_NOTES.get((section, key), "has no counterpart")
            notes.append(f"[{section}] {key}: {why}")
    return tuple(notes)


class _Ini:
    """The file as octolux's own parser took it, with errors that say what to do."""

    def __init__(self, text: str, name: str) -> None:
        """Read *text*; raises ``ConfigError`` if it is no such file."""
        self._name = name
        # That parser knew no continued lines, stripped what followed a comment sign, and let the
        # last of two equal keys win.
        flush = "\n".join(line.strip() for line in text.removeprefix("\ufeff").splitlines())
        parser = ConfigParser(
            interpolation=None,
            strict=False,
            delimiters=("=",),
            inline_comment_prefixes=(";", "#"),
            default_section="",  # no section is shared by the others
        )
        try:
            parser.read_string(flush, source=name)
        except Error as exc:
            # The parser's own message quotes the line, which may hold a password.
            line = getattr(exc, "lineno", None) or next(iter(getattr(exc, "errors", [(1,)])))[0]
            raise ConfigError(
                f"{name}:{line}: this is not a line of octolux's config.ini, which has [section] "
                "lines and then `key = value`; is it the right file?"
            ) from exc
        self.sections: Final[Mapping[str, Mapping[str, str]]] = {
            section: {key: value.strip("\"' ") for key, value in parser[section].items()}
            for section in parser.sections()
        }

    def has(self, section: str) -> bool:
        """Tell whether there is such a section."""
        return section in self.sections

    def text(self, section: str, key: str) -> str:
        """Return what must be there."""
        if section not in self.sections:
            raise ConfigError(
                f"{self._name}: there is no section [{section}]; is it octolux's config.ini?"
            )
        value = self.sections[section].get(key)
        if not value:
            raise self.wrong(f"[{section}] has no {key}")
        return value

    def whole(self, section: str, key: str, default: int) -> int:
        """Return a whole number above 0, or *default* if nobody wrote one."""
        text = self.sections.get(section, {}).get(key) or str(default)
        if not _WHOLE.fullmatch(text) or int(text) < 1:
            raise self.wrong(f"[{section}] {key}: {text!r} is not a whole number above 0")
        return int(text)

    def number(self, key: str, default: float) -> float:
        """Return a number of the rules, or *default* if nobody wrote one."""
        text = self.sections["rules"].get(key) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.wrong(f"[rules] {key}: {text!r} is not a number")
        return value

    def wrong(self, what: str) -> ConfigError:
        """Return the error that names the file and says what to do."""
        return ConfigError(f"{self._name}: {what}; put it right there, and migrate again")
