"""Whom GivTCP told, as outputs of ours: its brokers, its routes, its database."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from ohmstead.config.givtcp_given import Given
from ohmstead.config.migration import quoted

__all__ = ["givtcp_outputs"]

_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_TOPIC: Final = re.compile(r"[A-Za-z0-9_/-]{1,100}")
_ITSELF: Final = frozenset({"", "127.0.0.1", "localhost"})
"""Broker addresses that meant the one inside GivTCP's container."""
_THEIRS: Final = "GivEnergy"
_PORTS: Final = 65_535
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - inside a container; its owner publishes ports
_HOME_NETWORKS: Final = "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]"
"""What a house and a container's own network can be (RFC 1918)."""


def givtcp_outputs(given: Given, notes: list[str], *, in_container: bool) -> Iterator[str]:
    """Return each output as a line of YAML, and add to *notes* what its owner should know."""
    broker: dict[str, str] = {}
    if given.flag("MQTT_OUTPUT", default=True):
        broker = _broker(given, notes)
        own = broker["host"] == "embedded"
        house = broker | {
            "home_assistant": str(given.flag("HA_AUTO_D", default=True)).lower(),
            "embedded": _reach(broker, notes) if own and in_container else "",
        }
        yield f"mqtt: {_flow(house)}"
        broker["host"] = quoted("127.0.0.1") if own else broker["host"]
        broker["topic"] = _topic(given)
    routes = _routes(notes, in_container=in_container) | _as_before(given, notes)
    yield f"givtcp: {_flow(routes | {'mqtt': _flow(broker)})}"
    if given.flag("INFLUX_OUTPUT", default=False):
        yield f"influx: {_flow(_influx(given, notes))}"


# ---- MQTT -------------------------------------------------------------------------------


def _broker(given: Given, notes: list[str]) -> dict[str, str]:
    address = given.text("MQTT_ADDRESS")
    if address and not _HOST.fullmatch(address):
        raise given.wrong("MQTT_ADDRESS", "is no address; write it as 192.168.1.10")
    if address == "core-mosquitto":
        notes.append(
            f"{given.spelt('MQTT_ADDRESS')}: only add-ons know that name; elsewhere write Home "
            "Assistant's address"
        )
    host = "embedded" if address in _ITSELF else quoted(address)
    named, secret = bool(given.text("MQTT_USERNAME")), given.is_set("MQTT_PASSWORD")
    if secret and not named:
        notes.append(f"{given.spelt('MQTT_PASSWORD')}: opens nothing without a name; left out")
    if named and not secret and host == "embedded":
        named = False
        notes.append(f"{given.spelt('MQTT_USERNAME')}: opens nothing without a password; left out")
    return {
        "host": host,
        "port": str(_port(given)),
        "username": _said(given, "MQTT_USERNAME") if named else "",
        "password": _secret(given, "MQTT_PASSWORD", notes) if named else "",
    }


def _port(given: Given) -> int:
    port = given.whole("MQTT_PORT") or 1883
    if port > _PORTS:
        raise given.wrong("MQTT_PORT", f"is no port; the last is {_PORTS}")
    return port


def _topic(given: Given) -> str:
    topic = given.text("MQTT_TOPIC").strip("/")
    if topic in {"", _THEIRS}:
        return ""
    if not _TOPIC.fullmatch(topic):
        raise given.wrong("MQTT_TOPIC", f"is no topic; write it as {_THEIRS}")
    return quoted(topic)


def _reach(broker: Mapping[str, str], notes: list[str]) -> str:
    """Return where the broker of our own listens, so that others find it in a container."""
    if broker["username"] and broker["password"]:
        return _flow({"listen": _EVERYWHERE})
    notes.append(
        "mqtt: the broker in the container is for the container alone; for others it needs "
        "MQTT_USERNAME and MQTT_PASSWORD, or name your own broker as MQTT_ADDRESS"
    )
    return ""


# ---- the routes and the database --------------------------------------------------------


def _routes(notes: list[str], *, in_container: bool) -> dict[str, str]:
    if in_container:
        notes.append(
            "givtcp: the old routes know no password, and obey all of your network once port 6345 "
            "is published; narrow `allow` to whoever uses them"
        )
        return {"listen": quoted(f"{_EVERYWHERE}:6345"), "allow": _HOME_NETWORKS}
    notes.append(
        "givtcp: the old routes are on 127.0.0.1:6345, for this machine alone; for others say "
        "`listen: 0.0.0.0:6345` and in `allow` which networks may ask"
    )
    return {"listen": quoted("127.0.0.1:6345")}


def _as_before(given: Given, notes: list[str]) -> dict[str, str]:
    """Return what makes the old routes mean what they meant, and show what they showed."""
    written = [key for _, key in given.numbered("INVERTOR_IP")]
    found: dict[str, str] = {}
    if "INVERTOR_IP" in written:  # version 2 numbered it, version 3 wrote it in small letters
        found["version"] = "1"
        notes.append(
            "givtcp: flows of version 1 are expected, whose charge rates are per cent; were yours "
            "written for a newer one, say `version: 2` or `version: 3`"
        )
    elif any(key.isupper() for key in written):
        found["version"] = "2"
    raw = next((key for key in ("PRINT_RAW", "Print_Raw_Registers") if given.is_set(key)), None)
    if raw is not None and not given.flag(raw, default=True):
        found["raw"] = "false"
    return found


def _influx(given: Given, notes: list[str]) -> dict[str, str]:
    return {
        "url": quoted(_url(given, notes)),
        "bucket": _said(given, "INFLUX_BUCKET"),
        "org": _said(given, "INFLUX_ORG"),
        "token": _secret(given, "INFLUX_TOKEN", notes),
        "naming": "givtcp",
    }


def _url(given: Given, notes: list[str]) -> str:
    text = given.text("INFLUX_URL") or "http://127.0.0.1:8086"
    wrong = given.wrong("INFLUX_URL", "is no address; write it as http://192.168.1.6:8086")
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        known = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError as exc:
        raise wrong from exc
    if not known:
        raise wrong
    if "@" in url.netloc:
        notes.append(f"{given.spelt('INFLUX_URL')}: a name or password in it counts for nothing")
    if url.query or url.fragment:
        notes.append(f"{given.spelt('INFLUX_URL')}: what follows its path is left out")
    bare = url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")
    return bare.geturl()


def _secret(given: Given, key: str, notes: list[str]) -> str:
    """Return the name of a secret, if there is one; its value is written nowhere."""
    if not given.is_set(key):
        return ""
    name = key.lower()
    notes.append(f"{given.spelt(key)}: put it as `{name}: …` into secrets.yaml beside the file")
    return f"!secret {name}"


def _said(given: Given, key: str) -> str:
    return quoted(given.text(key)) if given.text(key) else ""


def _flow(values: Mapping[str, str]) -> str:
    inside = ", ".join(
        f"{key}: {value}" for key, value in values.items() if value and value != "{}"
    )
    return f"{{{inside}}}"
