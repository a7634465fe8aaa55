"""Tells systemd that the service is ready and alive: sd_notify(3)."""

import os
import socket
from collections.abc import AsyncIterator

from ohmstead.model import Tick

__all__ = ["notify", "notify_ticks"]


def notify(message: str) -> None:
    """Send *message* to the service manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # A leading @ stands for the abstract namespace, whose names begin with a zero byte.
    path = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(0)
        try:
            channel.connect(path)
            channel.send(message.encode())
        except OSError:
            return  # the manager is gone or slow: the house matters more


async def notify_ticks(ticks: AsyncIterator[Tick]) -> None:
    """Say READY at the first tick, and with every tick that the loop is alive."""
    ready = False
    async for tick in ticks:
        state = f"STATUS={tick.decision.reason}\nWATCHDOG=1"
        notify(state if ready else f"READY=1\n{state}")
        ready = True
