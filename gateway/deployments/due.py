"""What of the deployments needs a person, and since when. No clock, no database."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.deployments.deployment import DAY_NS, Deployment, Stage
from gateway.deployments.why import Why
from kernel.clock import NS_PER_S

SIGN_OFF_NS = 3600 * NS_PER_S
"""Whoever puts a unit up is done with it within this."""

URGENCY = tuple(Why)
"""The most urgent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing that is to be done by an instant."""

    deployment: Deployment
    why: Why
    by_ns: int
    overdue: bool


def due(known: Iterable[Deployment], *, now_ns: int, warn_days: int, evaluation_days: int) -> list[Due]:
    """Return everything that is to be done now or before long: what is overdue first, then by urgency and time."""
    found = [
        Due(deployment=one, why=why, by_ns=by_ns, overdue=by_ns <= now_ns)
        for one in known
        for why, by_ns, warned_ns in _of(one, warn_days * DAY_NS, evaluation_days * DAY_NS)
        if warned_ns <= now_ns
    ]
    return sorted(found, key=lambda one: (not one.overdue, URGENCY.index(one.why), one.by_ns, one.deployment.id))


def _of(one: Deployment, warn_ns: int, evaluation_ns: int) -> Iterable[tuple[Why, int, int]]:
    """Give what is to be done of one, by when, and from when on it is said."""
    if since := [*one.alarms.values(), *(unseen.since_ns for unseen in one.unseen.values())]:
        yield Why.ALARM, min(since), 0
    since_ns = one.removed_ns or one.withdrawn_ns
    if one.signs_hang and since_ns is not None:
        yield Why.SIGNS, since_ns, since_ns
    if one.stage is Stage.REFERRED:
        yield Why.DECISION, one.referred_ns + warn_ns, one.referred_ns
    elif one.stage is Stage.DEPLOYED:
        assert one.deployed_ns is not None
        assert one.until_ns is not None
        assert one.review_ns is not None
        ended = one.lapsed_ns is not None
        yield (Why.OVERSTAYED if ended else Why.STAY), one.until_ns, one.until_ns - warn_ns
        if one.signed_off_ns is None:
            by_ns = (one.again_ns or one.deployed_ns) + SIGN_OFF_NS
            yield Why.SIGN_OFF, by_ns, by_ns
        if not one.needed:
            yield Why.UNNEEDED, one.review_ns, 0
        elif one.review_ns < one.until_ns:
            yield Why.REVIEW, one.review_ns, one.review_ns - warn_ns
    elif one.stage is Stage.REMOVED:
        assert one.removed_ns is not None
        by_ns = one.removed_ns + evaluation_ns
        yield Why.EVALUATION, by_ns, by_ns - warn_ns
