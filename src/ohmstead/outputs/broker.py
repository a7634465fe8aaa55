"""A broker of our own, for houses that have none.

A mosquitto that is on the machine is run as our child; without one, amqtt runs inside the
service.
"""

import importlib.util
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from ohmstead.clock import Clock
from ohmstead.errors import OutputError
from ohmstead.outputs.broker_amqtt import run_amqtt
from ohmstead.outputs.broker_mosquitto import run_mosquitto
from ohmstead.outputs.mqtt_settings import MqttSettings

__all__ = ["broker_for", "find_mosquitto"]

log = logging.getLogger(__name__)

_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where services are, which the PATH of a user often leaves out."""

Broker = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs for ever, and calls what it is given once it takes connections."""


def find_mosquitto() -> str | None:
    """Return where mosquitto is on this machine, or None."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    return shutil.which("mosquitto", path=path)


def broker_for(settings: MqttSettings, folder: Path | None, clock: Clock) -> Broker:
    """Return the broker that *settings* asks for; raises ``OutputError`` if there is none."""
    use = settings.broker.use
    program = find_mosquitto() if use != "amqtt" else None
    if program is not None:
        if folder is None:
            raise OutputError("mqtt: our own broker needs a data_dir to keep its messages in")
        return lambda ready: run_mosquitto(program, settings, folder, ready, clock)
    if use != "mosquitto" and importlib.util.find_spec("amqtt") is not None:
        log.warning(
            "mqtt: the broker is amqtt, inside this service. It speaks MQTT 3.1.1 only: in Home "
            "Assistant, choose protocol 3.1.1 in the advanced options of its MQTT integration"
        )
        if settings.protocol == "5":
            raise OutputError("mqtt: amqtt speaks MQTT 3.1.1 only; leave protocol out")
        return lambda ready: run_amqtt(settings, folder, ready)
    raise OutputError(
        "mqtt: there is no broker on this machine: install mosquitto, or Ohmstead with the "
        "extra `broker`, or name the host of another broker"
    )
