"""Outlets at the gateway: each host has what is its, is told again after its restart, and nothing outlives its end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.fleet import rpc
from gateway.fleet.outlets import Outlet
from tests.fakes.clock import settle
from tests.fakes.rtsps import CAMERA, outlet
from tests.fakes.waiting import PATIENCE_S, until
from tests.unit.fleet.test_links import Site, assignment

OUTLET = outlet()


class OutletSite(Site):
    """A site whose link knows of outlets."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.outlets: dict[str, Outlet] = {}
        self.known = True
        self.link._outlets = lambda _: self.outlets
        self.link._outlets_known = lambda: self.known
        self.want(assignment(CAMERA))


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[OutletSite]:
    """Return a site whose link runs; its host does not yet."""
    site = OutletSite(tmp_path)
    async with site.link.client, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(site.link.run())
        yield site
        running.cancel()


async def test_a_host_that_comes_back_has_its_outlets_again(site: OutletSite) -> None:
    """What was put while the host was away, or lost with it, is put once it is linked."""
    site.outlets = {OUTLET.id: OUTLET}
    assert await site.link.say_outlet(OUTLET.id) is None
    async with site.host_runs():
        await site.is_up()
        assert site.host.outlets == {OUTLET.id: OUTLET}


async def test_what_ended_while_a_host_was_away_ends_with_the_link(site: OutletSite) -> None:
    """A host that still has an outlet which is over loses it before the link is up."""
    site.host.outlets = {OUTLET.id: OUTLET}
    async with site.host_runs():
        await site.is_up()
        assert site.host.outlets == {}


async def test_a_gateway_that_does_not_know_yet_leaves_partners_alone(site: OutletSite) -> None:
    """Before the outlets are loaded a restarted gateway takes none away; what is the same is not said again."""
    site.known = False
    site.host.outlets = {OUTLET.id: OUTLET}
    async with site.host_runs():
        await site.is_up()
        assert site.host.outlets == {OUTLET.id: OUTLET}
        site.known, site.outlets = True, {OUTLET.id: OUTLET}
        await site.link._tell_outlets()
        assert not [one for one in site.host.asked if one.startswith("PUT /outlets")]


async def test_a_refused_outlet_does_not_break_the_link(site: OutletSite) -> None:
    """A host without the door keeps its cameras linked; the outlet is late."""
    site.outlets = {OUTLET.id: OUTLET}
    site.host.refuse["outlets"] = rpc.Problem(type="live.outlets-off", title="Off.", status=409)
    async with site.host_runs():
        assert await asyncio.wait_for(site.link.say_outlet(OUTLET.id), PATIENCE_S) is None
        del site.host.refuse["outlets"]
        await site.is_up()
        await until(lambda: site.host.outlets, what="the outlet")


async def test_outlets_are_told_before_cameras(site: OutletSite) -> None:
    """What has ended meanwhile is closed first, however long the cameras take."""
    site.outlets = {OUTLET.id: OUTLET}
    site.host.outlets = {"old": outlet(id="old", name="old")}
    async with site.host_runs():
        await site.is_up()
        assert site.told() == ["DELETE /outlets/old", f"PUT /outlets/{OUTLET.id}", f"PUT /cameras/{CAMERA}"]


async def test_a_late_word_does_not_undo_a_newer_one(site: OutletSite) -> None:
    """A put that waits on its way is over before the removal is said; then the host has the outlet no more."""
    async with site.host_runs():
        await site.is_up()
        site.outlets = {OUTLET.id: OUTLET}
        site.host.slow.clear()
        putting = asyncio.create_task(site.link.say_outlet(OUTLET.id))
        await until(lambda: f"PUT /outlets/{OUTLET.id}" in site.host.asked, what="the put on its way")
        site.outlets = {}
        removing = asyncio.create_task(site.link.say_outlet(OUTLET.id))
        await settle()
        assert f"DELETE /outlets/{OUTLET.id}" not in site.host.asked
        site.host.slow.set()
        await asyncio.gather(putting, removing)
        assert site.host.outlets == {}


async def test_a_host_that_is_slow_to_hear_of_one_outlet_hears_of_another(site: OutletSite) -> None:
    """Words about two outlets do not wait for each other."""
    other = outlet(id="share-42", name="met-42")
    async with site.host_runs():
        await site.is_up()
        site.outlets = {OUTLET.id: OUTLET, other.id: other}
        site.host.slow.clear()
        words = [asyncio.create_task(site.link.say_outlet(one)) for one in site.outlets]
        await until(lambda: len([one for one in site.host.asked if "outlets/" in one]) == 2, what="both on their way")
        site.host.slow.set()
        await asyncio.gather(*words)


@pytest.mark.parametrize("changed", [{"networks": ("nowhere",)}, {"name": "A b"}, {"viewers_max": 0}])
def test_an_outlet_that_cannot_be_is_refused(changed: dict[str, Any]) -> None:
    """Names that no address can hold, networks that are none, and places for nobody."""
    with pytest.raises(ValueError, match=next(iter(changed))):
        outlet(**changed)
