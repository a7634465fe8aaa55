"""A site at the port, behind its door, and a client before it; for the tests of web/."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta

import httpx2

from houses import NOON, POINTS, ToyBattery, a_device, a_price_curve, a_reading, a_site
from ohmstead.clock import ManualClock
from ohmstead.control.decide import Strategy, decide
from ohmstead.control.follow_plan import FollowPlan, follow_plan
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.errors import JournalError
from ohmstead.http_server import listening
from ohmstead.model import (
    Ahead,
    Applied,
    BatteryCommand,
    BatteryMode,
    Button,
    Choice,
    CommandResult,
    Failed,
    Instant,
    JournalEntry,
    Plan,
    PlanSlot,
    Point,
    Prices,
    Refused,
    Request,
    SettingChange,
    Text,
    Tick,
    TimeOfDay,
    Write,
    WriteState,
)
from ohmstead.ports import DevicePort, ForecastSources
from ohmstead.site.hub import Hub
from ohmstead.site.inbox import Inbox
from ohmstead.web.auth import Doorkeeper
from ohmstead.web.live import Live
from ohmstead.web.server import make_app
from ohmstead.web.settings import WebSettings

EVERY_KIND = {
    point.key: point
    for point in (
        *POINTS.values(),
        Point(
            key="mode", label="Mode", writable=Choice(("eco", "boost")), options=("eco", "boost")
        ),
        Point(key="starts", label="Starts", writable=TimeOfDay()),
        Point(key="clock", label="Clock", writable=Instant()),
        Point(key="title", label="Title", writable=Text(8)),
        Point(key="restart", label="Restart", writable=Button()),
    )
}


def a_plan() -> Plan:
    """Return a plan from noon on: four half-hours of charging, eight of self-use, then a sale."""
    rows = [(BatteryMode.CHARGE, -2_000, 0.05, "charge at 5p")] * 4
    rows += [(BatteryMode.SELF_USE, 400, 0.25, "serve <the house>")] * 8
    rows += [(BatteryMode.DISCHARGE, 3_000, 0.30, "sell at 40p")] * 48
    slots = tuple(
        PlanSlot(
            start=NOON + n * timedelta(minutes=30), end=NOON + (n + 1) * timedelta(minutes=30),
            mode=mode, power_w=None, target_pct=100 - n, battery_w=battery_w,
            grid_w=500 - battery_w, pv_w=0, load_w=500, soc_pct=100 - n, import_per_kwh=per_kwh,
            export_per_kwh=0.15, cost=0.1, worth_per_kwh=0.2, reason=reason,
        )
        for n, (mode, battery_w, per_kwh, reason) in enumerate(rows)
    )  # fmt: skip
    return Plan(made_at=NOON, slots=slots, cost=-1.5, saved=0.75, gap=0.02, made_of="tea leaves")


class ASite:
    """A site at the port: it answers as the loop would, without a loop."""

    def __init__(self) -> None:
        self.battery = ToyBattery(points=EVERY_KIND)
        self.devices: dict[str, DevicePort] = {"inverter": self.battery}
        self.hub, self.inbox = Hub(), Inbox()
        self.heard = asyncio.Event()
        """Set as soon as anybody listens; what is told before is lost to them."""
        self.asked: list[Request] = []
        self.ends_with: type[Applied | Refused | Failed] = Applied
        self.broken = False

    @property
    def last(self) -> Tick | None:
        return self.hub.last

    def ticks(self) -> AsyncIterator[Tick]:
        self.heard.set()
        return self.hub.ticks()

    def requests(self) -> Sequence[Request]:
        return self.inbox.active(NOON)

    async def ask(self, request: Request) -> CommandResult | None:
        self.asked.append(request)
        if not isinstance(request.want, SettingChange):
            self.inbox.put(request, NOON)
            return None
        want = request.want
        if self.ends_with is Applied:
            write = Write(point=want.point, old=None, new=want.value)
            return Applied(device="inverter", command=want, wrote=(write,))
        return self.ends_with(device="inverter", command=want, why="the line is dead")  # type: ignore[call-arg]

    def cancel(self, request_id: str) -> Request:
        return self.inbox.cancel(request_id)

    async def journal(
        self, *, device: str | None = None, limit: int = 100, before: int | None = None
    ) -> Sequence[JournalEntry]:
        if self.broken:
            raise JournalError("the disk is full")
        entries = [
            JournalEntry(
                id=n, at=NOON, device="inverter", point="starts", old=time(23, 30), new=time(5),
                asked_by="rule", why="a test", state=WriteState.CONFIRMED, lease=True,
            )
            for n in range(9, 0, -1)
        ]  # fmt: skip
        return [e for e in entries if device in {None, e.device} and e.id < (before or 99)][:limit]

    def tell(
        self,
        minute: int = 0,
        trouble: str | None = None,
        plan: Plan | None = None,
        plan_trouble: str | None = None,
    ) -> Tick:
        """Take a turn; with a *plan* it is followed where the price leaves room."""
        at = NOON + timedelta(minutes=minute)
        curve = a_price_curve(0.05, 0.30, -0.02, fetched_at=NOON - timedelta(hours=1))
        values = {
            "charge_on": False, "charge_w": 2_000, "battery_soc_pct": None, "starts": time(23, 30),
            "clock": datetime(2026, 6, 21, 13), "mode": "eco",
        }  # fmt: skip
        reading = replace(
            a_reading(at=at, values=values), doubts={"battery_soc_pct": "it says 255"}
        )
        site = replace(
            a_site(at=at, buy=curve),
            devices={"inverter": a_device(None if trouble else reading, trouble)},
            prices=Prices(buy=curve),
            plan=plan,
            plan_trouble=plan_trouble,
        )
        threshold = PriceThreshold(at_most_per_kwh=0.05)
        strategies: list[tuple[str, Strategy]] = [
            ("price_threshold", lambda s, r: price_threshold(s, r, threshold))
        ]
        if plan is not None or plan_trouble is not None:
            strategies.append(("follow_plan", lambda s, r: follow_plan(s, r, FollowPlan())))
        decision = decide(site, strategies)
        command = BatteryCommand(mode=BatteryMode.CHARGE, until=at + timedelta(minutes=30))
        results = (
            Applied(
                device="inverter",
                command=command,
                wrote=(Write(point="x", old=1, new=2),),
                ahead=Ahead(
                    start=NOON + timedelta(hours=2), until=NOON + timedelta(hours=5), soc_pct=90
                ),
            ),
            Refused(device="inverter", command=command, why="no"),
        )
        tick = Tick(snapshot=site, decision=decision, results=results, took_s=0.01)
        self.hub.tell(tick)
        return tick


class Browser:
    """A site behind its door, and a client before it."""

    def __init__(self, site: ASite, live: Live, client: httpx2.AsyncClient) -> None:
        self.site, self.live, self.client = site, live, client

    async def get(self, path: str, **more: str) -> httpx2.Response:
        return await self.client.get(f"/api/v1/{path}", params=more or None)

    async def put(self, path: str, body: object) -> httpx2.Response:
        return await self.client.put(f"/api/v1/{path}", json=body)

    async def post(self, body: object, **headers: str) -> httpx2.Response:
        return await self.client.post("/api/v1/requests", json=body, headers=headers)


@asynccontextmanager
async def a_browser(
    settings: WebSettings | None = None,
    *,
    told: bool = True,
    forecasts: ForecastSources | None = None,
) -> AsyncIterator[Browser]:
    site = ASite()
    live = Live(site)
    app = make_app(site, live, ManualClock(NOON), "1.2.3", forecasts=forecasts)
    keeper = Doorkeeper(app, settings or WebSettings())
    async with (
        listening(keeper, "127.0.0.1", 0) as port,
        asyncio.TaskGroup() as group,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        following = group.create_task(live.run())
        await asyncio.sleep(0)
        if told:
            site.tell()
        await asyncio.sleep(0)
        yield Browser(site, live, client)
        following.cancel()


def problem(answer: httpx2.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    return str(body["detail"])
