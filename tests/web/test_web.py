"""The page and the API, over real HTTP: every route, every refusal, and who is let in."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from time import perf_counter

import httpx2
import pytest
from argon2 import PasswordHasher

from houses import LONDON, NOON
from ohmstead.clock import ManualClock
from ohmstead.model import (
    Failed,
    Refused,
    SettingChange,
)
from ohmstead.web.auth import Doorkeeper
from ohmstead.web.live import Live
from ohmstead.web.server import make_app
from ohmstead.web.settings import WebSettings
from web_site import ASite, Browser, a_browser, problem


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


class TestReading:
    async def test_the_house_now(self, browser: Browser) -> None:
        said = (await browser.get("site")).json()
        assert said["at"] == "2026-06-21T12:00:00Z"
        assert said["timezone"] == str(LONDON)
        assert (said["grid_w"], said["load_w"], said["soc_pct"]) == (500, 500, 50)
        assert (said["import_per_kwh"], said["export_per_kwh"]) == (0.05, None)

    async def test_devices_tell_their_values_and_why_one_is_missing(self, browser: Browser) -> None:
        (device,) = (await browser.get("devices")).json()
        assert device["values"]["starts"] == "23:30"
        assert device["values"]["clock"] == "2026-06-21T13:00:00"
        assert device["values"]["battery_soc_pct"] is None
        assert device["doubts"] == {"battery_soc_pct": "it says 255"}
        assert (await browser.get("devices/inverter")).json() == device

    async def test_points_say_what_may_be_written(self, browser: Browser) -> None:
        points = {p["key"]: p for p in (await browser.get("devices/inverter/points")).json()}
        assert points["charge_w"]["writable"] == {
            "type": "range",
            "low": 0,
            "high": 5000,
            "step": 100,
        }
        assert points["charge_w"]["unit"] == "W"
        assert points["mode"]["writable"] == {"type": "choice", "options": ["eco", "boost"]}
        kinds = {key: (p["writable"] or {}).get("type") for key, p in points.items()}
        assert kinds["charge_on"] == "switch"
        assert kinds["starts"] == "time"
        assert kinds["clock"] == "datetime"
        assert kinds["title"] == "text"
        assert kinds["restart"] == "button"
        assert kinds["battery_soc_pct"] is None
        assert points["battery_soc_pct"]["missing"] == "it says 255"
        assert points["title"]["missing"] == "the device has not said it"
        assert (points["charge_w"]["age_s"], points["title"]["age_s"]) == (0, None)
        assert not any(point["opt_in"] for point in points.values())

    async def test_a_silent_devices_points_say_so(self, browser: Browser) -> None:
        browser.site.tell(trouble="inverter: no answer")
        point = (await browser.get("settings/inverter/charge_w")).json()
        assert (point["value"], point["missing"]) == (None, "inverter: no answer")

    async def test_settings_are_the_points_that_can_be_written(self, browser: Browser) -> None:
        said = (await browser.get("settings")).json()
        assert "battery_soc_pct" not in {point["key"] for point in said["inverter"]}
        assert "charge_w" in {point["key"] for point in said["inverter"]}

    async def test_prices_with_their_age_and_horizon(self, browser: Browser) -> None:
        said = (await browser.get("prices")).json()
        assert said["export"] is None
        assert said["import"]["age_s"] == 3600
        assert said["import"]["ends"] == "2026-06-21T13:30:00Z"
        assert [slot["per_kwh"] for slot in said["import"]["slots"]] == [0.05, 0.30, -0.02]

    async def test_the_decision_with_every_strategys_word(self, browser: Browser) -> None:
        said = (await browser.get("decision")).json()
        assert said["command"]["mode"] == "charge"
        assert said["reason"].startswith("the price of 5p")
        assert said["trail"][0]["spoke"] is True
        assert said["ahead"] == [
            {
                "device": "inverter",
                "start": "2026-06-21T14:00:00Z",
                "until": "2026-06-21T17:00:00Z",
                "soc_pct": 90,
            }
        ]

    async def test_the_last_decisions_that_differed(self, browser: Browser) -> None:
        for minute in (1, 2, 40):
            browser.site.tell(minute)
        await asyncio.sleep(0.01)
        said = (await browser.get("decisions", limit="5")).json()
        assert [d["command"]["mode"] for d in said] == ["self_use", "charge"]

    async def test_the_journal_in_pages(self, browser: Browser) -> None:
        said = (await browser.get("journal", limit="2", before="5", device="inverter")).json()
        assert [entry["id"] for entry in said] == [4, 3]
        assert (said[0]["old"], said[0]["new"]) == ("23:30", "05:00")

    @pytest.mark.parametrize("before", ["0", "-1", str(1 << 63), "x"])
    async def test_a_page_of_the_journal_that_cannot_be(
        self, browser: Browser, before: str
    ) -> None:
        assert problem(await browser.get("journal", before=before), 422).startswith("before: ")

    async def test_a_journal_that_cannot_be_read_is_told(self, browser: Browser) -> None:
        browser.site.broken = True
        assert problem(await browser.get("journal"), 503) == "the disk is full"


class TestChanging:
    async def test_a_setting_goes_through_the_site(self, browser: Browser) -> None:
        answer = await browser.put("settings/inverter/charge_w", {"value": 1500, "why": "guests"})
        assert answer.json()["wrote"] == {"charge_w": 1500}
        (request,) = browser.site.asked
        assert request.want == SettingChange(device="inverter", point="charge_w", value=1500)
        assert (request.asked_by, request.why) == ("web", "guests")

    @pytest.mark.parametrize(
        ("path", "body", "status", "says"),
        [
            ("settings/inverter/charge_w", {"value": 9000}, 422, "outside 0 to 5000"),
            ("settings/inverter/charge_w", {"value": [1]}, 422, "valid integer or"),
            ("settings/inverter/charge_w", {"valeu": 1}, 422, "value"),
            ("settings/inverter/battery_soc_pct", {"value": 1}, 422, "can only be read"),
            ("settings/inverter/warp", {"value": 1}, 404, "no point warp"),
            ("settings/toaster/warp", {"value": 1}, 404, "no device toaster; there is inverter"),
        ],
    )
    async def test_what_cannot_be_set(
        self, browser: Browser, path: str, body: object, status: int, says: str
    ) -> None:
        assert says in problem(await browser.put(path, body), status)
        assert browser.site.asked == []

    @pytest.mark.parametrize(("ending", "status"), [(Refused, 409), (Failed, 502)])
    async def test_how_a_change_can_end(
        self, browser: Browser, ending: type[Refused | Failed], status: int
    ) -> None:
        browser.site.ends_with = ending
        answer = await browser.put("settings/inverter/charge_w", {"value": 1500})
        assert "the line is dead" in problem(answer, status)

    async def test_a_request_is_made_listed_and_cancelled(self, browser: Browser) -> None:
        wish = {"mode": "charge", "minutes": 30, "power_w": 2000, "soc_pct": 80, "why": "storm"}
        made = await browser.post(wish)
        assert made.status_code == 201
        request = made.json()
        assert request["until"] == "2026-06-21T12:30:00Z"
        assert request["command"]["power_w"] == 2000
        assert (await browser.get("requests")).json() == [request]
        gone = await browser.client.delete(f"/api/v1/requests/{request['id']}")
        assert gone.json() == request
        again = await browser.client.delete(f"/api/v1/requests/{request['id']}")
        assert "no request" in problem(again, 404)

    async def test_a_request_until_a_moment(self, browser: Browser) -> None:
        made = await browser.post({"mode": "self_use", "until": "2026-06-21T15:00:00+01:00"})
        assert made.json()["until"] == "2026-06-21T14:00:00Z"
        assert made.json()["command"]["until"] is None

    @pytest.mark.parametrize(
        ("body", "status", "says"),
        [
            ({"mode": "charge"}, 422, "either minutes or until"),
            ({"mode": "charge", "minutes": 5, "until": "2026-06-21T15:00Z"}, 422, "either"),
            ({"mode": "charge", "until": "2026-06-21T15:00"}, 422, "needs a zone"),
            ({"mode": "charge", "until": "2026-06-21T11:00Z"}, 409, "ended before it began"),
            ({"mode": "charge", "until": "0001-01-01T00:00+12:00"}, 409, "ended before it began"),
            ({"mode": "charge", "until": "9999-12-31T23:59-12:00"}, 422, "7 days"),
            ({"mode": "charge", "until": "2026-06-28T12:01Z"}, 422, "7 days"),
            ({"mode": "dance", "minutes": 5}, 422, "mode"),
            ({"mode": "charge", "minutes": -5}, 422, "minutes"),
            ({"mode": "charge", "minutes": 5, "power_w": -1}, 422, "power_w"),
            ({"mode": "charge", "minutes": 5, "watts": 1}, 422, "watts"),
            ("charge", 422, "the body"),
        ],
    )
    async def test_what_cannot_be_asked(
        self, browser: Browser, body: object, status: int, says: str
    ) -> None:
        assert says in problem(await browser.post(body), status)

    @pytest.mark.parametrize(
        ("body", "status", "says"),
        [
            ('{"mode": "charge", "minutes": 5, "power_w": 1e999}', 422, "power_w: "),
            ('{"mode": "charge", "minutes": 5, "power_w": NaN}', 422, "power_w: "),
            ('{"mode": "charge", "minutes": 5, "soc_pct": NaN}', 422, "soc_pct: "),
            ('{"mode": "charge", "minutes": Infinity}', 422, "minutes: "),
            ('{"mode": "charge", "minutes": 5, "why": "\\ud800"}', 422, "why: "),
            ('{"mode": "charge", ', 422, "the body: JSON"),
            ("", 422, "the body: "),
            ("[" * 20_000, 400, "parsing"),
        ],
    )
    async def test_what_is_hardly_json(
        self, browser: Browser, body: str, status: int, says: str
    ) -> None:
        known = {"Content-Type": "application/json"}
        answer = await browser.client.post("/api/v1/requests", content=body, headers=known)
        assert says in problem(answer, status)
        assert browser.site.asked == []


class TestHealth:
    async def test_all_is_well(self, browser: Browser) -> None:
        said = (await browser.get("health")).json()
        assert (said["ok"], said["version"]) == (True, "1.2.3")

    async def test_a_lost_device_is_told(self, browser: Browser) -> None:
        browser.site.tell(trouble="inverter: no answer")
        assert problem(await browser.get("health"), 503) == "inverter: no answer"

    async def test_a_loop_that_hangs_is_told(self, browser: Browser) -> None:
        browser.site.tell(minute=-10)
        assert "the last turn was at" in problem(await browser.get("health"), 503)

    async def test_before_the_first_turn(self) -> None:
        async with a_browser(told=False) as browser:
            assert "no turn yet" in problem(await browser.get("health"), 503)
            assert "try again" in problem(await browser.get("site"), 503)


class TestThePage:
    async def test_it_needs_nothing_from_elsewhere(self, browser: Browser) -> None:
        page = await browser.client.get("/")
        assert page.status_code == 200
        assert "http" not in page.text.replace("http-equiv", "")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        for name in ("page.css", "page.js", "icon.svg"):
            assert f"/static/{name}" in page.text
            assert (await browser.client.get(f"/static/{name}")).status_code == 200

    async def test_what_is_not_there_is_a_problem(self, browser: Browser) -> None:
        assert "openapi.json" in problem(await browser.client.get("/api/v2/x"), 404)
        assert problem(await browser.client.delete("/api/v1/site"), 405)


class TestTheDoor:
    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:1234", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("[::1]", 200),
            ("Home.lan:80", 200), ("myhouse", 200),
            ("evil.example", 421), ("evil.example:80", 421), ("", 421),
        ],
    )  # fmt: skip
    async def test_only_names_of_ours(self, host: str, status: int) -> None:
        settings = WebSettings(listen="myhouse:80", token="hush", allowed_hosts=("home.lan",))
        async with a_browser(settings) as browser:
            headers = {"Host": host, "Authorization": "Bearer hush"}
            answer = await browser.client.get("/api/v1/site", headers=headers)
            assert answer.status_code == status
            assert answer.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 201),
            ({"Sec-Fetch-Site": "same-origin"}, 201),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Content-Length": "9999999"}, 413),
        ],
    )
    async def test_no_other_page_may_change_anything(
        self, browser: Browser, headers: dict[str, str], status: int
    ) -> None:
        body = json.dumps({"mode": "hold", "minutes": 5}).encode()
        known = {"Content-Type": "application/json"}
        if "Content-Length" in headers:
            answer = await browser.client.post(
                "/api/v1/requests", content=b" " * 70_000, headers=known
            )
        else:
            answer = await browser.client.post(
                "/api/v1/requests", content=body, headers=known | headers
            )
        assert answer.status_code == status

    async def test_a_body_that_does_not_say_its_length_is_refused(self, browser: Browser) -> None:
        async def endless() -> AsyncIterator[bytes]:
            yield b"{}"

        answer = await browser.client.post("/api/v1/requests", content=endless())
        assert "too large" in problem(answer, 413)

    async def test_a_password_opens_and_a_cookie_keeps_it_open(self) -> None:
        settings = WebSettings(listen="0.0.0.0:8080", password=PasswordHasher().hash("open"))
        async with a_browser(settings) as browser:
            shut = await browser.get("site")
            assert "password or token is needed" in problem(shut, 401)
            assert "Basic" in shut.headers["www-authenticate"]
            assert (await browser.get("health")).status_code == 200
            opened = await browser.client.get("/api/v1/site", auth=("me", "open"))
            assert opened.status_code == 200
            assert "HttpOnly; SameSite=Strict" in opened.headers["set-cookie"]
            assert (await browser.get("site")).status_code == 200

    async def test_a_token_is_verified_once(self) -> None:
        async with a_browser(WebSettings(token="hush")) as browser:
            for _ in range(3):
                headers = {"Authorization": "Bearer hush"}
                browser.client.cookies.clear()
                assert (
                    await browser.client.get("/api/v1/site", headers=headers)
                ).status_code == 200

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer wrong",
            "Bearer",
            "Basic !!!",
            "Basic d3Jvbmc6",
            "Basic /w==",
            "Basic \xe9",
            "Digest x",
            "",
        ],
    )
    async def test_a_wrong_one_stays_out(self, header: str) -> None:
        async with a_browser(WebSettings(token="hush")) as browser:
            sent = {b"Authorization": header.encode("latin-1")}
            answer = await browser.client.get("/api/v1/site", headers=sent)
            assert answer.status_code == 401

    async def test_old_sessions_make_room_for_new_ones(self) -> None:
        keeper = Doorkeeper(make_app(ASite(), Live(ASite()), ManualClock(NOON), "1"), WebSettings())
        for n in range(100):
            keeper._remember(str(n))
        assert len(keeper._sessions) == 64

    @pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.168.1.5:80", "myhouse:80"])
    def test_the_network_needs_a_password(self, listen: str) -> None:
        with pytest.raises(ValueError, match=r"set web\.password"):
            WebSettings(listen=listen)
        assert "hush" not in repr(WebSettings(listen=listen, token="hush"))
        assert WebSettings(listen=listen, enabled=False).port > 0


LISTENERS, TURNS = 100, 20


async def test_a_hundred_listeners_do_not_slow_the_loop() -> None:
    async with a_browser() as browser:
        alone = await turn_times(browser)
        ready, last = asyncio.Semaphore(0), NOON + timedelta(minutes=TURNS - 1)

        async def listen(client: httpx2.AsyncClient) -> list[str]:
            seen: list[str] = []
            async with client.stream("GET", "/api/v1/live") as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        seen.append(json.loads(line.removeprefix("data: "))["site"]["at"])
                        ready.release()
                    if seen and seen[-1] == f"{last:%Y-%m-%dT%H:%M:%SZ}" and len(seen) > 1:
                        return seen
            return seen

        limits = httpx2.Limits(max_connections=LISTENERS)
        base = browser.client.base_url
        browser.site.tell(-1)
        async with (
            httpx2.AsyncClient(base_url=base, limits=limits, timeout=60) as client,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(listen(client)) for _ in range(LISTENERS)]
            for _ in range(LISTENERS):
                await ready.acquire()
            written = browser.live.written
            crowded = await turn_times(browser)
        assert browser.live.written - written == TURNS  # once a turn, not once a listener
        assert all(task.result()[-1] == "2026-06-21T12:19:00Z" for task in tasks)
        # Telling is putting one object into queues; writing to sockets is others' work.
        assert sorted(crowded)[TURNS // 2] < 20 * sorted(alone)[TURNS // 2] + 0.005


async def turn_times(browser: Browser) -> list[float]:
    times = []
    for minute in range(TURNS):
        began = perf_counter()
        browser.site.tell(minute)
        times.append(perf_counter() - began)
        await asyncio.sleep(0.02)
    return times


async def test_a_listener_that_does_not_read_loses_the_oldest() -> None:
    async with a_browser() as browser:
        events = browser.live.events()
        first = await anext(events)
        assert b"12:00:00Z" in first
        for minute in range(1, 9):
            browser.site.tell(minute)
            await asyncio.sleep(0.001)
        kept = [await anext(events) for _ in range(4)]
        assert b"T12:05:00Z" in kept[0]
        assert b"T12:08:00Z" in kept[-1]
        await events.aclose()  # type: ignore[attr-defined]
