"""Who answers for a share, and until when they may give what is in it."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.access.errors import ForbiddenError
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.rooms import Rooms
from gateway.api.times import iso
from gateway.db.sharing import ShareRow
from gateway.sharing import ShareChange
from kernel.ids import CameraId


def may_until_ns(the: Rooms, who: Identity, cameras: Iterable[CameraId]) -> int | None:
    """Return until when somebody may share all of these cameras as things stand: ``None`` is without an end.

    What they may share by a grant, or by the glass, ends with it.
    """
    ends_ns = {grant.id: grant.ends_ns for grant in the.decider.tables().grants}
    rights = [right for right in the.decider.rights(who).each if Permission.SHARE in right.permissions]
    soonest_ns = None
    for camera in cameras:
        ends = [ends_ns.get(one.rule.partition(":")[2]) for one in rights if one.allows(Permission.SHARE, camera)]
        known = [end for end in ends if end is not None]
        if known and len(known) == len(ends):
            latest_ns = max(known)
            soonest_ns = latest_ns if soonest_ns is None else min(soonest_ns, latest_ns)
    return soonest_ns


def answered(the: Rooms, who: Identity, row: ShareRow, change: ShareChange) -> ShareChange:
    """Return a change with who answers for the share from then on, and an end that they may give.

    Who extends somebody else's share takes it over, or puts a camera in that the other may not share. One that follows
    goes on following whoever made it.

    Raises:
        ForbiddenError: they may not share the cameras for as long as the share would last.
    """
    cameras = change.cameras if change.cameras is not None else row.cameras
    extending = change.ends_ns is not None and change.ends_ns > row.ends_ns
    may = the.decider.rights_of(row.made_by).cameras(Permission.SHARE)
    beyond = may is not None and not set(cameras) <= may
    taking = row.made_by != who.user_id and not row.follows and (extending or beyond)
    if not extending and not taking:
        return change
    until_ns = may_until_ns(the, who, cameras)
    ends_ns = change.ends_ns if change.ends_ns is not None else row.ends_ns
    if until_ns is not None and until_ns < ends_ns:
        # Never sooner than without them, unless that is what they wish.
        if until_ns <= row.ends_ns:
            raise ForbiddenError(
                f"You may share its cameras until {iso(until_ns)} only.", cure="Ask somebody who may for longer."
            )
        change = replace(change, ends_ns=until_ns)
    return replace(change, made_by=who.user_id, maker=who.name) if taking else change
