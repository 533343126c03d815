"""When a step was done, of what its sender's clock says: now, or before, and maybe by a clock that is wrong. No clock.

A phone without a network keeps a step and sends it later. By its own clock it says when the step was done and when it
is sent; how long lies between the two is right however wrong that clock is: so long before it came the step was done.
What cannot be is not refused, for the step was done all the same: then it counts from when it came, and its line says
why. But for a step that undoes another: one that waited on a phone while that was done undoes nothing.
"""

from dataclasses import dataclass, replace

from gateway.deployments.deployment import Deployment
from gateway.deployments.errors import StepError
from gateway.deployments.steps import Install, Remove, Review, SignOff, SignsDown, SignsUp, Step
from kernel.clock import NS_PER_S, utc

LATE_DAYS = 7
"""What was done longer ago than this before it was sent is not believed."""
WAY_NS = 120 * NS_PER_S
"""What is sent may be so long on its way: steps that follow each other closely may seem to have changed places."""
SET_BACK_NS = 5 * NS_PER_S
"""A clock that is kept right by its network is put right by so much at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """By the sender's clock: when a step was done, and when it was sent. ``sent_ns`` of ``None``: its clock is ours."""

    done_ns: int
    sent_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """By our clock: when a step came, when it was done, and what is to be said of how that is known."""

    came_ns: int
    at_ns: int
    clock_offset_s: float | None = None
    """How far the sender's clock is ahead (positive) or behind, with the way here; ``None``: it said nothing."""
    doubt: str = ""
    """Why what the sender said is not believed, and what that was."""
    after: bool = True
    """It was done after what it follows, as far as the sender's time tells."""


def done(told: Told | None, *, now_ns: int, follows_ns: int) -> Done:
    """Return when a step was done that comes now; ``follows_ns``: when that was done which it follows."""
    if told is None:
        return Done(now_ns, now_ns)
    sent_ns = now_ns if told.sent_ns is None else told.sent_ns
    offset_s = round((sent_ns - now_ns) / NS_PER_S, 1)
    age_ns = sent_ns - told.done_ns
    at_ns = now_ns - max(0, age_ns)
    after = age_ns >= -SET_BACK_NS and at_ns >= follows_ns - WAY_NS
    if age_ns < -SET_BACK_NS:
        why = "after it was sent"
    elif age_ns > LATE_DAYS * 86_400 * NS_PER_S:
        why = f"more than {LATE_DAYS} days before it was sent"
    elif at_ns < follows_ns - WAY_NS:
        why = "before what it follows"
    else:
        # Never later than now: what it follows may itself be ahead, where the gateway's clock was set back.
        return Done(now_ns, min(now_ns, max(at_ns, follows_ns)), offset_s)
    said = utc(told.done_ns).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Done(now_ns, now_ns, offset_s, f"the sender said {said}, {why}", after)


def recorded_when_down(then: Deployment, when: Done) -> Deployment:
    """Return a deployment whose unit was taken down, with the time in which nobody had said so and it was recorded.

    What a removal takes to come is none; and after the end of its stay nothing was recorded.
    """
    until_ns = min(when.came_ns, then.until_ns or when.came_ns)
    if when.came_ns - when.at_ns <= WAY_NS or until_ns <= when.at_ns:
        return then
    return replace(then, recorded_when_down=(*then.recorded_when_down, (when.at_ns, until_ns)))


def check_undone(known: Deployment, step: Step, when: Done) -> None:
    """Make sure that a step which undoes another was done after it.

    Raises:
        StepError: it was done before, or that cannot be told: a phone that lay without a network sends what it has.
    """
    if when.after:
        return
    if isinstance(step, Install) and known.removed_ns is not None:
        raise StepError(
            "It was taken down since this was done.",
            cure="Leave it out. Where it stands again, say it in the control room.",
        )
    if isinstance(step, Remove) and known.again_ns is not None:
        raise StepError(
            "It was put up again since this was done.", cure="Leave it out. Where it is down again, say so anew."
        )


def follows_ns(known: Deployment, step: Step) -> int:
    """Return when that was done which a step follows: nobody can have done it before."""
    before = {
        SignsUp: known.decided_ns,
        Install: known.removed_ns or known.signs_up_ns,
        SignOff: known.again_ns or known.deployed_ns,
        Review: known.deployed_ns,
        Remove: known.again_ns or known.deployed_ns,
        # Withdrawn, they may have come down before anybody said so here.
        SignsDown: known.removed_ns or known.signs_up_ns,
    }.get(type(step))
    return known.referred_ns if before is None else before
