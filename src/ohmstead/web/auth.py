"""Who may use the page and the API."""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ohmstead.web.problems import problem
from ohmstead.web.settings import WebSettings

__all__ = ["Doorkeeper"]

_COOKIE: Final = "ohmstead"
_SESSIONS: Final = 64
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_BODY: Final = 64 * 1024
_PAUSE_S: Final = 1.0
_HEADERS: Final = (
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),  # a page kept from before an update is of no use
)
_OPEN: Final = frozenset({"/api/v1/health"})
"""A health check needs no password: it tells which device is in trouble, and nothing else."""


class Doorkeeper:
    """An ASGI layer: the right host, no stranger's page, a password or token where set."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        """Guard *app*; the password is hashed at once and not kept."""
        self._app = app
        self._hosts = {host.lower() for host in (*settings.allowed_hosts, settings.host)}
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._hashes = [self._hash(s) for s in (settings.password, settings.token) if s]
        self._sessions: dict[str, None] = {}
        self._salt = secrets.token_bytes(32)
        self._marks: set[bytes] = set()
        """What a right secret looks like under this run's key, so that a program that sends its
        token with every request costs one verification."""
        self._turn = asyncio.Lock()
        """One verification at a time: each takes 19 MB and some time on a Pi."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self._stranger(request)
        if refusal is not None:
            status, why = refusal
            await problem(status, why)(scope, receive, _guarded(send, None))
            return
        session = await self._session(request)
        if session is None:
            headers = {"WWW-Authenticate": 'Basic realm="Ohmstead", charset="UTF-8"'}
            why = "a password or token is needed (web.password, web.token)"
            answer = problem(HTTPStatus.UNAUTHORIZED, why, headers)
            await answer(scope, receive, _guarded(send, None))
            return
        await self._app(scope, receive, _guarded(send, session.fresh))

    # ---- how it is done -------------------------------------------------------------

    def _stranger(self, request: Request) -> tuple[HTTPStatus, str] | None:
        """Return why a request is turned away before anybody asks who sent it."""
        host = Headers(scope=request.scope).get("host", "")
        if not self._known_host(host):
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this page is not called {host!r}; add the name to web.allowed_hosts",
            )
        if request.method not in _SAFE:
            site = request.headers.get("sec-fetch-site", "none")
            origin = request.headers.get("origin")
            if site not in {"same-origin", "none"} or (origin and _host_of(origin) != host):
                return HTTPStatus.FORBIDDEN, "another page may not change anything here"
            size = request.headers.get("content-length", "0")
            endless = "transfer-encoding" in request.headers  # it does not say how long it is
            if endless or not size.isdecimal() or int(size) > _MOST_BODY:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the request is too large"
        return None

    def _known_host(self, host: str) -> bool:
        """A name could be anybody's, pointed here by a stranger's DNS; an address is ours."""
        name = host.lower()
        if not name.endswith("]"):
            head, colon, port = name.rpartition(":")
            name = head if colon and port.isdecimal() else name
        name = name.strip("[]")
        if name == "localhost" or name in self._hosts:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True

    async def _session(self, request: Request) -> "_Session | None":
        if not self._hashes or request.url.path in _OPEN:
            return _Session(fresh=None)
        cookie = request.cookies.get(_COOKIE, "")
        if cookie in self._sessions:
            return _Session(fresh=None)
        given = _secret(request.headers.get("authorization", ""))
        if given is None:
            return None
        mark = hashlib.blake2b(given.encode(), key=self._salt).digest()
        if mark in self._marks:
            return _Session(fresh=None)
        async with self._turn:
            known = mark in self._marks or await asyncio.to_thread(self._verify, given)
            if not known:
                await asyncio.sleep(_PAUSE_S)
                return None
        self._marks.add(mark)
        fresh = secrets.token_urlsafe(32)
        self._remember(fresh)
        return _Session(fresh=fresh)

    def _remember(self, cookie: str) -> None:
        """Keep a session; beyond the most there can be, the oldest has to log in again."""
        self._sessions[cookie] = None
        while len(self._sessions) > _SESSIONS:
            del self._sessions[next(iter(self._sessions))]

    def _hash(self, secret: str) -> str:
        return secret if secret.startswith("$argon2") else self._hasher.hash(secret)

    def _verify(self, given: str) -> bool:
        found = False
        for kept in self._hashes:  # all of them, so that the time does not tell which
            try:
                self._hasher.verify(kept, given)
                found = True
            except (VerificationError, InvalidHashError):
                continue
        return found


@dataclass(frozen=True, slots=True)
class _Session:
    """Somebody who was let in; *fresh* is a new cookie's value, if one is due."""

    fresh: str | None


def _secret(header: str) -> str | None:
    """Return the password or token in an Authorization header."""
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip() or None
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
        except ValueError:  # not base64, not ASCII, or not UTF-8 within
            return None
    return None


def _host_of(origin: str) -> str:
    return origin.partition("://")[2]


def _guarded(send: Send, fresh: str | None) -> Send:
    """Return *send*, adding the headers that keep strangers out, and a due cookie."""
    extra = list(_HEADERS)
    if fresh is not None:
        cookie = f"{_COOKIE}={fresh}; HttpOnly; SameSite=Strict; Path=/"
        extra.append((b"set-cookie", cookie.encode()))

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *extra]
        await send(message)

    return sending
