"""What is done on the console's page before its picture is taken."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

Act = Callable[[Page], Awaitable[None]]


async def live(page: Page) -> None:
    """Wait for a live picture."""
    await page.wait_for_selector("article[data-state=live]", timeout=10_000)
    await page.wait_for_timeout(1500)


def panel(name: str, then: Act | None = None) -> Act:
    """Open a panel, and do something in it."""

    async def act(page: Page) -> None:
        await live(page)
        if await page.locator(f"#tab-{name}").is_visible():
            await page.click(f"#tab-{name}")
        else:
            await page.keyboard.press("?")
        await page.wait_for_timeout(400)
        if then is not None:
            await then(page)

    return act


async def account(page: Page) -> None:
    """Open one's own account."""
    await live(page)
    await page.click("#account")
    await page.wait_for_selector("[data-session=here]")


async def person(page: Page) -> None:
    """Open somebody's page."""
    await page.click("[data-person=bjones]")
    await page.wait_for_selector(".held")


def section(name: str) -> Act:
    """Open one of a panel's pages."""

    async def act(page: Page) -> None:
        await page.click(f"[data-section={name}]")
        await page.wait_for_timeout(300)

    return act


async def probed(page: Page) -> None:
    """Find a camera and be let in by it."""
    await page.click("#discover")
    await page.wait_for_selector(".discover .camera-row")
    await page.fill("#enrol-address", "10.20.0.13")
    await page.fill("#enrol-username", "admin")
    await page.fill("#enrol-password", "right")
    await page.click(".enrol form .primary")
    await page.wait_for_selector("#enrol-number")


async def asked(page: Page) -> None:
    """Ask who saw a camera."""
    await page.fill("#who-saw-number", "1")
    await page.click("#who-saw .primary")
    await page.wait_for_selector("#seen li")
    await page.locator("#seen").scroll_into_view_if_needed()


def opened(title: str, then: str = "") -> Act:
    """Open what is due by its title, and go to a part of it."""

    async def act(page: Page) -> None:
        await page.locator(f"#deployments-due >> text={title}").first.click()
        await page.wait_for_selector("#deployment-log li")
        if then:
            await page.locator(then).scroll_into_view_if_needed()
        await page.wait_for_timeout(500)

    return act


async def footage(page: Page) -> None:
    """Look for recordings of what the map shows."""
    await page.locator("#footage > summary").click()
    await page.locator("#footage-view").click()
    await page.locator("#footage-form .primary").click()
    await page.wait_for_selector("#footage-found li")
    await page.wait_for_timeout(300)


async def refused(page: Page) -> None:
    """Be refused by a camera."""
    await page.click("#discover")
    await page.wait_for_selector(".discover .camera-row")
    await page.fill("#enrol-address", "10.20.0.13")
    await page.fill("#enrol-password", "wrong")
    await page.click(".enrol form .primary")
    await page.wait_for_selector(".said.attention")


async def typed(page: Page) -> None:
    """Type the beginning of a number."""
    await live(page)
    await page.keyboard.press("1")
    await page.keyboard.press("2")


async def nine(page: Page) -> None:
    """Show nine pictures."""
    await live(page)
    await page.click("[data-layout='9']")
    await page.wait_for_timeout(2500)


async def one(page: Page) -> None:
    """Show one picture."""
    await live(page)
    await page.click("[data-layout='1']")
    await page.wait_for_timeout(2500)


async def steering(page: Page) -> None:
    """Drag in a picture."""
    await live(page)
    picture = page.locator("article[data-selected=true] .picture")
    box = await picture.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.move(*middle)
    await page.mouse.down()
    await page.mouse.move(middle[0] + 120, middle[1] - 40, steps=4)
    await page.wait_for_timeout(1200)


async def stopped(page: Page) -> None:
    """Have the pictures stand."""
    await live(page)
    await page.evaluate("window.__peer.stop = true")
    await page.wait_for_timeout(3200)


async def exporting(page: Page) -> None:
    """Choose what is exported."""
    await live(page)
    await page.keyboard.press("e")
    track = await page.locator(".track").bounding_box()
    assert track is not None
    await page.mouse.click(track["x"] + track["width"] * 0.6, track["y"] + 20)
    await page.mouse.move(track["x"] + track["width"] * 0.75, track["y"] + 20)
    await page.wait_for_timeout(300)


async def settled(page: Page) -> None:
    """Wait until the page stands."""
    await page.wait_for_timeout(1200)


async def trending(page: Page) -> None:
    """Wait for hosts to have a trend."""
    await page.wait_for_selector(".host polyline", state="attached")
    await page.wait_for_timeout(9000)


async def scrolled(page: Page) -> None:
    """Go to the second host."""
    await page.locator(".host[data-host='1']").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


async def viewers(page: Page) -> None:
    """Show who watches."""
    await page.locator(".host[data-host='0'] .viewers-open").click()
    await page.wait_for_selector(".viewers li")
    await page.locator(".viewers").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


def called_up(number: int) -> Act:
    """Call a camera up, and see how it is."""

    async def act(page: Page) -> None:
        await page.keyboard.press("Escape")
        for digit in str(number):
            await page.keyboard.press(digit)
        await page.keyboard.press("Enter")
        await page.click("#health-camera")
        await page.wait_for_selector(".checkup")
        await page.wait_for_timeout(500)

    return act


async def trends(page: Page) -> None:
    """Show what a unit told lately."""
    await called_up(12)(page)
    await page.wait_for_selector("sl-trend polyline", state="attached")
    await page.locator(".unit-trends").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


async def putting_off(page: Page) -> None:
    """Begin to put something off."""
    await page.locator(".need-put-off").first.click()
    await page.wait_for_selector(".need-form")


async def days(page: Page) -> None:
    """Show how a camera's last days went."""
    await page.click('[data-need="5 picture"] .need-check')
    await page.locator(".camera-days summary").click()
    await page.locator(".camera-days h3").evaluate("(heading) => heading.scrollIntoView()")


async def month(page: Page) -> None:
    """Show a month's availability."""
    await page.click("#health-report")
    await page.wait_for_selector(".availability table")


async def printed(page: Page) -> None:
    """Show it as it is printed."""
    await month(page)
    await page.emulate_media(media="print")


async def unit(page: Page) -> None:
    """Open a unit's page."""
    await page.click("[data-unit=D017] .unit-open")
    await page.wait_for_selector("sl-trend svg")


async def unit_below(page: Page) -> None:
    """Go to a unit's certificates."""
    await unit(page)
    await page.locator("sl-unit-certificates").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


async def unit_forget(page: Page) -> None:
    """Ask to forget which camera a unit has."""
    await unit(page)
    await page.get_by_text("Model, camera and note").click()
    await page.locator("[data-act=forget]").click()
    await page.locator("[data-act=forget]").scroll_into_view_if_needed()


async def reference(page: Page) -> None:
    """Ask to forget how a camera should look."""
    await called_up(5)(page)
    await page.wait_for_selector(".reference-view img")
    await page.locator(".reference-view").scroll_into_view_if_needed()
    await page.click("#reference-forget")


async def withdrawn(page: Page) -> None:
    """Open a withdrawn deployment whose signs hang."""
    await opened("Dumped scooters")(page)
    await page.locator(".to-photo").scroll_into_view_if_needed()


async def unit_new(page: Page) -> None:
    """Make a unit known, and its certificate."""
    await page.click("#unit-new")
    await page.fill("#new-label", "D034")
    await page.click("sl-unit-new .primary")
    await page.click("#unit-certify")
    await page.wait_for_selector("#unit-bundle")


async def unit_new_camera(page: Page) -> None:
    """Go on to a new unit's last step."""
    await unit_new(page)
    await page.click("#unit-bundle-save")
    await page.get_by_role("button", name="Go on: print its label").click()
    await page.get_by_role("button", name="Go on: its camera").click()


async def unit_labels(page: Page) -> None:
    """Choose a unit whose label is printed."""
    await page.click("#unit-labels")
    await page.check("sl-unit-labels [value=D001]")


async def wrong(page: Page) -> None:
    """Sign in with a wrong password."""
    await page.fill("#username", "mary")
    await page.fill("#password", "wrong")
    await page.click("button.primary")
    await page.wait_for_selector("#gate-problem")
