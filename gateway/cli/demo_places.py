"""The demonstration's units are where people say that they put them up.

A true unit is carried there by whoever says so, before they say it. Nobody is there to carry a simulated one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.demo_trouble import MISFORTUNES, Orders
from gateway.deployments.deployment import Deployment
from gateway.deployments.service import Deployments, Taken

INSTALLED = "installed"


class Carrier:
    """Has each unit stand where its deployment says. ``units`` are the borough's own facts of them."""

    def __init__(self, deployments: Deployments, borough: Orders, units: Sequence[Mapping[str, Any]]) -> None:
        self._deployments = deployments
        self._borough = borough
        self._units = {str(unit["urn"]): unit for unit in units}
        self._said: dict[str, Deployment] = {}
        """Where units were put up and are not yet, by the endpoint references of their cameras."""
        self._news = asyncio.Event()

    def stands(self, unit: Mapping[str, Any]) -> dict[str, Any]:
        """Return where a unit stands by its deployment, else where it began: a place and a bearing, in degrees."""
        known = self._deployments.standing(str(unit["urn"]))
        return _spot(known, unit) if known is not None else {name: unit[name] for name in _SPOT}

    async def settle(self) -> None:
        """Have those that stand by a deployment be there, as a demonstration begins anew."""
        for urn, unit in self._units.items():
            if self._deployments.standing(urn) is not None:
                await self._order(unit, self.stands(unit))

    async def run(self) -> None:
        """Carry each to where it is put up, for ever, with all put right that happened to it before."""
        leave = self._deployments.follow(self._heard)
        try:
            # What was put up while nobody listened.
            await self.settle()
            while True:
                await self._news.wait()
                self._news.clear()
                while self._said:
                    urn, known = self._said.popitem()
                    unit = self._units[urn]
                    for knob, _ in MISFORTUNES.values():
                        await self._borough.order({"unit": unit["label"], "fault": f"{knob}=off"})
                    await self._order(unit, _spot(known, unit))
        finally:
            leave()

    def _heard(self, taken: Taken) -> None:
        known = taken.deployment
        if taken.entry.step == INSTALLED and known.urn in self._units:
            self._said[known.urn] = known
            self._news.set()

    async def _order(self, unit: Mapping[str, Any], spot: Mapping[str, Any]) -> None:
        await self._borough.order({"unit": unit["label"], "stand": {**spot, "mains": True}})


_SPOT = ("latitude", "longitude", "bearing_deg")


def _spot(known: Deployment, unit: Mapping[str, Any]) -> dict[str, Any]:
    bearing_deg = unit["bearing_deg"] if known.bearing_deg is None else known.bearing_deg
    place = known.place
    return {"latitude": place.latitude_deg, "longitude": place.longitude_deg, "bearing_deg": bearing_deg}
