"""Which cameras are in a group: listed ones, those of a label, those that stand in an area, those of groups below."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.db.rights import GroupRow, RightsTables
from kernel.geography import Place, inside
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a camera decides on its groups, and on whether it is shared.

    A deployable is in the groups of where it stands now; what it recorded before is in those of where it stood then.
    """

    camera: CameraId
    label: str
    """The camera's own group, as people write it."""
    place: Place | None
    withheld: bool = False
    """Nothing says why it stands there: it is kept back from everybody outside."""


def corners_of(area: str | None) -> list[tuple[float, float]]:
    """Return the corners of a stored area as (latitude, longitude)."""
    return [(float(latitude), float(longitude)) for latitude, longitude in json.loads(area)] if area else []


def cameras_of(tables: RightsTables, estate: Collection[Standing]) -> dict[str, frozenset[CameraId]]:
    """Return the cameras of every group by its identifier."""
    below: dict[str, list[str]] = {}
    for group in tables.groups:
        if group.parent_id is not None:
            below.setdefault(group.parent_id, []).append(group.id)
    listed: dict[str, set[str]] = {}
    for group_id, camera in tables.members:
        listed.setdefault(group_id, set()).add(camera)
    own = {
        group.id: frozenset(_standing_in(group, estate))
        | frozenset(one.camera for one in estate if one.camera in listed.get(group.id, ()))
        for group in tables.groups
    }
    return {
        group.id: frozenset().union(*(own[one] for one in family(group.id, below) if one in own))
        for group in tables.groups
    }


def family(group_id: str, below: dict[str, list[str]]) -> set[str]:
    """Return a group with all the groups below it, however they are tied."""
    found: set[str] = set()
    waiting = [group_id]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += below.get(one, [])
    return found


def _standing_in(group: GroupRow, estate: Iterable[Standing]) -> Iterable[CameraId]:
    corners = corners_of(group.area)
    for one in estate:
        if (group.label is not None and one.label.casefold() == group.label.casefold()) or (
            corners and one.place is not None and inside(corners, one.place)
        ):
            yield one.camera
