"""Outlets at the camera hosts: cameras for partners' own systems, over RTSPS; granted, changed and taken away."""

import asyncio
from collections.abc import Iterable, Sequence

from gateway.fleet.granted import Granted, OutletPath, OutletSaid
from gateway.fleet.links import HostLink
from gateway.fleet.outlets import Outlet


class HostOutlets:
    """Those of a fleet."""

    def __init__(self, granted: Granted, links: Sequence[HostLink]) -> None:
        self._granted = granted
        self._links = links

    def load(self, outlets: Iterable[Outlet]) -> None:
        """Tell which outlets there are: once, when the gateway has started and knows.

        Until then every host keeps those that it has, so that a restart of the gateway interrupts no partner; from then
        on a host has exactly these, and after its own restart gets them again. What ended in between ends now.
        """
        self._granted.replace(outlets)
        for link in self._links:
            link.tell_outlets_soon()

    async def put(self, outlet: Outlet) -> OutletSaid:
        """Grant an outlet, or change one that has this identifier. Saying the same again changes nothing.

        It holds from the call on, and returns once every host that can be reached has it: the views which a changed
        outlet does not cover any more (another camera, stream, network, credential, fewer viewers) have been sent their
        last picture then. The numbers in ``outlet.cameras`` are looked up anew; cameras that are not enrolled are left
        out. Never raises for a host: one that cannot be told is in ``late``, and is told once it is linked.
        """
        self._granted.put(outlet)
        return await self._say(outlet.id)

    async def remove(self, outlet: str) -> OutletSaid:
        """Take an outlet away: its views end at once, and its address and credential give 401 from then on.

        One that is not there is no error. Never raises for a host: one that cannot be told is in ``late``; views may go
        on there until it is linked again, or until the outlet's own end.
        """
        self._granted.remove(outlet)
        return await self._say(outlet)

    def paths(self, outlet: str) -> tuple[OutletPath, ...]:
        """Return where the cameras of an outlet are taken, as far as their hosts have said on which port."""
        return tuple(
            OutletPath(camera.id, link.outlet_port, f"/{one.name}/{camera.number}")
            for link in self._links
            if link.outlet_port is not None and (one := self._granted.of_host(link.index).get(outlet)) is not None
            for camera in one.cameras
        )

    async def _say(self, outlet: str) -> OutletSaid:
        answers = await asyncio.gather(*(link.say_outlet(outlet) for link in self._links))
        return OutletSaid(
            ended=sum(one.ended for one in answers if one is not None),
            late=tuple(index for index, one in enumerate(answers) if one is None),
        )
