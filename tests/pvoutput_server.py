"""PVOutput without PVOutput: its routes, words and limits, on loopback."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.http_server import listening

__all__ = ["KEY", "SYSTEM", "PvOutput", "a_server"]

KEY, SYSTEM = "c0ffee" * 6, "12345"


class PvOutput:
    """A server with PVOutput's routes, words and limits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.url = ""
        self.statuses: dict[str, tuple[str, str]] = {}
        """Generation and consumption by local date and time."""
        self.days: dict[str, tuple[str, str]] = {}
        """What each day gave, and what of it was fed in."""
        self.sent: list[list[str]] = []
        """The times in each request."""
        self.at: list[float] = []
        """When each request came."""
        self.limit = 60
        self.most_in_batch = 30
        self.answers: deque[Response] = deque()
        """What it says to the next requests instead of taking statuses."""
        self.bad = ""
        """A status of this time is refused."""
        self.night = False
        self.down = False
        self.hour, self.used = 0.0, 0

    async def add(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        rows = [
            (row[0], row[1], row[3], row[5])
            for row in (part.split(",") for part in form.get("data", "").split(";") if part)
        ] or [(form["d"], form["t"], form.get("v2", ""), form.get("v4", ""))]
        self.sent.append([time for _, time, *_ in rows])
        self.at.append(self.clock.now().timestamp())
        refusal = self._refusal(request, rows)
        answer = refusal or PlainTextResponse(self._taken(rows))
        now = self.clock.now().timestamp()
        answer.headers["X-Rate-Limit-Limit"] = str(self.limit)
        answer.headers["X-Rate-Limit-Remaining"] = str(self.limit - self.used)
        answer.headers["X-Rate-Limit-Reset"] = str(round(now // 3_600 * 3_600 + 3_600))
        return answer

    async def add_day(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if self.bad == form["d"]:
            return PlainTextResponse("Bad request 400: Invalid date", 400)
        self.days[form["d"]] = (form["g"], form["e"])
        return self._stranger(request) or PlainTextResponse("OK 200: Added Output")

    async def system(self, request: Request) -> Response:
        wrong = self._stranger(request)
        return wrong or PlainTextResponse("Our roof,6400,N16,20,320,Some,1,5000,Other,SSW,35.0")

    def _refusal(self, request: Request, rows: list[tuple[str, str, str, str]]) -> Response | None:
        hour = self.clock.now().timestamp() // 3_600
        self.used = self.used + 1 if hour == self.hour else 1
        self.hour = hour
        if self.answers and not self.down:
            return self.answers.popleft()
        times, powers = [row[1] for row in rows], [int(row[2] or 0) for row in rows]
        refusals = (
            (self.down, 503, "upstream connect error"),
            (
                self.used > self.limit,
                403,
                f"Forbidden 403: Exceeded {self.limit} requests per hour",
            ),
            (len(rows) > self.most_in_batch, 400, "Bad request 400: Exceeds maximum batch size"),
            (self.bad in times, 400, "Bad request 400: Power value too high for system size"),
            (self.night and any(powers), 400, "Bad request 400: Moon Powered"),
        )
        for applies, status, text in refusals:
            if applies:
                return PlainTextResponse(text, status)
        return self._stranger(request)

    def _stranger(self, request: Request) -> Response | None:
        known = request.headers.get("X-Pvoutput-Apikey") == KEY
        if known and request.headers.get("X-Pvoutput-SystemId") == SYSTEM:
            return None
        return PlainTextResponse("Unauthorized 401: Invalid API Key", 401)

    def _taken(self, rows: list[tuple[str, str, str, str]]) -> str:
        for date, time, pv, load in rows:
            self.statuses[f"{date} {time}"] = (pv, load)
        return ";".join(f"{date},{time},1" for date, time, *_ in rows)


@asynccontextmanager
async def a_server(clock: Clock) -> AsyncIterator[PvOutput]:
    """Take statuses and days until left."""
    server = PvOutput(clock)
    routes = [
        Route("/service/r2/addstatus.jsp", server.add, methods=["POST"]),
        Route("/service/r2/addbatchstatus.jsp", server.add, methods=["POST"]),
        Route("/service/r2/addoutput.jsp", server.add_day, methods=["POST"]),
        Route("/service/r2/getsystem.jsp", server.system, methods=["POST"]),
    ]
    async with listening(Starlette(routes=routes), "127.0.0.1", 0) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server
