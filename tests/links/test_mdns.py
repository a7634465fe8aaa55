"""Neighbours are known by what they call themselves; where nobody can be heard, that is told."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import zeroconf
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from ohmstead.links import mdns
from ohmstead.links.mdns import browse

HERE = ["127.0.0.1"]


@asynccontextmanager
async def a_neighbour(name: str, service: str = "_shelly._tcp.local.") -> AsyncIterator[None]:
    """Somebody on this machine who says what he is called."""
    own = AsyncZeroconf(interfaces=HERE, ip_version=IPVersion.V4Only)
    info = ServiceInfo(
        service, f"{name}.{service}", addresses=[socket.inet_aton("192.0.2.7")], port=80,
        server="shelly.local.",
    )  # fmt: skip
    try:
        await (await own.async_register_service(info))
        yield
    finally:
        await own.async_close()


@pytest.mark.parametrize("service", ["_shelly._tcp.local.", "_http._tcp.local."])
async def test_a_neighbour_is_heard_by_name_and_address(service: str) -> None:
    async with a_neighbour("shellyplus1pm-a8032ab1", service):
        neighbours = await browse(2.0, HERE)
    assert neighbours.names == {"192.0.2.7": "shellyplus1pm-a8032ab1"}
    assert neighbours.trouble == ""


async def test_a_name_cannot_turn_the_line_round() -> None:
    async with a_neighbour("\u202eshelly"):
        neighbours = await browse(2.0, HERE)
    assert neighbours.names == {"192.0.2.7": "shelly"}


async def test_services_nobody_asked_for_are_left_alone() -> None:
    async with a_neighbour("printer", "_ipp._tcp.local."):
        neighbours = await browse(0.5, HERE)
    assert neighbours.names == {}


@pytest.mark.parametrize(
    "error",
    [OSError(19, "No such device"), RuntimeError("no interfaces"), zeroconf.Error("no")],
    ids=repr,
)
async def test_without_multicast_nobody_is_heard_and_the_reason_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise error

    # In its place, because it leaves sockets open when the system refuses it for real.
    monkeypatch.setattr(mdns, "AsyncZeroconf", refuse)
    neighbours = await browse(0.1)
    assert neighbours.names == {}
    assert neighbours.trouble == str(error)
