"""Who may see what a camera recorded where it stood before: decided by that place, not by where it is now.

What it recorded after it was down, as nobody had said so yet, is of no place and should not be: it is withheld from
everybody but administrators.

That a camera may be seen at all is decided by the rights of now, before anything here is asked. What is asked here is
what those do not know: the holder of a group of an area is not given what was recorded in another one. Its stays say
where it stood, not whether it is one that moves: made a fixed one, it has recorded in those streets all the same.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from fastapi import Request

from gateway.access.groups import Standing
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.guard import decided_there, refused
from gateway.api.rooms import Rooms
from gateway.db.stays import StayRow
from gateway.deployments.stays import place_of
from gateway.fleet.cameras import Camera

_End = TypeVar("_End", int, int | None)


def standing_then(camera: Camera, stay: StayRow) -> Standing:
    """Return how a camera stood, as groups see it."""
    return Standing(camera=camera.id, label=camera.group, place=place_of(stay))


def hidden(the: Rooms, who: Identity, permission: Permission, camera: Camera, stays: Iterable[StayRow]) -> set[str]:
    """Return which of a camera's stays somebody may not see: those that are over, at places that are not theirs."""
    over = [stay for stay in stays if stay.to_ns is not None]
    if not over or _anywhere(the, who, permission, camera):
        return set()
    return {stay.id for stay in over if not the.decider.held_there(who, permission, standing_then(camera, stay))}


def _anywhere(the: Rooms, who: Identity, permission: Permission, camera: Camera) -> bool:
    """Return whether somebody may do this with a camera wherever it stood, so that no stay need be read.

    A right that holds at no place holds at all of them: by role, by a list, by the camera's own label.
    """
    return the.decider.held_there(who, permission, Standing(camera=camera.id, label=camera.group, place=None))


async def hidden_spans(
    the: Rooms, who: Identity, permission: Permission, camera: Camera, *, start_ns: int, end_ns: int | None
) -> list[tuple[int, int]]:
    """Return the times within a range at which a camera stood where somebody may not see it, the oldest first."""
    spans = withheld(the, who, camera, start_ns, end_ns)
    if not _anywhere(the, who, permission, camera):
        stays = [one for one in await the.stays.of(camera.id) if _within(one, start_ns, end_ns)]
        unseen = hidden(the, who, permission, camera, stays)
        spans += [(one.from_ns, one.to_ns) for one in stays if one.id in unseen and one.to_ns is not None]
    return together(spans)


def together(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same times in order, none of which overlap."""
    joined: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(spans):
        if joined and from_ns <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(to_ns, joined[-1][1])
        else:
            joined.append((from_ns, to_ns))
    return joined


def withheld(the: Rooms, who: Identity, camera: Camera, start_ns: int, end_ns: int | None) -> list[tuple[int, int]]:
    """Return the times within a range at which a camera was recorded after it was down, where they are not theirs."""
    if the.decider.rights(who).rule(Permission.ADMINISTER) is not None:
        return []
    spans = the.deployments.recorded_when_down(camera.description.identity.urn)
    return [one for one in spans if start_ns < one[1] and (end_ns is None or one[0] < end_ns)]


async def check_there(
    request: Request,
    the: Rooms,
    who: Identity,
    permission: Permission,
    camera: Camera,
    *,
    start_ns: int,
    end_ns: int | None,
) -> None:
    """Make sure that somebody may see all that a camera recorded in a range (``end_ns`` ``None``: from then on).

    Raises:
        ForbiddenError: a part of it was recorded where they may not.
    """
    stays = () if _anywhere(the, who, permission, camera) else await the.stays.of(camera.id)
    for stay in stays:
        if stay.to_ns is not None and _within(stay, start_ns, end_ns):
            decided_there(request, who, permission, standing_then(camera, stay))
    if withheld(the, who, camera, start_ns, end_ns):
        refused(
            request,
            who,
            Permission.ADMINISTER,
            camera.id,
            "The unit was down then, and nobody had said so: what it recorded is withheld.",
        )


def _within(stay: StayRow, start_ns: int, end_ns: int | None) -> bool:
    return (end_ns is None or stay.from_ns < end_ns) and (stay.to_ns is None or start_ns < stay.to_ns)


def without(start_ns: int, end_ns: _End, spans: Sequence[tuple[int, int]]) -> list[tuple[int, _End]]:
    """Return what is left of a range without these spans, which are in order and do not overlap."""
    left: list[tuple[int, _End]] = []
    for from_ns, to_ns in spans:
        if start_ns < from_ns and (end_ns is None or start_ns < end_ns):
            left.append((start_ns, from_ns if end_ns is None else min(from_ns, end_ns)))
        start_ns = max(start_ns, to_ns)
    if end_ns is None or start_ns < end_ns:
        left.append((start_ns, end_ns))
    return left
