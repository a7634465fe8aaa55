"""What the house means to do, over the API."""

from dataclasses import replace
from datetime import timedelta

from houses import NOON
from web_site import a_browser, a_plan, problem


async def test_the_plan_is_told_slot_by_slot_with_reasons() -> None:
    async with a_browser() as browser:
        browser.site.tell(plan=a_plan())
        answer = await browser.get("plan")
        assert answer.status_code == 200
        told = answer.json()
        assert told["made_of"] == "tea leaves"
        assert (told["cost"], told["saved"], told["gap"]) == (-1.5, 0.75, 0.02)
        assert len(told["slots"]) == 60
        assert told["slots"][0] == {
            "start": "2026-06-21T12:00:00Z", "end": "2026-06-21T12:30:00Z", "mode": "charge",
            "power_w": None, "target_pct": 100.0, "battery_w": -2000.0, "grid_w": 2500.0,
            "pv_w": 0.0, "load_w": 500.0, "soc_pct": 100.0, "import_per_kwh": 0.05,
            "export_per_kwh": 0.15, "cost": 0.1, "worth_per_kwh": 0.2, "car_w": 0.0,
            "reason": "charge at 5p", "loads_w": {},
        }  # fmt: skip


async def test_a_house_without_a_plan_says_how_to_get_one() -> None:
    async with a_browser() as browser:
        assert "list `follow_plan` under control" in problem(await browser.get("plan"), 404)


async def test_a_plan_that_is_still_to_be_made_is_not_said_to_be_missing_from_the_file() -> None:
    async with a_browser() as browser:
        tick = browser.site.tell(plan=a_plan())
        browser.site.hub.tell(replace(tick, snapshot=replace(tick.snapshot, plan=None)))
        assert "no plan yet; try again" in problem(await browser.get("plan"), 404)


async def test_before_the_first_turn_there_is_no_plan() -> None:
    async with a_browser(told=False) as browser:
        assert "the house was not read yet" in problem(await browser.get("plan"), 404)


async def test_what_keeps_the_house_from_planning_is_told_where_a_plan_is_asked_for() -> None:
    async with a_browser() as browser:
        browser.site.tell(plan_trouble="the state of charge is not known")
        said = problem(await browser.get("plan"), 404)
        assert said == "there is no plan: the state of charge is not known"
        told = (await browser.get("site")).json()
        assert told["plan_trouble"] == "the state of charge is not known"


async def test_an_old_plan_says_why_there_is_no_newer_one() -> None:
    async with a_browser() as browser:
        browser.site.tell(plan=a_plan(), plan_trouble="the import price is not known for now")
        told = (await browser.get("plan")).json()
        assert told["trouble"] == "the import price is not known for now"
        assert len(told["slots"]) == 60


async def test_a_plan_that_cannot_be_renewed_is_a_note_until_it_is_too_old_to_follow() -> None:
    async with a_browser() as browser:
        browser.site.tell(plan=a_plan(), plan_trouble="the price is not known")
        told = (await browser.get("health")).json()
        assert told["ok"] is True
        assert told["notes"] == ["no new plan: the price is not known"]
        browser.site.tell(2, plan=replace(a_plan(), made_at=NOON - timedelta(hours=1)),
                          plan_trouble="the price is not known")  # fmt: skip
        assert problem(await browser.get("health"), 503) == "no new plan: the price is not known"
        browser.site.tell(2, plan_trouble="the price is not known")
        assert problem(await browser.get("health"), 503) == "no new plan: the price is not known"


async def test_the_loads_that_may_wait_are_told_by_name() -> None:
    plan = a_plan()
    slots = tuple(replace(slot, loads_w={"dishes": 1_800.04}) for slot in plan.slots)
    async with a_browser() as browser:
        browser.site.tell(plan=replace(plan, slots=slots))
        told = (await browser.get("plan")).json()
        assert told["slots"][0]["loads_w"] == {"dishes": 1_800.0}
