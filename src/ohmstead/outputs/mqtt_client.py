"""The MQTT library with what we need besides: repeated messages, kept sessions, TLS."""

import ssl
from collections.abc import Callable
from typing import Any, Final, Self

import aiomqtt
from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    MQTT_ERR_SUCCESS,
    Client,
    ConnectFlags,
    MQTTMessage,
)
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ohmstead.errors import OutputError
from ohmstead.outputs.mqtt_settings import MqttSettings

__all__ = ["MqttClient", "try_out"]

_TIMEOUT_S: Final = 10.0
_KEPT_S: Final = 3600
"""How long a broker of MQTT 5 shall keep a session; those of 3.1.1 decide for themselves."""


class MqttClient(aiomqtt.Client):
    """One connection."""

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        hear: Callable[[MQTTMessage], None],
        *,
        will: aiomqtt.Will | None = None,
        keep: bool = False,
    ) -> None:
        """Be ready to connect as *client_id*; with *keep*, to a session that outlives it."""
        host, port = settings.address
        five = settings.protocol == "5"
        properties = None
        if five and keep:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = _KEPT_S
        super().__init__(
            host,
            port,
            username=settings.username,
            password=settings.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else not keep,
            clean_start=not keep if five else MQTT_CLEAN_START_FIRST_ONLY,
            properties=properties,
            will=will,
            keepalive=settings.keepalive_s,
            timeout=_TIMEOUT_S,
            tls_context=_tls(settings),
        )
        self._hear = hear
        self.session_kept = False

    async def __aenter__(self) -> Self:
        """Connect, or leave nothing open."""
        greeted = False
        try:
            await super().__aenter__()
            greeted = True
        finally:
            if not greeted:
                self.drop()
        return self

    def drop(self) -> None:
        """Close the socket if it is still open, without a word."""
        # The library forgets the socket of a greeting that failed: the event loop then keeps it.
        self._client._sock_close()  # noqa: SLF001 - there is no public way

    def push(self, topic: str, payload: str) -> None:
        """Put a retained message of QoS 0 on its way, without waiting until it is out.

        Whoever pushes waits for the last of them with ``publish``: a hundred small messages
        then leave in a few writes instead of in a hundred turns of the event loop.
        """
        code = self._client.publish(topic, payload, qos=0, retain=True).rc
        if code != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(code, "Could not publish message")

    def _on_connect(
        self,
        client: Client,
        userdata: Any,  # noqa: ANN401 - the library's
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Note whether the broker kept our session, before its first message comes."""
        self.session_kept = flags.session_present
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:  # noqa: ANN401 - the library's
        """Hand the message over whole: the library's own queue forgets that it was repeated."""
        del client, userdata
        self._hear(message)


async def try_out(settings: MqttSettings, client_id: str) -> str:
    """Connect once, and return what was found; raises ``OutputError`` if it does not work."""
    host, port = settings.address
    try:
        async with MqttClient(settings, client_id, lambda _: None):
            return f"connected to {host}:{port}"
    except (aiomqtt.MqttError, ValueError) as exc:
        raise OutputError(f"cannot reach {host}:{port}: {exc}") from exc


def _tls(settings: MqttSettings) -> ssl.SSLContext | None:
    tls = settings.encryption
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key)
    except OSError as exc:
        raise OutputError(f"mqtt: the certificates in tls cannot be used: {exc}") from exc
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
