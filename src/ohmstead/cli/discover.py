"""``ohmstead discover``: find devices on the network, and write them down if told to."""

import asyncio
import ipaddress
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ohmstead.app import watch_signals
from ohmstead.cli.common import as_json_option, print_json, table
from ohmstead.config.append import Addition, add_devices, read_or_empty
from ohmstead.config.catalogue import FAMILIES
from ohmstead.errors import ConfigError
from ohmstead.links.networks import Network, addresses_of, network_of, own_networks
from ohmstead.links.scan import Claim, Knock, Sightings, scan

__all__ = ["command"]

_LISTEN_S: Final = 3.0
_PER_S: Final = 100.0
_NAMED: Final = 3


def _ports(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> dict[str, list[int]]:
    """Return the ports by family; raises ``BadParameter``."""
    del ctx, param
    ports: dict[str, list[int]] = {}
    known = [name for name, family in FAMILIES.items() if family.handshake]
    for text in given:
        family, _, port = text.partition("=")
        if family not in known or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise click.BadParameter(
                f"{text!r} is not FAMILY=PORT; the families are {', '.join(known)}"
            )
        ports.setdefault(family, []).append(int(port))
    return ports


@click.command("discover")
@click.argument("network", required=False)
@click.option("--port", "ports", multiple=True, metavar="FAMILY=PORT", callback=_ports,
              help="Ask a family at another port: --port luxpower=4346.")  # fmt: skip
@click.option("--patience", "patience_s", type=click.FloatRange(0.1, 900), default=3.0,
              show_default=True, help="Seconds to listen where a port is open. "
              "A LuxPower datalogger may need 130, some 310.")  # fmt: skip
@click.option("--large", is_flag=True, help="Allow a network of more than 1024 addresses.")
@click.option("--mdns/--no-mdns", default=True, show_default=True,
              help="Also listen for names by multicast DNS.")  # fmt: skip
@click.option("--write", is_flag=True, help="Add what was found to the configuration.")
@click.option("-c", "--config", "path", type=click.Path(path_type=Path, dir_okay=False),
              default=Path("ohmstead.yaml"), show_default=True, envvar="OHMSTEAD_CONFIG",
              help="The configuration file, for --write.")  # fmt: skip
@as_json_option
def command(
    network: str | None,
    ports: dict[str, list[int]],
    patience_s: float,
    large: bool,
    mdns: bool,
    write: bool,
    path: Path,
    as_json: bool,
) -> None:
    """Find devices on NETWORK (192.168.1.0/24), or around this machine if not said.

    Every address is asked in each family's own protocol; an open port alone proves nothing.
    Nothing is written to any device. With --write, devices that are found and not yet in the
    configuration are added to it; what stands there is never changed.
    """
    if write:
        read_or_empty(path)  # a mistake in it is told before the search, not after
    search = _Search(knocks=_knocks(ports, patience_s))
    if network is None:
        search.around(loud=not as_json)
    else:
        search.networks.append(network_of(network, large=large))
    search.mdns = mdns and not all(known.is_loopback for known in search.networks)
    asyncio.run(_run(search, named=network is not None))
    additions: list[Addition] = []
    if write and not search.stopped:
        additions = add_devices(path, search.claims)
    if as_json:
        print_json(_as_json(search, additions if write else None))
    else:
        _show(search, {id(done.claim): done for done in additions})
    _summarise(search)
    if write:
        _tell_additions(path, additions, stopped=search.stopped)


@dataclass(slots=True)
class _Search:
    """What is searched, and what came of it so far."""

    knocks: list[Knock]
    networks: list[Network] = field(default_factory=list)
    mdns: bool = True
    deaf: str = ""
    """Why no names could be heard."""
    names: Mapping[str, str] = field(default_factory=dict)
    seen: Sightings = field(default_factory=lambda: Sightings(expected=0))
    stopped: bool = False

    @property
    def claims(self) -> list[Claim]:
        """What was found, in the order of the addresses."""
        return sorted(self.seen.claims, key=lambda claim: _place(claim.found.host))

    def around(self, *, loud: bool) -> None:
        """Search what lies around this machine."""
        for near in own_networks():
            self.networks.append(near.looked_at)
            if near.narrowed and loud:
                click.echo(
                    f"of {near.network} only {near.looked_at} is searched; name another part of "
                    "it if your devices are there",
                    err=True,
                )
        if not self.networks:
            raise ConfigError("this machine is in no local network; name one: 192.168.1.0/24")


def _knocks(ports: Mapping[str, Sequence[int]], patience_s: float) -> list[Knock]:
    return [
        Knock(family=name, port=port, handshake=family.handshake, patience_s=patience_s)
        for name, family in FAMILIES.items()
        if family.handshake and family.port
        for port in ports.get(name, [family.port])
    ]


async def _run(search: _Search, *, named: bool) -> None:
    """Search to the end, or until a signal comes; *search* keeps what was found."""
    stop = asyncio.Event()
    watch_signals(stop)
    async with asyncio.TaskGroup() as group:
        searching = group.create_task(_look(search, named=named))

        async def end() -> None:
            await stop.wait()
            search.stopped = True
            searching.cancel()

        ending = group.create_task(end())
        searching.add_done_callback(lambda _: ending.cancel())


async def _look(search: _Search, *, named: bool) -> None:
    addresses = addresses_of(search.networks)
    if search.mdns:
        await _hear_names(search)
        if not named:  # where somebody named a network, nothing else is asked
            heard = [host for host in search.names if not ipaddress.ip_address(host).is_global]
            addresses = list(dict.fromkeys([*heard, *addresses]))
    with _progress() as progress:
        task = progress.add_task("asking", total=len(addresses) * len(search.knocks))

        def tell(seen: Sightings) -> None:
            search.seen = seen
            found = sum(claim.found.confirmed for claim in seen.claims)
            progress.update(task, completed=seen.knocks, description=f"asking, {found} found")

        await scan(addresses, search.knocks, per_s=_PER_S, on_progress=tell)


async def _hear_names(search: _Search) -> None:
    from ohmstead.links.mdns import browse

    logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # what it says is told below
    with _progress() as progress:
        progress.add_task("listening for names", total=None)
        neighbours = await browse(_LISTEN_S)
    search.names, search.deaf = neighbours.names, neighbours.trouble
    if search.deaf:
        click.echo(f"no names by multicast DNS here ({search.deaf}); going on", err=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show progress to a person; a pipe gets none."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield progress


# ---- what it says -----------------------------------------------------------------------


def _show(search: _Search, additions: Mapping[int, Addition]) -> None:
    rows = []
    for claim in search.claims:
        found = claim.found
        if found.confirmed:
            done = additions.get(id(claim))
            name = (done.name if done else "") or search.names.get(found.host, "")
            where = f"{found.host}:{found.port}"
            rows.append((name, claim.family, found.model, found.serial, where))
    if rows:
        table("found", ("name", "family", "model", "serial", "address"), rows)
    for claim in search.claims:
        if claim.found.note:
            kind = "" if claim.found.confirmed else "perhaps "
            click.echo(f"{kind}{claim.family} at {claim.found.host}: {claim.found.note}")


def _summarise(search: _Search) -> None:
    """Tell a person on stderr how it went."""
    seen = search.seen
    where = ", ".join(map(str, search.networks))
    if search.stopped:
        click.echo(f"stopped: asked {seen.knocks} of {seen.expected} ports", err=True)
    if not any(claim.found.confirmed for claim in seen.claims):
        click.echo(f"no device found in {where}", err=True)
    if seen.others:
        named = ", ".join(f"{host}:{port}" for host, port in seen.others[:_NAMED])
        more = f" and {len(seen.others) - _NAMED} more" if len(seen.others) > _NAMED else ""
        click.echo(f"listening, but none of ours: {named}{more}", err=True)


def _tell_additions(path: Path, additions: Sequence[Addition], *, stopped: bool) -> None:
    if stopped:
        click.echo(f"{path} was left as it is, as the search did not end", err=True)
        return
    for done in additions:
        where = f"{done.claim.family} at {done.claim.found.host}"
        if done.added:
            click.echo(f"{path}: added {done.name}, {where}", err=True)
        else:
            called = f"{done.name}, " if done.name else ""
            click.echo(f"{path}: not added: {called}{where}: {done.why}", err=True)
    if any(done.added for done in additions):
        click.echo(f"now: ohmstead check -c {path}", err=True)


def _as_json(search: _Search, additions: Sequence[Addition] | None) -> dict[str, Any]:
    seen = search.seen
    said: dict[str, Any] = {
        "networks": [str(network) for network in search.networks],
        "complete": not search.stopped,
        "found": [_row(search, claim) for claim in search.claims if claim.found.confirmed],
        "candidates": [_row(search, claim) for claim in search.claims if not claim.found.confirmed],
        "others": [{"host": host, "port": port} for host, port in sorted(seen.others)],
        "neighbours": dict(search.names),
    }
    if additions is not None:
        said["additions"] = [
            {"name": done.name, "host": done.claim.found.host, "added": done.added, "why": done.why}
            for done in additions
        ]
    return said


def _row(search: _Search, claim: Claim) -> dict[str, Any]:
    found = claim.found
    return {
        "name": search.names.get(found.host, ""),
        "family": claim.family,
        "model": found.model,
        "serial": found.serial,
        "host": found.host,
        "port": found.port,
        "note": found.note,
        "settings": dict(found.settings),
    }


def _place(host: str) -> tuple[int, int]:
    address = ipaddress.ip_address(host)
    return address.version, int(address)
