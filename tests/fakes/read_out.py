"""What a screen reader would read out of a page while its seconds run: changes in live regions."""

from playwright.async_api import Page

LISTEN = """(within) => {
  window.ticks = 0;
  window.readOut = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest("[aria-live], [role=status], [role=alert], [role=log]");
      if (!element?.closest(within)) continue;
      if (region?.getAttribute("aria-live") === "off") window.ticks += 1;
      else if (region) window.readOut.push(target.textContent.trim());
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


async def read_out(page: Page, within: str, *, ticks: int = 2) -> list[str]:
    """Return what would be read out of a part of the page until times in it have run on for so many ticks."""
    await page.evaluate(LISTEN, within)
    await page.wait_for_function("(ticks) => window.ticks >= ticks", arg=ticks)
    said: list[str] = await page.evaluate("() => window.readOut")
    return said
