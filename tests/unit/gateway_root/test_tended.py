"""What is known of a unit, as signs of its health."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gateway.tended import unit_signs
from tests.fakes.clock import ManualClock
from tests.fakes.unit_voice import enrolled, unit_room


async def test_a_unit_that_people_ended_is_not_said_to_have_a_certificate_that_ran_out(
    tmp_path: Path, clock: ManualClock
) -> None:
    """It has none that is good, and nobody is told to renew what a thief may hold; one that ran out is said to have."""
    deployments: Any = SimpleNamespace(deployable=lambda _: None)
    async with unit_room(tmp_path, clock) as units:
        await enrolled(units)
        clock.jump_wall(300 * 86_400)
        await units.credentials.issue("D017")
        clock.jump_wall(300 * 86_400)
        _, newer = units.credentials.of("D017")
        for revoked, gone in ((False, (newer.expires_ns, True)), (True, (None, False))):
            if revoked:
                await units.credentials.revoke("D017", [newer.serial])
            row = units.register.unit("D017")
            signs = unit_signs(units, deployments, row, (), now_ns=clock.wall_ns())
            assert (signs.certificate_ends_ns, signs.certified) == gone
