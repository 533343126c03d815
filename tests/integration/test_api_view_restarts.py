"""Views that go on while gateways come and go: who saw a camera, from when to when, is one span in the record."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from gateway.app import open_gateway
from gateway.audit.leaves import Entry
from gateway.db.audit import AuditFilter
from gateway.fleet import rpc
from kernel.clock import SystemClock
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.outside import officer, share
from tests.fakes.staying_host import StayingHost, open_staying_host
from tests.fakes.waiting import told, until

CLOCK = SystemClock()


@pytest_asyncio.fixture
async def staying(tmp_path: Path) -> AsyncIterator[StayingHost]:
    """Give a host that goes on without its gateway."""
    async with open_staying_host(tmp_path) as staying:
        yield staying


async def ended(desk: Desk) -> tuple[Entry, dict[str, Any]]:
    """Return the one end of a view in the record, once it is there, with its details."""
    (entry,) = await told(lambda: desk.audit("view.ended"), len, what="the end of the view")
    return entry, json.loads(entry.details)


async def test_a_view_that_outlives_an_orderly_stop_is_one_span(staying: StayingHost) -> None:
    """From its beginning, by the share and for the incident that it began with, to its true end."""
    async with staying.first() as desk:
        camera, pc = await desk.enrol(), await officer(desk)
        share_id = await share(desk, pc, camera, reference="INC-7")
        await desk.watch(pc.browser, camera)
        (began,) = await desk.audit("view.started")
    async with staying.next() as desk:
        ledger = desk.gateway.rooms.ledger
        await until(lambda: ledger.open_spans == 1, what="the view to be taken over")
        assert len(await desk.audit("view.started")) == 1
        assert await desk.audit("view.ended") == []
        staying.host.viewers.clear()
        entry, details = await ended(desk)
    assert (entry.span, entry.from_ns, entry.actor, entry.address) == (
        began.span, began.from_ns, began.actor, began.address,
    )  # fmt: skip
    assert (entry.rule, entry.reference) == (f"share:{share_id}", "INC-7")
    assert (details["reason"], details["adopted"]) == ("left", True)


async def test_a_view_that_ended_unheard_ended_when_it_did(staying: StayingHost) -> None:
    """The host tells the next gateway when and why; not "by now", and not twice."""
    async with staying.first() as desk:
        await desk.watch(desk.admin, await desk.enrol())
    viewer = staying.host.viewers.pop("session-1")
    at_ns = CLOCK.wall_ns()
    staying.host.unheard.append(rpc.ViewerWent(viewer=viewer, reason="its time is over", wall_ns=at_ns))
    async with staying.next() as desk:
        entry, details = await ended(desk)
        await desk.gateway.rooms.ledger.sweep()
        assert len(await desk.audit("view.started")) == len(await desk.audit("view.ended")) == 1
    assert (entry.to_ns, details["reason"]) == (at_ns, "its time is over")


async def test_a_view_that_its_host_has_no_more_lasted_to_now_at_most(staying: StayingHost) -> None:
    """A host that was started anew knows nothing of it; until it is asked the view is open."""
    async with staying.first() as desk:
        await desk.watch(desk.admin, await desk.enrol())
    before_ns = CLOCK.wall_ns()
    staying.host.viewers.clear()
    async with staying.next() as desk:
        entry, details = await ended(desk)
    assert entry.to_ns is not None
    assert entry.to_ns >= before_ns
    assert details["reason"] == "it ended while no gateway ran, by now"


async def test_a_right_that_ended_between_gateways_ends_the_view(staying: StayingHost) -> None:
    """What is taken over is looked at like everything else."""
    async with staying.first() as desk:
        camera, pc = await desk.enrol(), await officer(desk)
        await share(desk, pc, camera)
        await desk.watch(pc.browser, camera)
        async with desk.gateway.database.write() as connection:
            await connection.exec_driver_sql("UPDATE shares SET ends_ns = ?", (CLOCK.wall_ns(),))
    async with staying.next() as desk:
        await until(lambda: not staying.host.viewers, what="the view to be cut")
        _, details = await ended(desk)
    assert details["reason"] == "right ended"


async def test_a_view_of_a_camera_that_is_removed_meanwhile_has_ended(staying: StayingHost) -> None:
    """Before its host has said anything of it."""
    async with staying.first() as desk:
        camera = await desk.enrol()
        await desk.watch(desk.admin, camera)
    staying.host.refuse["viewers"] = rpc.Problem(type="host.busy", title="Busy.", status=503)
    async with staying.next() as desk:
        desk.gateway.rooms.ledger.camera_removed(desk.gateway.fleet.camera(camera).id)
        await ended(desk)


async def test_a_view_at_a_host_that_ends_with_the_gateway_ends_with_it(tmp_path: Path) -> None:
    """Where the gateway keeps its hosts running itself nothing goes on, and the record says when it stopped."""
    async with open_desk(tmp_path) as desk:
        await desk.watch(desk.admin, await desk.enrol())
    again = open_gateway(settings_in(tmp_path), clock=CLOCK, open_host=FakeHost().open)
    async with again as gateway:
        (entry,) = await gateway.trail.entries(AuditFilter(action="view.ended"), limit=10)
    assert json.loads(entry.details)["reason"] == "service stopped"
