"""Style sheets: one name is one thing on a page."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import gateway.console

STATIC = Path(gateway.console.__file__).with_name("static")
RESHAPED = {"centre", "side", "tile", "room", "callup", "who-name", "sections"}
"""Parts of the house that a later sheet gives other rows or columns on purpose."""


def bare(sheet: str) -> set[str]:
    """Return the classes that a sheet styles wherever they stand: ``.name {``."""
    text = re.sub(r"/\*.*?\*/", "", (STATIC / "css" / sheet).read_text(encoding="utf-8"), flags=re.DOTALL)
    # Sizes and media come after, and change what stands before them.
    text = text.split("@media")[0]
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", text) for one in rule.split(",")]
    return {one[1:] for one in selectors if re.fullmatch(r"\.[a-z][\w-]*", one)}


@pytest.mark.parametrize("page", ["index.html", "watch.html", "field.html"])
def test_no_class_is_two_things_on_a_page(page: str) -> None:
    """A held stretch of the timeline and a right that somebody holds were once called the same, and drawn as one."""
    sheets = re.findall(r"/static/css/([\w-]+\.css)", (STATIC / page).read_text(encoding="utf-8"))
    assert len(sheets) >= 5
    where: dict[str, list[str]] = defaultdict(list)
    for sheet in sheets:
        for name in bare(sheet):
            where[name].append(sheet)
    twice = {name: found for name, found in where.items() if len(found) > 1 and name not in RESHAPED}
    assert {name: found for name, found in twice.items() if not any("narrow" in sheet for sheet in found)} == {}
