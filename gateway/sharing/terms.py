"""What a share may be: from when to when, of how many cameras, for whom."""

from typing import TYPE_CHECKING

from config.sharing import SharingSettings
from gateway.db.sharing import ShareRow
from gateway.sharing.errors import ShareError
from kernel.clock import NS_PER_S

if TYPE_CHECKING:
    from gateway.sharing.wishes import ShareWish

CAMERAS_MAX = 64
RECIPIENTS_MAX = 200
_MINUTE_NS = 60 * NS_PER_S
_DAY_NS = 86_400 * NS_PER_S
AHEAD_MAX_NS = 30 * _DAY_NS
"""A share for an incident begins within this."""
REVIEW_MAX_NS = 366 * _DAY_NS
"""A standing agreement is reviewed at least once a year."""
GRACE_NS = 14 * _DAY_NS
"""A share by a standing agreement ends this long after its review, where nobody has reviewed it."""


def limits_of(wish: "ShareWish", now_ns: int, settings: SharingSettings) -> tuple[int, int]:
    """Return start and end of a share as it was wished for."""
    starts_ns, ends_ns = _wished(wish, now_ns, settings)
    return starts_ns, ends_ns if wish.ends_by_ns is None else min(ends_ns, wish.ends_by_ns)


def _wished(wish: "ShareWish", now_ns: int, settings: SharingSettings) -> tuple[int, int]:
    starts_ns = wish.starts_ns if wish.starts_ns is not None else now_ns
    if wish.ends_ns is not None:
        return starts_ns, wish.ends_ns
    if wish.review_ns is not None:
        return starts_ns, wish.review_ns + GRACE_NS
    return starts_ns, starts_ns + settings.minutes * _MINUTE_NS


def checked(row: ShareRow, now_ns: int, settings: SharingSettings, people: set[str]) -> None:
    """Make sure that a share may be as it is to be; ``people`` are those of its organisation.

    Raises:
        ShareError: it may not.
    """
    if len(row.cameras) > CAMERAS_MAX:
        raise ShareError(f"A share has {CAMERAS_MAX} cameras at most.", cure="Make two of it.")
    if not row.cameras and not row.follows:
        raise ShareError("A share has a camera, or follows what you select.", cure="Name one.")
    if row.follows and len(row.cameras) > 1:
        raise ShareError(
            "A share that follows shows one camera at a time.", cure="Name the one to begin with, or none."
        )
    if row.recipients is not None:
        if not 1 <= len(row.recipients) <= RECIPIENTS_MAX:
            raise ShareError(f"A share is for 1 to {RECIPIENTS_MAX} people.", cure="Or for the whole organisation.")
        if not row.recipients <= people:
            raise ShareError("Somebody does not belong to that organisation.", cure="See who does.")
    if row.ends_ns <= max(row.starts_ns, now_ns):
        raise ShareError("The share would be over before it begins.", cure="Choose a later end, or end it.")
    if row.kind == "standing":
        _check_agreement(row, now_ns)
    else:
        _check_times(row, now_ns, settings)


def _check_agreement(row: ShareRow, now_ns: int) -> None:
    if not row.reference or row.review_ns is None:
        raise ShareError(
            "A standing share needs the agreement's reference and a review date.", cure="Give both, or an end."
        )
    if not now_ns < row.review_ns <= now_ns + REVIEW_MAX_NS:
        raise ShareError("The review date is not within a year from now.", cure="Choose a nearer one.")
    if row.ends_ns > row.review_ns + GRACE_NS:
        raise ShareError("A standing share ends 14 days after its review at the latest.", cure="Review it, then.")


def _check_times(row: ShareRow, now_ns: int, settings: SharingSettings) -> None:
    if row.review_ns is not None:
        raise ShareError("Only a standing share has a review date.", cure="Leave it out, or make it standing.")
    if row.starts_ns > now_ns + AHEAD_MAX_NS:
        raise ShareError("A share begins within 30 days.", cure="Make it later.")
    if row.ends_ns > max(row.starts_ns, now_ns) + settings.max_minutes * _MINUTE_NS:
        raise ShareError(
            f"A share runs {settings.max_minutes} minutes at most.", cure="Choose an earlier end; it can be extended."
        )


def widens(was: ShareRow, row: ShareRow) -> bool:
    """Tell whether a share gives anybody more than it did: cameras, people, detail, stills, a stick, places, time."""
    more_people = was.recipients is not None and (row.recipients is None or not row.recipients <= was.recipients)
    return (
        not set(row.cameras) <= set(was.cameras)
        or more_people
        or (was.stream == "sub" and row.stream != "sub")
        or (row.stills and not was.stills)
        or (row.may_ask_for_stick and not was.may_ask_for_stick)
        or row.viewer_limit > was.viewer_limit
        or row.ends_ns > was.ends_ns
    )
