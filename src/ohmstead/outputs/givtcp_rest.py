"""GivTCP's REST routes: what it reads out, and its controls, on the paths its users know."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import escape
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.outputs.givtcp_controls import is_control
from ohmstead.outputs.givtcp_desk import Desk
from ohmstead.outputs.givtcp_values import Tree

__all__ = ["Networks", "routes_for"]

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]
Answer: TypeAlias = Callable[[Desk | None, Request], Awaitable[Response]]

_MOST_BODY: Final = 65_536
_AT_HOME: Final = (
    ".local",
    ".lan",
    ".home",
    ".internal",
    ".localdomain",
    ".home.arpa",
    ".fritz.box",
)
_NOT_YET: Final = "There is no data yet: the inverter has not answered. Try again in a moment."
_ELSEWHERE: Final = "Nothing was changed: settings are kept in ohmstead.yaml."
_NO_CHARGER: Final = "There is no GivEnergy car charger here."
_BY_GET: Final = frozenset({"reboot", "restart"})
"""Controls that GivTCP obeyed without a POST."""


def routes_for(
    number: int,
    find: Callable[[int], Desk | None],
    networks: Networks,
    settings: Mapping[str, object],
) -> Starlette:
    """Return the routes of the inverter with this *number*, and of all others below ``/REST2/``.

    *find* returns an inverter by its number once it has answered; *networks* are those that may
    ask; *settings* are what ``/settings`` shows.
    """

    def answered(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def answered_or_refused(request: Request) -> Response:
            refused = _refused(request, networks)
            if refused is not None:
                return refused
            return await answer(find(int(request.path_params.get("number", number))), request)

        return answered_or_refused

    async def show_settings(desk: Desk | None, request: Request) -> Response:
        del desk
        return _json(settings if request.method == "GET" else {"result": _ELSEWHERE})

    answers: dict[str, tuple[Answer, list[str]]] = {
        **dict.fromkeys(("runAll", "readData", "getData", "getCache"), (_read, ["GET"])),
        "fullCache": (_full, ["GET"]),
        "getEVCCache": (_charger, ["GET"]),
        "showdata": (_page, ["GET"]),
        "api": (_listing, ["GET"]),
        "settings": (show_settings, ["GET", "POST"]),
        "config": (show_settings, ["GET", "POST"]),
        "{control}": (_control, ["GET", "POST"]),
    }
    return Starlette(
        routes=[
            Route(f"{prefix}/{name}", answered(answer), methods=methods)
            for prefix in ("", "/REST{number:int}")
            for name, (answer, methods) in answers.items()
        ]
    )


# ---- what it answers --------------------------------------------------------------------


async def _read(desk: Desk | None, request: Request) -> Response:
    del request
    tree = desk.tree() if desk else None
    return _json({"result": _NOT_YET} if tree is None else tree)


async def _full(desk: Desk | None, request: Request) -> Response:
    del request
    return _json(desk.trees() if desk else [])


async def _charger(desk: Desk | None, request: Request) -> Response:
    del desk, request
    return _json({"result": _NO_CHARGER})


async def _page(desk: Desk | None, request: Request) -> Response:
    del request
    tree = desk.tree() if desk else None
    rows = escape(_text(tree) if tree else _NOT_YET)
    return HTMLResponse(
        f"<!doctype html><html lang=en><title>GivTCP</title><pre>{rows}</pre></html>\n",
        headers={"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"},
    )


async def _listing(desk: Desk | None, request: Request) -> Response:
    del desk, request
    return _json({"read": _READS, "control": _CONTROLS})


async def _control(desk: Desk | None, request: Request) -> Response:
    name = request.path_params["control"]
    if not is_control(name):
        return PlainTextResponse("GivTCP has no such route\n", 404)
    if request.method != "POST" and name not in _BY_GET:
        return PlainTextResponse(f"{name} takes a POST\n", 405)
    body = await _body(request)
    if body is None:
        return _json({"result": f"Error: {name} failed: the body is too long"})
    if desk is None:
        return _json({"result": f"Error: {name} failed: {_NOT_YET}"})
    return _json({"result": await desk.control(name, body)})


async def _body(request: Request) -> str | None:
    """Return the body, or None as soon as it is too long."""
    octets = b""
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > _MOST_BODY:
            return None
    return octets.decode("utf-8", "replace")


def _json(content: Mapping[str, object] | Sequence[Tree]) -> Response:
    return Response(_text(content), media_type="application/json")


def _text(content: Mapping[str, object] | Sequence[Tree]) -> str:
    return json.dumps(content, indent=4, sort_keys=True) + "\n"


# ---- who may ask ------------------------------------------------------------------------


def _refused(request: Request, networks: Networks) -> Response | None:
    """Return a refusal for a stranger, or for the page of one in somebody's browser."""
    try:
        asker = ip_address(request.client.host if request.client else "")
    except ValueError:
        return PlainTextResponse("who asks?\n", 403)
    if isinstance(asker, IPv6Address) and asker.ipv4_mapped is not None:
        asker = asker.ipv4_mapped
    if not any(asker in network for network in networks):
        return PlainTextResponse("this network is not in givtcp.allow\n", 403)
    if not _is_ours(request):
        return PlainTextResponse("another page may not ask here; use this machine's address\n", 403)
    return None


def _is_ours(request: Request) -> bool:
    """Tell whether no page of another site asks, nor one that a stranger's DNS points here.

    A dashboard on another port of this machine is ours: GivTCP's own was.
    """
    host = _name_of(f"//{request.headers.get('host', '')}")
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site") == "cross-site":
        return False
    if origin is not None and _name_of(origin) != host:
        return False
    if "." not in host or host.endswith(_AT_HOME):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _name_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return "."


_READS: Final = (
    *("/runAll", "/readData", "/getData", "/getCache", "/fullCache", "/getEVCCache"),
    *("/showdata", "/api", "/settings", "/config"),
)
_STATES: Final = (
    *("/enableChargeTarget", "/disableChargeTarget", "/enableChargeSchedule"),
    *("/enableDischargeSchedule", "/enableDischarge", "/setEcoMode", "/setEmsPlant"),
    *("/setForceCharge", "/setForceDischarge", "/setACCharge"),
)
_DURATIONS: Final = ("/forceCharge", "/forceExport", "/tempPauseCharge", "/tempPauseDischarge")
_CONTROLS: Final = {
    **{path: {"state": "enable"} for path in _STATES},
    **{path: {"duration": "30"} for path in _DURATIONS},
    "/setChargeTarget": {"chargeToPercent": "50"},
    "/setBatteryReserve": {"reservePercent": "4"},
    "/setBatteryCutoff": {"dischargeToPercent": "4"},
    "/setChargeRate": {"chargeRate": "2500"},
    "/setDischargeRate": {"dischargeRate": "2500"},
    "/setChargeRateAC": {"chargeRate": "75"},
    "/setDischargeRateAC": {"dischargeRate": "75"},
    **{
        f"/set{way}Slot{n}": {"start": "16:00", "finish": "19:00", **level}
        for way, level in (
            ("Charge", {"chargeToPercent": "80"}),
            ("Discharge", {"dischargeToPercent": "20"}),
            ("Export", {}),
        )
        for n in (1, 2, 3)
    },
    "/setChargeSlot": {"start": "16:00", "finish": "19:00", "slot": "1"},
    "/setDischargeSlot": {"start": "16:00", "finish": "19:00", "slot": "1"},
    "/setDischargeTarget": {"dischargeToPercent": "45", "slot": "1"},
    "/setExportTarget": {"exportToPercent": "45", "slot": "1"},
    "/setPauseSlot": {"start": "16:00", "finish": "19:00"},
    "/setBatteryPauseMode": {"state": "PauseDischarge"},
    "/setBatteryMode": {"mode": "Eco"},
    "/setBatteryCalibration": {"state": "Off"},
    "/setDateTime": {"dateTime": "31/12/2026 23:59:00"},
    "/syncDateTime": {},
    "/setExportLimit": {"limit": "5000"},
    "/reboot": {},
}
"""What ``/api`` tells: each control with an example."""
