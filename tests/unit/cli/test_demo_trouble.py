"""What is typed in the demonstration's terminal happens to its units."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.simulator.units.faults import UnitFaults
from gateway.cli.demo_trouble import MISFORTUNES, Troublemaker, obey, typed

UNITS = [
    {"label": label, "latitude": 51.5, "longitude": -0.1, "bearing_deg": 90.0, "name": "x"}
    for label in ("D001", "D002")
]


def stands(unit: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a unit was put up: not where it was at first."""
    return {"latitude": unit["latitude"] + 0.001, "longitude": -0.1, "bearing_deg": 45.0}


class Borough:
    """Notes the orders that it is given."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []

    async def order(self, order: dict[str, Any]) -> None:
        """Take one."""
        self.orders.append(order)


@pytest.mark.parametrize("word", MISFORTUNES)
async def test_each_misfortune_is_one_of_the_simulators(word: str) -> None:
    """Whatever its label's capitals are; what happens is told."""
    borough = Borough()
    said = await Troublemaker(borough, UNITS, stands).said(f"{word}  d002\n")
    assert said.startswith("D002: ")
    (order,) = borough.orders
    assert order["unit"] == "D002"
    faults = UnitFaults()
    faults.set(order["fault"])
    assert faults != UnitFaults()


async def test_what_was_carried_off_is_brought_back() -> None:
    """To where it stands by its deployment; one that was only knocked stays where it is."""
    borough = Borough()
    troublemaker = Troublemaker(borough, UNITS, stands)
    for line in ("knock D001", "back D001"):
        await troublemaker.said(line)
    assert not any("deploy" in one for one in borough.orders)
    for line in ("carry D001", "back D001"):
        await troublemaker.said(line)
    assert borough.orders[-1] == {
        "unit": "D001",
        "deploy": {"latitude": 51.501, "longitude": -0.1, "bearing_deg": 45.0, "mains": True},
    }
    off = UnitFaults(stolen=True, knocked=True, flat_battery=True, lost_link=True)
    for one in borough.orders[-5:-1]:
        off.set(one["fault"])
    assert off == UnitFaults()


@pytest.mark.parametrize("line", ["what?", "knock", "knock D009", "steal D001", "knock D001 now"])
async def test_what_is_not_understood_is_answered_with_what_can_be_typed(line: str) -> None:
    """And nothing happens."""
    borough = Borough()
    said = await Troublemaker(borough, UNITS, stands).said(line)
    assert "knock D001" in said
    assert "D002" in said
    assert borough.orders == []


async def test_an_empty_line_says_nothing() -> None:
    """Somebody wanted room on the screen."""
    assert await Troublemaker(Borough(), UNITS, stands).said("\n") == ""


async def test_lines_come_whole_however_they_are_read() -> None:
    """One that came in two pieces, two that came in one; and none after the end."""
    reading, writing = os.pipe()
    borough, told = Borough(), list[str]()
    try:
        at_work = asyncio.create_task(obey(typed(reading), Troublemaker(borough, UNITS, stands), told.append))
        for piece in (b"knock D0", b"01\nlose D002\nflat D001\n"):
            await asyncio.to_thread(os.write, writing, piece)
        os.close(writing)
        async with asyncio.timeout(60):
            await at_work
    finally:
        os.close(reading)
    assert [(one["unit"], one["fault"]) for one in borough.orders] == [
        ("D001", "knocked=on"),
        ("D002", "lost_link=on"),
        ("D001", "flat_battery=on"),
    ]
    assert len(told) == 3


async def test_nothing_is_read_of_what_is_no_terminal(tmp_path: Path) -> None:
    """A service has a file, or nothing, for its standard input."""
    (tmp_path / "input").write_text("knock D001\n")
    with (tmp_path / "input").open() as file:
        assert [line async for line in typed(file.fileno())] == []
