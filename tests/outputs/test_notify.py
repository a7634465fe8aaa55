"""People and programs are told of events, each by itself, and nobody's address gets out."""

import asyncio
import json
import logging
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from houses import LONDON, NOON, a_site
from ohmstead.clock import Clock, ManualClock, SystemClock
from ohmstead.errors import ConfigError
from ohmstead.http_server import listening
from ohmstead.model import Decision, Failed, SettingChange, Tick
from ohmstead.outputs.notify import NotifyOutput, NotifySettings
from ohmstead.outputs.notify_settings import QuietHours
from web_site import ASite

pytestmark = [
    pytest.mark.enable_socket,  # a server on loopback
    # What Apprise loads for its mails; a service without our strictness only skips the warning.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

SECRET = "s3cr3tt0ken"


class Phone:
    """A server that takes messages, or answers as the test wants."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.heard: list[tuple[str, dict[str, object]]] = []
        """What it has taken, each with the path at which it came."""
        self.asked = 0
        self.answers: deque[Response] = deque()
        """What it says to the next requests instead of taking them."""
        self.hangs = ""
        """It never answers on this path."""
        self.over = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.asked += 1
        if self.hangs and request.url.path.startswith(self.hangs):
            await self.over.wait()
        if self.answers:
            return self.answers.popleft()
        self.heard.append((request.url.path, body))
        return Response(status_code=204)

    def url(self, path: str = "hook") -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def apprise(self, path: str = "phone", more: str = "") -> str:
        return f"json://127.0.0.1:{self.port}/{path}{more}"

    def texts(self, path: str = "/hook") -> list[object]:
        key = "message" if path.startswith("/phone") else "text"
        return [body[key] for at, body in self.heard if at == path]


@asynccontextmanager
async def a_phone() -> AsyncIterator[Phone]:
    phone = Phone()
    app = Starlette(routes=[Route("/{path:path}", phone.answer, methods=["POST"])])
    async with listening(app, "127.0.0.1", 0) as port:
        phone.port = port
        try:
            yield phone
        finally:
            phone.over.set()


@asynccontextmanager
async def telling(
    settings: NotifySettings, folder: Path | None = None, clock: Clock | None = None
) -> AsyncIterator[tuple[ASite, NotifyOutput]]:
    site = ASite()
    output = NotifyOutput(
        settings,
        site_name="home",
        timezone=LONDON,
        clock=clock or SystemClock(),
        data_dir=folder,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(output.run(site))
        await until(lambda: bool(site.hub._queues) and output._mailboxes != [])
        yield site, output
        task.cancel()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - a server and a thread have no event for it
            await asyncio.sleep(0.005)


def happen(site: ASite, *names: str, at: datetime = NOON) -> None:
    """Let writes fail, each of which is an event at once."""
    results = tuple(
        Failed(
            device="inverter",
            command=SettingChange(device="inverter", point=name, value=1),
            why="silent",
        )
        for name in names
    )
    decision = Decision(at=at, command=None, reason="a test", strategy="test")
    site.hub.tell(Tick(snapshot=a_site(at=at), decision=decision, results=results))


def text(name: str) -> str:
    return f"inverter: set {name} to 1: failed: silent"


def texts(*names: str) -> list[str]:
    return [text(name) for name in names]


def quick(**more: object) -> NotifySettings:
    given = {"min_interval_s": 0.0, "timeout_s": 0.4, "pause_s": 0.01, "attempts": 3, **more}
    return NotifySettings(**given)  # type: ignore[arg-type]


class TestAWebhook:
    async def test_gets_each_event_as_json_in_order(self) -> None:
        async with a_phone() as phone, telling(quick(webhooks=(phone.url(),))) as (site, output):
            happen(site, "a", "b")
            await until(lambda: len(phone.heard) == 2)
            assert phone.texts() == texts("a", "b")
            assert phone.heard[0][1] == {
                "event": "write_failed",
                "site": "home",
                "device": "inverter",
                "at": "2026-06-21T12:00:00+00:00",
                "text": text("a"),
                "data": {"subject": "a", "why": "silent"},
            }
            await until(lambda: output.waiting == 0)
            assert output.dropped == 0

    async def test_gets_only_what_it_is_to_be_told_of(self) -> None:
        async with a_phone() as phone:
            settings = quick(webhooks=(phone.url(),), events=("battery_low",))
            async with telling(settings) as (site, _):
                happen(site, "a")
                await asyncio.sleep(0.1)
                assert phone.asked == 0

    @pytest.mark.parametrize("status", [500, 503, 429, 408])
    async def test_in_trouble_gets_it_again(
        self, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "ohmstead")
        async with a_phone() as phone, telling(quick(webhooks=(phone.url(),))) as (site, output):
            phone.answers += [Response(status_code=status)] * 2
            happen(site, "a")
            await until(lambda: len(phone.heard) == 1)
            assert (phone.asked, output.dropped) == (3, 0)
            await until(lambda: "again" in caplog.text)
        said = [r.getMessage() for r in caplog.records if r.name.startswith("ohmstead")]
        assert len(said) == 2
        assert f"webhook 1 takes no messages, so they wait: it answers {status}" in said[0]
        assert "webhook 1 takes messages again" in said[1]

    async def test_that_says_when_to_come_again_is_obeyed(self) -> None:
        async with a_phone() as phone:
            settings = quick(webhooks=(phone.url(),), pause_s=60.0)
            async with telling(settings) as (site, _):
                phone.answers.append(Response(status_code=429, headers={"Retry-After": "0"}))
                happen(site, "a")
                await until(lambda: phone.texts() == texts("a"))

    @pytest.mark.parametrize(
        "answer",
        [Response(status_code=404), Response(status_code=401), RedirectResponse("/elsewhere")],
        ids=["404", "401", "a redirection"],
    )
    async def test_that_refuses_loses_the_event_and_gets_the_next(
        self, answer: Response, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with a_phone() as phone, telling(quick(webhooks=(phone.url(),))) as (site, output):
            phone.answers.append(answer)
            happen(site, "a", "b")
            await until(lambda: phone.texts() == texts("b"))
            assert (phone.asked, output.dropped) == (2, 1)
        assert f"1 event is lost for webhook 1: it answers {answer.status_code}" in caplog.text

    @pytest.mark.parametrize(
        ("path", "why"),
        [("hook", "All connection attempts failed"), ("connection", "ConnectError")],
        ids=["saying why", "saying less where that would repeat the address"],
    )
    async def test_that_is_not_there_is_given_up_after_some_time(
        self, path: str, why: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with a_phone() as phone:
            gone = phone.url(path)
        async with telling(quick(webhooks=(gone,))) as (site, output):
            happen(site, "a")
            await until(lambda: output.dropped == 1)
        assert f"1 event is lost for webhook 1: {why}, 3 times" in caplog.text

    async def test_that_hangs_delays_nobody_else(self) -> None:
        async with a_phone() as phone:
            phone.hangs = "/slow"
            settings = quick(
                webhooks=(phone.url("slow"), phone.url()), urls=(phone.apprise(),), timeout_s=30.0
            )
            async with telling(settings) as (site, output):
                for name in "abc":
                    happen(site, name)
                await until(lambda: phone.texts() == texts("a", "b", "c"))
                await until(lambda: bool(phone.texts("/phone")))
                assert output.waiting >= 2

    async def test_that_hangs_for_long_loses_the_oldest(self) -> None:
        async with a_phone() as phone:
            phone.hangs = "/hook"
            settings = quick(webhooks=(phone.url(),), timeout_s=30.0)
            async with telling(settings) as (site, output):
                happen(site, "first")
                await until(lambda: phone.asked == 1)
                happen(site, *(f"p{n}" for n in range(120)))
                await until(lambda: output.dropped == 20)
                assert output.waiting == 100


class TestAPerson:
    async def test_gets_a_message_through_apprise(self) -> None:
        async with a_phone() as phone, telling(quick(urls=(phone.apprise(),))) as (site, _):
            happen(site, "a")
            await until(lambda: len(phone.heard) == 1)
            ((_, said),) = phone.heard
            assert (said["title"], said["message"]) == ("home: write failed", text("a"))
            assert said["type"] == "failure"

    async def test_gets_what_happens_together_in_one_message(self) -> None:
        async with a_phone() as phone, telling(quick(urls=(phone.apprise(),))) as (site, _):
            happen(site, "a", "b")
            await until(lambda: len(phone.heard) == 1)
            ((_, said),) = phone.heard
            assert said["title"] == "home: 2 events"
            assert said["message"] == f"13:00 {text('a')}\n13:00 {text('b')}"

    async def test_gets_it_again_when_the_service_was_in_trouble(self) -> None:
        async with a_phone() as phone, telling(quick(urls=(phone.apprise(),))) as (site, output):
            phone.answers += [Response(status_code=500)] * 2
            happen(site, "a")
            await until(lambda: phone.texts("/phone") == texts("a"))
            assert (phone.asked, output.dropped) == (3, 0)

    async def test_whose_service_hangs_delays_nobody_else(self) -> None:
        async with a_phone() as phone:
            phone.hangs = "/phone/slow"
            slow, fine = phone.apprise("phone/slow", "?rto=2"), phone.apprise("phone/fine")
            async with telling(quick(urls=(slow, fine))) as (site, output):
                happen(site, "a")
                await until(lambda: phone.texts("/phone/fine") == texts("a"))
                await until(lambda: output.dropped == 1)
                happen(site, "b")
                await until(lambda: phone.texts("/phone/fine") == texts("a", "b"))

    async def test_is_not_disturbed_too_often(self) -> None:
        async with a_phone() as phone:
            settings = quick(urls=(phone.apprise(),), webhooks=(phone.url(),), min_interval_s=0.5)
            async with telling(settings) as (site, _):
                began = SystemClock().monotonic()
                for name in "abc":
                    happen(site, name)
                    await until(lambda name=name: text(name) in phone.texts())  # type: ignore[misc]
                    await until(lambda: bool(phone.texts("/phone")))
                await until(lambda: len(phone.texts("/phone")) == 2)
                assert SystemClock().monotonic() - began >= 0.5
                assert phone.texts("/phone")[1] == f"13:00 {text('b')}\n13:00 {text('c')}"

    async def test_is_not_disturbed_at_night(self) -> None:
        clock = ManualClock(datetime(2026, 6, 21, 21, 30, tzinfo=UTC))
        quiet = QuietHours(start=time(22), end=time(7))
        async with a_phone() as phone:
            settings = quick(urls=(phone.apprise(),), webhooks=(phone.url(),), quiet_hours=quiet)
            async with telling(settings, clock=clock) as (site, _):
                happen(site, "a")
                await until(lambda: phone.texts() == texts("a"))
                await until(lambda: phone.texts("/phone") == texts("a"))
        assert clock.now() == datetime(2026, 6, 22, 6, tzinfo=UTC)

    async def test_is_named_by_a_check_and_left_alone(self) -> None:
        async with a_phone() as phone:
            settings = quick(urls=(phone.apprise(),), webhooks=(phone.url(),))
            said = await make(settings).check()
            assert said == "url 1 (json), webhook 1 can be read; nothing was sent"
            assert phone.asked == 0

    @pytest.mark.parametrize("url", ["nosuch://" + SECRET, f"tgram://{SECRET}"])
    async def test_whose_address_apprise_cannot_read_is_a_fault_of_the_file(self, url: str) -> None:
        output = make(quick(urls=(url,)))
        with pytest.raises(ConfigError, match=r"url 1 \(\w+\): Apprise cannot read") as told:
            await output.run(ASite())
        assert SECRET not in str(told.value)
        with pytest.raises(ConfigError, match="Apprise cannot read"):
            await output.check()


class TestARestart:
    async def test_tells_nothing_twice(self, tmp_path: Path) -> None:
        folder = tmp_path / "var" / "notify"
        async with a_phone() as phone:
            for name in ("a", "b"):
                async with telling(quick(webhooks=(phone.url(),)), folder) as (site, _):
                    happen(site, "a", name)
                    await until(lambda name=name: text(name) in phone.texts())  # type: ignore[misc]
                    await until(lambda name=name: name in (folder / "told.json").read_text())  # type: ignore[misc]
            assert phone.texts() == texts("a", "b")

    @pytest.mark.parametrize("kept", ["{", "7", '{"a": 1}', "[1]", "\x00"])
    async def test_goes_on_with_a_file_that_cannot_be_read(self, kept: str, tmp_path: Path) -> None:
        (tmp_path / "told.json").write_text(kept)
        async with (
            a_phone() as phone,
            telling(quick(webhooks=(phone.url(),)), tmp_path) as (site, _),
        ):
            happen(site, "a")
            await until(lambda: phone.texts() == texts("a"))

    async def test_goes_on_where_nothing_can_be_kept(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("")
        folder = tmp_path / "file" / "notify"
        async with a_phone() as phone, telling(quick(webhooks=(phone.url(),)), folder) as (site, _):
            happen(site, "a")
            await until(lambda: phone.texts() == texts("a"))
            await until(lambda: "cannot be written" in caplog.text)


class TestSecrets:
    async def test_are_in_no_log_whatever_goes_wrong(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        async with a_phone() as phone:
            gone = phone.port
        async with a_phone() as phone:
            phone.hangs = f"/slow/{SECRET}"
            phone.answers += [Response(status_code=500), Response(status_code=404)]
            user = f"http://me:{SECRET}@127.0.0.1:{phone.port}/x"
            settings = quick(
                webhooks=(
                    phone.url(SECRET),
                    phone.url(f"slow/{SECRET}"),
                    user,
                    f"http://127.0.0.1:{gone}/{SECRET}?key={SECRET}",
                ),
                urls=(
                    phone.apprise(SECRET),
                    f"json://me:{SECRET}@127.0.0.1:{gone}/{SECRET}",
                    phone.apprise(f"slow/{SECRET}", "?rto=1"),
                ),
            )
            async with telling(settings) as (site, output):
                happen(site, "a")
                await until(lambda: output.dropped >= 4)
                happen(site, "b")
                await until(lambda: output.dropped >= 8)
        assert "lost for webhook 4" in caplog.text
        assert "lost for url 2 (json)" in caplog.text
        assert SECRET not in caplog.text
        assert all(SECRET not in repr(vars(record)) for record in caplog.records)

    def test_are_not_shown(self) -> None:
        settings = NotifySettings(urls=(f"tgram://{SECRET}/1",), webhooks=(f"http://x/{SECRET}",))
        assert SECRET not in repr(settings)


class TestSettings:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({}, "say whom to tell"),
            ({"urls": (SECRET,)}, "url 1 is no Apprise address"),
            ({"urls": (f"json://a/{SECRET} b",)}, "url 1 is no Apprise address"),
            ({"webhooks": ("http://a", f"ftp://{SECRET}")}, "webhook 2 is no address"),
            ({"webhooks": (f"http://a:b{SECRET}/",)}, "webhook 1 is no address"),
            ({"webhooks": (f"http://[{SECRET}",)}, "webhook 1 is no address"),
            ({"webhooks": (f"/{SECRET}",)}, "webhook 1 is no address"),
            ({"webhooks": ("http://a",), "events": ()}, "events is empty"),
            ({"webhooks": ("http://a",), "battery_low_pct": 101}, "from 0 to 100"),
            ({"webhooks": ("http://a",), "timeout_s": 0}, "timeout_s must be above zero"),
            ({"webhooks": ("http://a",), "attempts": 0}, "attempts must be above zero"),
            ({"webhooks": ("http://a",), "min_interval_s": -1}, "min_interval_s is 0 or more"),
        ],
    )
    def test_refuse_what_cannot_work(self, given: dict[str, object], says: str) -> None:
        with pytest.raises(ValueError, match=says) as told:
            NotifySettings(**given)  # type: ignore[arg-type]
        assert SECRET not in str(told.value)

    @pytest.mark.parametrize(
        ("start", "end", "at", "hours"),
        [
            pytest.param(22, 7, 21.5, 0, id="before"),
            pytest.param(22, 7, 22, 9, id="at their start"),
            pytest.param(22, 7, 0.5, 6.5, id="over midnight"),
            pytest.param(22, 7, 7, 0, id="at their end"),
            pytest.param(9, 17, 12, 5, id="by day"),
            pytest.param(9, 17, 20, 0, id="after"),
        ],
    )
    def test_quiet_hours(self, start: int, end: int, at: float, hours: float) -> None:
        quiet = QuietHours(start=time(start), end=time(end))
        moment = datetime(2026, 6, 21, tzinfo=LONDON) + timedelta(hours=at)
        assert quiet.left(moment) == timedelta(hours=hours)

    def test_quiet_hours_that_never_end_are_refused(self) -> None:
        with pytest.raises(ValueError, match="the same"):
            QuietHours(start=time(7), end=time(7))
        with pytest.raises(ValueError, match="without a zone"):
            QuietHours(start=time(7, tzinfo=UTC), end=time(8))


class TestApprise:
    def test_that_is_missing_is_said_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "apprise", None)
        settings = quick(urls=(f"tgram://{SECRET}/1",))
        with pytest.raises(ConfigError, match=r"pip install 'ohmstead\[notify\]'"):
            make(settings)
        make(replace(settings, urls=(), webhooks=("http://a",)))

    def test_is_loaded_for_nobody_who_does_not_need_it(self) -> None:
        program = (
            "import sys, ohmstead.outputs.notify as n, ohmstead.clock as c, datetime as d\n"
            "for more in ({'webhooks': ('http://a',)}, {'urls': ('json://a',)}):\n"
            "    n.NotifyOutput(n.NotifySettings(**more), site_name='a', timezone=d.UTC,"
            " clock=c.SystemClock(), data_dir=None)\n"
            "assert 'apprise' not in sys.modules and 'requests' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own words


def make(settings: NotifySettings) -> NotifyOutput:
    return NotifyOutput(
        settings, site_name="home", timezone=LONDON, clock=SystemClock(), data_dir=None
    )
