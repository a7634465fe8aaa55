"""amqtt inside the service: MQTT 3.1.1 only, and it remembers nothing over a restart."""

import asyncio
import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from ohmstead.errors import OutputError
from ohmstead.outputs.mqtt_settings import MqttSettings

__all__ = ["run_amqtt"]

log = logging.getLogger(__name__)


async def run_amqtt(settings: MqttSettings, folder: Path | None, ready: Callable[[], None]) -> None:
    """Run the broker until cancelled; raises ``OutputError`` when it cannot be."""
    library = importlib.import_module("amqtt.broker")
    errors = importlib.import_module("amqtt.errors")
    host, port = settings.broker.listen, settings.address[1]
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    logging.getLogger("amqtt").setLevel(logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.WARNING)
    broker: Any = library.Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": bind}},
            "plugins": _plugins(settings, folder),
        }
    )
    try:
        await broker.start()
    except (errors.AMQTTError, errors.BrokerError, errors.PluginError, OSError) as exc:
        raise OutputError(f"mqtt: our own broker cannot listen on {bind}: {exc}") from exc
    log.info("mqtt: amqtt runs on %s, for MQTT 3.1.1", bind)
    try:
        ready()
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()


def _plugins(settings: MqttSettings, folder: Path | None) -> dict[str, dict[str, object]]:
    place = "amqtt.plugins.authentication"
    if settings.username is None or settings.password is None:
        return {f"{place}.AnonymousAuthPlugin": {"allow_anonymous": True}}
    if folder is None:
        raise OutputError("mqtt: our own broker needs a data_dir to keep its passwords in")
    passwords = folder / "amqtt.passwords"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        passwords.touch(mode=0o600)
        hashed = PasswordHasher().hash(settings.password)
        passwords.write_text(f"{settings.username}:{hashed}\n")
    except OSError as exc:
        raise OutputError(f"mqtt: our own broker cannot keep its files: {exc}") from exc
    return {f"{place}.FileAuthPlugin": {"password_file": str(passwords)}}
