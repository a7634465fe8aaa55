"""What an owner says about MQTT, its broker, and Home Assistant."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Literal

__all__ = ["EMBEDDED", "EmbeddedSettings", "HomeAssistantSettings", "MqttSettings", "TlsSettings"]

EMBEDDED: Final = "embedded"
_PORT: Final = 1883
_TLS_PORT: Final = 8883
_WILDCARDS: Final = ("+", "#", "\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How to be sure of the broker, and it of us."""

    ca: str | None = None
    """File with the certificates to trust; this machine's own if not said."""
    cert: str | None = None
    """File with our certificate, for a broker that asks for one."""
    key: str | None = None
    """File with its private key."""
    insecure: bool = False
    """Trust any certificate. Whoever can answer for the broker can then command the battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantSettings:
    """How Home Assistant is told what there is."""

    form: Literal["device", "component"] = "device"
    """`device` sends one message a device (Home Assistant 2024.11 and newer), `component` one an
    entity, for older ones."""
    prefix: str = "homeassistant"
    """The topic under which it looks for devices."""
    time_entities: bool = False
    """Times of day as `time` entities, which only Home Assistant 2026.6 and newer has; others
    get a text. An older one would refuse the whole device."""
    all_enabled: bool = False
    """Enable every entity at once; without it, diagnostic ones wait to be enabled."""

    def __post_init__(self) -> None:
        """Refuse a prefix that is no topic."""
        _check_topic("prefix", self.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """The broker of our own, for `host: embedded`."""

    listen: str = "127.0.0.1"
    """Address it listens on. Anything but this machine needs `username` and `password`."""
    use: Literal["auto", "mosquitto", "amqtt"] = "auto"
    """`mosquitto` is a program on this machine; `amqtt` runs inside the service and speaks MQTT
    3.1.1 only; auto takes the first that is there."""

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        try:
            ip_address(self.listen)
        except ValueError as exc:
            if self.listen != "localhost":
                raise ValueError("listen is an address of this machine, like 0.0.0.0") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """A broker, and what it is told."""

    host: str
    """Address of the broker, or `embedded` for one of our own."""
    port: int | None = None
    """Its port; 1883, or 8883 with `tls`, if not said."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    """Keep it in secrets.yaml: `password: !secret mqtt`."""
    tls: bool | TlsSettings = False
    """Encrypt the connection, and check who the broker is."""
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    """The version of MQTT to speak."""
    topic: str = "ohmstead"
    """Where our topics begin; the site's name follows."""
    client_id: str | None = None
    """How the broker knows us; `<topic>-<site>` if not said. Two clients of one name throw each
    other out."""
    keepalive_s: int = 30
    """After half as much again without a sign of life, the broker declares us offline."""
    home_assistant: bool | HomeAssistantSettings = False
    """Let Home Assistant find everything by itself."""
    embedded: EmbeddedSettings | None = None
    """How the broker of our own shall be."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, and an open door to the network."""
        if not self.host:
            raise ValueError("host is the broker's address, or embedded")
        if self.port is not None and not 0 < self.port < 1 << 16:
            raise ValueError("port is a number from 1 to 65535")
        if self.password is not None and self.username is None:
            raise ValueError("a password needs a username beside it")
        if self.keepalive_s < 1:
            raise ValueError("keepalive_s is 1 or more")
        _check_topic("topic", self.topic)
        if self.host == EMBEDDED:
            self._check_embedded()
        elif self.embedded is not None:
            raise ValueError("embedded says how our own broker shall be; it needs `host: embedded`")

    @property
    def broker(self) -> EmbeddedSettings:
        """How the broker of our own shall be."""
        return self.embedded or EmbeddedSettings()

    @property
    def discovery(self) -> HomeAssistantSettings | None:
        """How Home Assistant is told; None if it is not."""
        if self.home_assistant is True:
            return HomeAssistantSettings()
        return self.home_assistant or None

    @property
    def encryption(self) -> TlsSettings | None:
        """How the connection is encrypted; None if it is not."""
        return TlsSettings() if self.tls is True else self.tls or None

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to connect to."""
        port = self.port or (_TLS_PORT if self.encryption else _PORT)
        if self.host != EMBEDDED:
            return self.host, port
        listen = self.broker.listen
        return ("127.0.0.1" if listen in {"0.0.0.0", "::"} else listen), port  # noqa: S104 - the opposite: what to call it from here

    def _check_embedded(self) -> None:
        if self.encryption:
            raise ValueError("our own broker speaks no TLS; leave tls out")
        if (self.username is None) != (self.password is None):
            raise ValueError("our own broker needs both username and password, or neither")
        if self.username is not None and not _is_name(self.username):
            raise ValueError("our own broker takes a username of printable signs without a colon")
        listen = self.broker.listen
        if self.password is None and not _is_loopback(listen):
            raise ValueError(
                f"embedded.listen: {listen} can be reached from the network, so set username and "
                "password (`password: !secret mqtt`)"
            )
        if self.protocol == "5" and self.broker.use == "amqtt":
            raise ValueError("amqtt speaks MQTT 3.1.1 only; leave protocol out")


def _check_topic(name: str, topic: str) -> None:
    if not topic or topic.startswith("/") or topic.endswith("/"):
        raise ValueError(f"{name} is a topic, like ohmstead or house/ohmstead")
    if any(sign in topic for sign in _WILDCARDS):
        raise ValueError(f"{name} is a topic without wildcards")


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and ":" not in name


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
