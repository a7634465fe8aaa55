"""What becomes of the keys of GivTCP that have no counterpart: a sentence for each. A table."""

import re
from typing import Final

__all__ = ["UNKNOWN", "fate", "plain"]

UNKNOWN: Final = "no setting of GivTCP's that is known here; left out"

_TAKEN: Final = frozenset(
    {
        *("invertorip", "inverterenable", "numinvertors", "numberofinverters"),
        *("selfrunlooptimer", "selfruntimer", "tz", "timezone"),
        *("dayrate", "nightrate", "exportrate", "dayratestart", "nightratestart"),
        *("mqttoutput", "mqttaddress", "mqttport", "mqttusername", "mqttpassword", "mqtttopic"),
        *("haautod", "printraw", "printrawregisters"),
        *("influxoutput", "influxurl", "influxbucket", "influxorg", "influxtoken"),
    }
)
"""Keys that the configuration is made of."""

_FATES: Final = (
    ("evc.*|serialnumberevc", "the car charger is not read in this version"),
    (
        "smarttarget|geapi|solcast.*|palm.*|loadhistweight",
        "the planner comes with `forecasts`, and will need no cloud account for the target",
    ),
    (
        "numbatteries|invertornumbatteries|invertor(aio|ac)|model|invertertype|serialnumber",
        "the inverter itself is asked what it is and how many batteries it has",
    ),
    (
        "invertername|hadeviceprefix",
        "a device is called by its `name:` in the file; change it there, in small letters",
    ),
    ("inverterbatteryonly|litequery", "a device is always read in full"),
    ("autoscan|hostip", "no network is scanned unasked; `ohmstead discover` does it once"),
    ("mqttretain", "values are always retained"),
    (
        "loglevel|debugfilelocation",
        "the log goes where the service's output goes; `ohmstead run --verbose` says more",
    ),
    ("selfrun", "the service always reads by itself; `ohmstead once` takes one turn"),
    ("selfruntimerfull", "settings are read as often as they need to be"),
    ("queueretries", "a read is asked again, a write is sent once and then read back"),
    (
        "dynamictariff",
        "prices follow the clock, or the tariff: `{source: octopus, …}` (docs/prices.md)",
    ),
    ("webdash|webdashport", "the page is where web.listen says, http://127.0.0.1:8080"),
    ("cachelocation", "what has to be kept is in data_dir, in var beside the file"),
    ("datasmoother", "a value that cannot be is left out; none is smoothed"),
    (
        "pythonpath|givtcpinstance|v3upgrade|usenew(cache|locks|services)|refreshmaxage",
        "it was about GivTCP itself",
    ),
)
"""Plain keys without their number, as expressions, each with what its owner should know."""


def plain(key: str) -> str:
    """Return *key* without what its three generations of spelling differ in."""
    return key.replace("_", "").lower()


def fate(key: str) -> str | None:
    """Return the sentence for *key*, as its owner wrote it; None if the file is made of it."""
    word = plain(key).rstrip("0123456789")
    if word in _TAKEN:
        return None
    for pattern, sentence in _FATES:
        if re.fullmatch(pattern, word):
            return sentence
    return UNKNOWN
