"""The page in a real browser: it shows the house, the decision, the prices and the devices."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from ohmstead.config import build
from ohmstead.config.load import load
from web_site import a_browser, a_plan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def listening_for_errors(page: Page) -> list[str]:
    """Return where errors of *page* will be; that this house has no history is none."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda line: (
            wrong.append(line.text)
            if line.type == "error" and "/history/" not in line.location["url"]
            else None
        ),
    )
    return wrong


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="Chromium is not installed: apt install chromium",
)
async def test_the_page_shows_what_the_api_says_and_asks_for_what_it_is_told() -> None:
    assert CHROMIUM is not None, "CI needs Chromium"
    async with a_browser() as browser, async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        page = await chromium.new_page()
        wrong = listening_for_errors(page)
        await page.goto(str(browser.client.base_url))
        await expect(page.locator("#link")).to_have_text("live")
        await expect(page.locator("#mode")).to_have_text("Charging until 13:30")
        await expect(page.locator("#reason")).to_contain_text("the price of 5p is not above 5p")
        await expect(page.locator("#powers")).to_contain_text("500 W")
        await expect(page.locator("rect.bar.now")).to_have_count(1)
        await expect(page.locator("rect.bar.minus")).to_have_count(1)
        await expect(page.locator("#price-note")).to_contain_text("-2p to 30p per kWh")
        await expect(page.locator("#journal li").first).to_contain_text("starts 23:30 → 05:00")
        await page.get_by_text("All that is measured").click()
        await expect(page.locator("#devices")).to_contain_text("Charge power")

        await page.select_option("select[name=mode]", "discharge")
        await page.get_by_role("button", name="Ask").click()
        await expect(page.locator("#requests")).to_contain_text("Discharging until 13:30")
        await page.get_by_role("button", name="cancel").click()
        await expect(page.locator("#requests li")).to_have_count(0)

        browser.site.tell(40)
        await expect(page.locator("#mode")).to_have_text("Self-use")
        browser.site.tell(41, trouble="inverter: no answer")
        await expect(page.locator("#devices")).to_contain_text("inverter: no answer")
        assert wrong == []
        await chromium.close()


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="Chromium is not installed: apt install chromium",
)
async def test_what_is_expected_and_what_is_amiss_is_shown(tmp_path: Path) -> None:
    assert CHROMIUM is not None, "CI needs Chromium"
    path = tmp_path / "ohmstead.yaml"
    path.write_text(
        "site: {location: {latitude: 51.5, longitude: -0.1}}\n"
        "forecasts: {solar: {source: model, arrays: [{kwp: 4, azimuth: 180}]}, "
        "carbon: {source: uk, url: 'http://127.0.0.1:9'}}\n"
    )
    known = build.forecasts(load(path), None)
    async with a_browser(forecasts=known) as browser, async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        page = await chromium.new_page(viewport={"width": 420, "height": 900})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(str(browser.client.base_url))
        await expect(page.locator("#expected")).to_be_visible()
        await expect(page.locator("#expected path.spread")).to_have_count(2)
        await expect(page.locator("#expected-key")).to_have_text(re.compile("^SolarHouse0 to "))
        note = page.locator("#expected-note")
        await expect(note).to_contain_text("by clear sky as lately left of it. House: 7.4 kWh")
        await expect(note).to_contain_text("by a typical house, until this one has a history")
        await expect(page.locator("#expected .spot title").first).to_have_text(
            re.compile(r"^Sun 13:00: Solar .+ \(.+ to .+\); House \d+ W \(\d+ W to \d+ W\)$")
        )
        trouble = page.locator("#expected-trouble")
        await expect(trouble).to_contain_text("Carbon Intensity does not answer")
        await expect(page.locator("#plan-trouble")).to_be_hidden()
        browser.site.tell(1, plan_trouble="the state of charge is not known")
        await expect(page.locator("#plan-trouble")).to_have_text(
            "No new plan: the state of charge is not known."
        )
        assert await page.evaluate("document.documentElement.scrollWidth") <= 420
        assert wrong == []
        await chromium.close()


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="Chromium is not installed: apt install chromium",
)
@pytest.mark.parametrize("width", [1280, 420])
async def test_the_plan_is_shown_where_there_is_one(width: int) -> None:
    assert CHROMIUM is not None, "CI needs Chromium"
    async with a_browser() as browser, async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        page = await chromium.new_page(viewport={"width": width, "height": 900})
        wrong = listening_for_errors(page)
        await page.goto(str(browser.client.base_url))
        await expect(page.locator("#link")).to_have_text("live")
        await expect(page.locator("#plan")).to_be_hidden()

        plan = a_plan()
        on = [
            replace(s, loads_w={"dishes": 1_800.0 * (n in {2, 3})})
            for n, s in enumerate(plan.slots)
        ]
        browser.site.tell(10, plan=replace(plan, slots=tuple(on)))
        await expect(page.locator("#plan")).to_be_visible()
        await expect(page.locator("#plan rect.band.foot")).to_have_count(3)
        await expect(page.locator("#plan-key")).to_contain_text("discharge")
        why, feet = page.locator("#plan-why"), page.locator("#plan rect.band.foot")
        await expect(why).to_have_text(
            "Sun 13:00–15:00 charge, 2.00 kW in, 97 %, 5p, £0.40: charge at 5p"
        )
        await feet.nth(1).hover()
        await expect(why).to_contain_text("97 → 89 %, 25p, £0.80: serve <the house>")
        await feet.nth(2).focus()
        await expect(why).to_contain_text("Sun 19:00–Mon 13:30 discharge, 3.00 kW out")
        await expect(page.locator("#plan-note")).to_have_text(
            "Made 13:00 of: tea leaves. Until Mon 19:00 it earns £1.50 and saves £0.75 over a "
            "house that does not plan; at most £0.02 dearer than the best."
        )
        await page.get_by_text("Every step, and why").click()
        await expect(page.locator("#plan-steps li")).to_have_count(4)
        await expect(page.locator("#plan-steps")).to_contain_text("dishes: Sun 14:00–15:00")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

        browser.site.tell(12)
        await expect(page.locator("#plan")).to_be_hidden()
        assert wrong == []
        await chromium.close()
