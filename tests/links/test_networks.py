"""Only networks of a house are asked, large ones only on request, and no more than is near."""

import ifaddr
import pytest

from ohmstead.errors import ConfigError
from ohmstead.links.networks import addresses_of, network_of, own_networks


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("192.168.1.0/24", 254),
        ("192.168.1.77/24", 254),
        ("10.1.0.0/22", 1022),
        ("127.0.0.0/30", 2),
        ("192.168.1.20", 1),
        ("127.0.0.1/32", 1),
        ("100.64.3.0/31", 2),
        ("fd00::/124", 15),
    ],
)
def test_a_network_is_its_hosts(text: str, count: int) -> None:
    assert len(addresses_of([network_of(text)])) == count


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("home", "is no network; write it as 192.168.1.0/24"),
        ("192.168.1.0/33", "is no network"),
        ("10.0.0.0/16", "such as 10.0.0.0/24, or say --large"),
        ("10.1.0.0/21", "has 2048 addresses"),
        ("fd00::/112", "such as fd00::/120"),
        ("10.0.0.0/15", "larger than a /16"),
        ("8.8.8.0/24", "not a network of a house"),
        ("224.0.0.0/24", "not a network of a house"),
    ],
)
def test_what_is_not_asked_is_told(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        network_of(text)


def test_a_large_network_is_asked_on_request() -> None:
    assert network_of("10.0.0.0/16", large=True).num_addresses == 1 << 16
    with pytest.raises(ConfigError, match="larger than a /16"):
        network_of("10.0.0.0/8", large=True)


def adapter(name: str, *ips: tuple[str, int]) -> ifaddr.Adapter:
    return ifaddr.Adapter(name, name, [ifaddr.IP(ip, prefix, name) for ip, prefix in ips])


@pytest.mark.parametrize(
    ("found", "looked_at"),
    [
        (adapter("eth0", ("192.168.1.20", 24)), ["192.168.1.0/24"]),
        (adapter("eth0", ("192.168.1.20", 27)), ["192.168.1.0/27"]),
        (adapter("eth0", ("10.0.5.20", 16)), ["10.0.5.0/24"]),
        (adapter("eth0", ("10.0.5.20", 24), ("10.0.6.20", 24)), ["10.0.5.0/24", "10.0.6.0/24"]),
        (adapter("lo", ("127.0.0.1", 8)), []),
        (adapter("eth0", ("169.254.3.4", 16)), []),
        (adapter("eth0", ("8.8.8.8", 24)), []),
        (adapter("wg0", ("10.9.0.2", 32)), []),
        (adapter("docker0", ("172.17.0.1", 16)), []),
    ],
    ids=lambda value: value.name if isinstance(value, ifaddr.Adapter) else "",
)
def test_this_machine_looks_only_at_what_is_near(
    found: ifaddr.Adapter, looked_at: list[str]
) -> None:
    near = own_networks([found])
    assert [str(one.looked_at) for one in near] == looked_at
    assert [one.narrowed for one in near] == [str(one.network).endswith("/16") for one in near]


def test_an_address_of_two_networks_is_asked_once() -> None:
    twice = [network_of("192.168.1.0/30"), network_of("192.168.1.0/29")]
    assert len(addresses_of(twice)) == 6


def test_this_machine_has_networks_or_none_without_an_error() -> None:
    assert isinstance(own_networks(), list)
