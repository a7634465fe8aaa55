"""Which addresses to knock at: a network somebody names, or what lies around this machine."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import ifaddr

from ohmstead.errors import ConfigError

__all__ = [
    "MOST_ADDRESSES",
    "Neighbourhood",
    "Network",
    "addresses_of",
    "network_of",
    "own_networks",
]

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_ADDRESSES: Final = 1024
"""A /22. Nobody waits for more without having asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """A network of this machine, and how much of it is looked at."""

    network: Network
    looked_at: Network

    @property
    def narrowed(self) -> bool:
        """Tell whether a part is left out."""
        return self.network != self.looked_at


def network_of(text: str, *, large: bool = False) -> Network:
    """Return the network *text* names (192.168.1.0/24, 192.168.1.20); raises ``ConfigError``."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as exc:
        raise ConfigError(f"{text!r} is no network; write it as 192.168.1.0/24") from exc
    if network.is_global or network.is_multicast:
        raise ConfigError(f"{network} is not a network of a house; nothing there is asked")
    if network.num_addresses > _MOST_OF_ALL:
        raise ConfigError(f"{network} is larger than a /16; name the part your devices are in")
    if network.num_addresses > MOST_ADDRESSES and not large:
        raise ConfigError(
            f"{network} has {network.num_addresses} addresses; name a smaller part, such as "
            f"{_around(network.network_address)}, or say --large"
        )
    return network


def own_networks(adapters: Iterable[ifaddr.Adapter] | None = None) -> list[Neighbourhood]:
    """Return the IPv4 networks this machine stands in, each narrowed to its nearest 256."""
    found: dict[Network, Neighbourhood] = {}
    for adapter in ifaddr.get_adapters() if adapters is None else adapters:
        if adapter.name.startswith(_VIRTUAL):
            continue
        for address in adapter.ips:
            if not address.is_IPv4 or address.network_prefix > _MOST_PREFIX:
                continue
            network = ipaddress.ip_network(f"{address.ip}/{address.network_prefix}", strict=False)
            here = ipaddress.ip_address(str(address.ip))
            if here.is_loopback or here.is_link_local or here.is_global:
                continue
            looked_at = network if network.num_addresses <= _NEAR else _around(here)
            found[looked_at] = Neighbourhood(network=network, looked_at=looked_at)
    return list(found.values())


def addresses_of(networks: Iterable[Network]) -> list[str]:
    """Return every address in *networks* once, in their order."""
    return list(dict.fromkeys(str(host) for network in networks for host in network.hosts()))


def _around(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Network:
    prefix = address.max_prefixlen - _NEAR.bit_length() + 1
    return ipaddress.ip_network(f"{address}/{prefix}", strict=False)


_NEAR: Final = 256
_MOST_PREFIX: Final = 30
"""Behind a longer one there is nobody else: tunnels."""
_MOST_OF_ALL: Final = 1 << 16
_VIRTUAL: Final = ("br-", "docker", "veth", "virbr")
"""How the networks inside a machine are called; no inverter is plugged in there."""
