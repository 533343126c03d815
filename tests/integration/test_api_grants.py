"""Grants that begin and end by the clock."""

import json
from datetime import timedelta
from pathlib import Path

from kernel.clock import utc
from tests.fakes.desk import open_desk
from tests.fakes.leaping import LeapingClock
from tests.fakes.waiting import until
from tests.integration.test_api_rights import made, member


async def test_a_grant_begins_and_ends_by_the_clock(tmp_path: Path) -> None:
    """Before its start and after its end it gives nothing; what it carried ends with it."""
    clock = LeapingClock()
    async with open_desk(tmp_path, clock=clock) as desk:
        camera = await desk.enrol()
        client, user = await member(desk)
        now = utc(clock.wall_ns())
        await made(desk, "grants", role="viewer", user=user, start=(now + timedelta(hours=1)).isoformat())
        assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 403
        await made(desk, "grants", role="viewer", user=user, end=(now + timedelta(minutes=5)).isoformat())
        await desk.watch(client, camera)
        clock.leap(300)
        await until(lambda: not desk.host.viewers, timeout_s=20, what="the end of the view")
        assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 403
        (ended,) = await desk.audit("view.ended")
    assert json.loads(ended.details)["reason"] == "right ended"
