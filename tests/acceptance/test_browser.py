"""The whole product in a real browser: a person plays a scenario, becomes an approver and presses Approve rollback."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import async_playwright, expect
from support.chromium import FLAGS, find_chromium
from support.sandbox import sandbox

A_WHILE_MS = 60_000


async def test_an_approver_presses_approve_in_a_browser_and_sees_the_card_resolved(tmp_path: Path) -> None:
    async with async_playwright() as playwright:
        chromium = find_chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        with sandbox(tmp_path / "sandbox", "--http", "--speed", "4") as running:
            page = await browser.new_page(viewport={"width": 390, "height": 844})
            page.set_default_timeout(A_WHILE_MS)
            expect.set_options(timeout=A_WHILE_MS)
            await page.goto(running.info["console"])
            await page.get_by_role("button", name="Sandbox", exact=True).click()
            await page.get_by_role("button", name="Play").first.click()
            await page.get_by_role("button", name="Channel", exact=True).click()
            approve = page.locator("#messages").get_by_role("button", name="Approve rollback")
            await approve.wait_for()

            await page.get_by_role("radio", name="Avery").check(force=True)
            await approve.click()
            await page.get_by_role("dialog").get_by_role("button", name="Move the traffic").click()

            await expect(page.locator("#messages")).to_contain_text("Resolved after")
            await expect(page.locator("#messages")).to_contain_text("Traffic is pinned to")
            await expect(approve).to_have_count(0)
        await browser.close()
