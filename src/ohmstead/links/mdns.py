"""What devices on the local network call themselves, as far as they say so by multicast DNS."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from zeroconf import Error, InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

__all__ = ["Neighbours", "browse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Who made himself known."""

    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By IPv4 address."""
    trouble: str = ""
    """Why nobody could be heard; empty if all went well."""


async def browse(listen_s: float = 3.0, interfaces: Sequence[str] | None = None) -> Neighbours:
    """Listen for *listen_s* on all *interfaces*, or on those with these addresses.

    A machine without multicast is no error: it hears nobody, and says why.
    """
    try:
        own = AsyncZeroconf(
            interfaces=InterfaceChoice.All if interfaces is None else list(interfaces),
            ip_version=IPVersion.V4Only,
        )
    except (OSError, RuntimeError, Error) as exc:  # RuntimeError: no interface at all
        return Neighbours(trouble=str(exc))
    try:
        return Neighbours(names=await _listen(own.zeroconf, listen_s))
    except (OSError, Error) as exc:
        return Neighbours(trouble=str(exc))
    finally:
        await own.async_close()


async def _listen(zeroconf: Zeroconf, listen_s: float) -> dict[str, str]:
    names: dict[str, str] = {}

    async def resolve(service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if await info.async_request(zeroconf, _RESOLVE_MS):
            for address in info.parsed_addresses(IPVersion.V4Only):
                names.setdefault(address, _printable(name.removesuffix(f".{service_type}")))

    async with asyncio.TaskGroup() as group:

        def heard(
            zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
        ) -> None:
            del zeroconf
            if state_change is ServiceStateChange.Added:
                group.create_task(resolve(service_type, name))

        browser = AsyncServiceBrowser(zeroconf, list(_SERVICES), handlers=[heard])
        try:
            await asyncio.sleep(listen_s)
        finally:
            await browser.async_cancel()
    return names


def _printable(name: str) -> str:
    """Keep a stranger's name from moving the cursor."""
    return "".join(letter for letter in name if letter.isprintable())


_SERVICES: Final = (
    "_shelly._tcp.local.",
    "_opendtu._tcp.local.",
    "_hwenergy._tcp.local.",
    "_enphase-envoy._tcp.local.",
    "_http._tcp.local.",
)
_RESOLVE_MS: Final = 1_000
