"""What somebody does to the demonstration's units, by a line typed where it runs: ``knock D001``, ``back D001``."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

LINE_MAX_BYTES = 200
MISFORTUNES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "knock": ("knocked", "something hits it, and it hangs askew"),
        "carry": ("stolen", "somebody opens it and carries it off"),
        "flat": ("flat_battery", "its battery is empty in two minutes"),
        "lose": ("lost_link", "its network is gone"),
    }
)
"""By what is typed: the knob of ``drivers.simulator.units.faults``, and what happens."""
BACK = "back"


class Orders(Protocol):
    """Whoever takes orders for a simulated borough (``drivers.simulator.orders``)."""

    async def order(self, order: dict[str, Any]) -> None:
        """Give one."""


class Troublemaker:
    """Does to units what is typed. ``units`` are the borough's own facts of them, ``stands`` says where each stands."""

    def __init__(
        self, borough: Orders, units: Sequence[Mapping[str, Any]], stands: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> None:
        self._borough = borough
        self._stands = stands
        self._units = {str(unit["label"]).lower(): unit for unit in units}
        self._carried: set[str] = set()

    @property
    def usage(self) -> str:
        """Return what can be typed."""
        some = ", ".join(sorted(str(unit["label"]) for unit in self._units.values()))
        return f"Type {', '.join(MISFORTUNES)} or {BACK} and a unit ({some}), as in: knock {some.split(', ')[0]}"

    async def said(self, line: str) -> str:
        """Do what a line says; return what happens, or what can be typed."""
        words = line.lower().split()
        if not words:
            return ""
        unit = self._units.get(words[-1]) if len(words) == 2 else None
        if unit is None or words[0] not in {*MISFORTUNES, BACK}:
            return self.usage
        label = str(unit["label"])
        if words[0] == BACK:
            await self._back(unit)
            return f"{label}: all is put right, and it is where it belongs as soon as the van has brought it."
        knob, happens = MISFORTUNES[words[0]]
        if knob == "stolen":
            self._carried.add(label)
        await self._borough.order({"unit": label, "fault": f"{knob}=on"})
        return f"{label}: {happens}."

    async def _back(self, unit: Mapping[str, Any]) -> None:
        label = str(unit["label"])
        for knob, _ in MISFORTUNES.values():
            await self._borough.order({"unit": label, "fault": f"{knob}=off"})
        if label in self._carried:
            self._carried.discard(label)
            await self._borough.order({"unit": label, "deploy": {**self._stands(unit), "mains": True}})


async def obey(lines: AsyncIterator[str], troublemaker: Troublemaker, told: Callable[[str], None]) -> None:
    """Do what each line says, and tell what happens, until there are no more."""
    async for line in lines:
        answer = await troublemaker.said(line)
        if answer:
            told(answer)


async def typed(descriptor: int | None = None) -> AsyncIterator[str]:
    """Yield the lines that are typed at a terminal or come through a pipe (standard input); of anything else none.

    It stays blocking, and is read only where there is something: a terminal is shared with standard output. It is also
    shared with the shell that we may have been put in the background of, and then it is the shell's alone from then on.
    """
    if descriptor is None:
        descriptor = sys.stdin.fileno()
    mode = os.fstat(descriptor).st_mode
    if not (os.isatty(descriptor) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    rest = b""
    while True:
        await _readable(descriptor)
        if os.isatty(descriptor) and os.tcgetpgrp(descriptor) != os.getpgrp():
            return
        said = await asyncio.to_thread(os.read, descriptor, LINE_MAX_BYTES)
        if not said:
            return
        *whole, rest = (rest + said).split(b"\n")
        rest = rest[-LINE_MAX_BYTES:]
        for line in whole:
            yield line.decode(errors="replace")


async def _readable(descriptor: int) -> None:
    readable, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
