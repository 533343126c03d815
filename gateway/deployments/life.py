"""The life of a deployment: which step may follow, who may take it, and what there is after it. No clock, no database.

::

    referred ─┬─ granted ── planned ── deployed ⇄ removed ── evaluated
              ├─ refused       signs up before   │    signs down before the evaluation
              │                                  signed off by whoever put it up
              └─ withdrawn (also when granted or planned)
                    signs that were up come down
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gateway.deployments import alarms
from gateway.deployments.deployment import DAY_NS, Deployment, Reminded, Stage
from gateway.deployments.done import WAY_NS
from gateway.deployments.errors import DeciderError, StepError, WishError
from gateway.deployments.hands import Hand, Right, Rules
from gateway.deployments.steps import (
    NAMES,
    Acknowledge,
    Bind,
    Check,
    Delete,
    Document,
    DocumentKind,
    Erase,
    Evaluate,
    Extend,
    Grant,
    Hung,
    Install,
    Lapse,
    Note,
    Photo,
    PhotoKind,
    Picture,
    Plan,
    Raise,
    Referral,
    Refuse,
    Remind,
    Remove,
    Review,
    SignOff,
    SignsDown,
    SignsUp,
    Step,
    Tick,
    Unpictured,
    Withdraw,
)
from kernel.geography import distance_m


@dataclass(frozen=True, slots=True)
class Allowed:
    """From which stages a step may be taken, where it leads (``None``: nowhere else), and who takes it."""

    stages: frozenset[Stage]
    to: Stage | None
    right: Right


_UNDECIDED = frozenset({Stage.REFERRED})
_BEFORE = frozenset({Stage.REFERRED, Stage.GRANTED, Stage.PLANNED})
_STANDS = frozenset({Stage.DEPLOYED})
_DOWN = frozenset({Stage.REMOVED})
ALLOWED: dict[type[Step], Allowed] = {
    Check: Allowed(_UNDECIDED, None, Right.DEPLOY),
    Document: Allowed(_BEFORE | _STANDS | _DOWN | {Stage.EVALUATED}, None, Right.DEPLOY),
    Note: Allowed(frozenset(Stage), None, Right.DEPLOY),
    Photo: Allowed(_BEFORE | _STANDS | _DOWN | {Stage.WITHDRAWN}, None, Right.DEPLOY),
    Grant: Allowed(_UNDECIDED, Stage.GRANTED, Right.DECIDE),
    Refuse: Allowed(_UNDECIDED, Stage.REFUSED, Right.DECIDE),
    Withdraw: Allowed(_BEFORE, Stage.WITHDRAWN, Right.DEPLOY),
    Plan: Allowed(frozenset({Stage.GRANTED, Stage.PLANNED}), Stage.PLANNED, Right.DEPLOY),
    SignsUp: Allowed(frozenset({Stage.PLANNED}), None, Right.DEPLOY),
    Install: Allowed(frozenset({Stage.PLANNED}) | _DOWN, Stage.DEPLOYED, Right.DEPLOY),
    SignOff: Allowed(_STANDS, None, Right.DEPLOY),
    Bind: Allowed(_STANDS, None, Right.DEPLOY),
    Review: Allowed(_STANDS, None, Right.DEPLOY),
    Extend: Allowed(_STANDS, None, Right.DECIDE),
    Hung: Allowed(_STANDS, None, Right.CLOCK),
    Raise: Allowed(_STANDS | _DOWN | {Stage.EVALUATED}, None, Right.CLOCK),
    Acknowledge: Allowed(_STANDS | _DOWN, None, Right.DEPLOY),
    Picture: Allowed(_STANDS, None, Right.CLOCK),
    Unpictured: Allowed(_STANDS | _DOWN, None, Right.CLOCK),
    Delete: Allowed(_STANDS | _DOWN | {Stage.EVALUATED}, None, Right.CLOCK),
    Remind: Allowed(_UNDECIDED | _STANDS | _DOWN | {Stage.WITHDRAWN}, None, Right.CLOCK),
    Lapse: Allowed(_STANDS, None, Right.CLOCK),
    Remove: Allowed(_STANDS, Stage.REMOVED, Right.DEPLOY),
    Erase: Allowed(_STANDS | _DOWN | {Stage.EVALUATED}, None, Right.DEPLOY),
    SignsDown: Allowed(_DOWN | {Stage.WITHDRAWN}, None, Right.DEPLOY),
    Evaluate: Allowed(frozenset({Stage.REMOVED, Stage.EVALUATED}), Stage.EVALUATED, Right.DEPLOY),
}
"""Every step that there is. What it takes beyond this is in the step's own function below."""


def begun(referral: Referral, by: Hand, *, id_: str, now_ns: int) -> Deployment:
    """Return a deployment that was just referred."""
    if Right.DEPLOY not in by.rights:
        raise StepError("You may not refer a problem.", cure="Ask a supervisor.")
    return Deployment(
        id=id_,
        stage=Stage.REFERRED,
        title=referral.title,
        problem=referral.problem,
        evidence=referral.evidence,
        alternatives=referral.alternatives,
        purpose=referral.purpose,
        referred_by=referral.referred_by,
        referrer=by.user_id,
        referred_ns=now_ns,
        place=referral.place,
        street=referral.street,
    )


def after(known: Deployment, step: Step, by: Hand, *, rules: Rules, now_ns: int) -> Deployment:
    """Return the deployment after a step that was done at ``now_ns``, and that is settled.

    Raises:
        StepError: it may not follow now, not by this hand, or lacks what must come first.
        DeciderError: somebody else must decide.
        WishError: what is said cannot be.
    """
    allowed = ALLOWED[type(step)]
    if allowed.right not in by.rights:
        raise StepError("You may not take this step.", cure="Ask a supervisor.")
    if known.stage not in allowed.stages:
        raise StepError(
            f"A deployment that is {known.stage.value} cannot be {NAMES[type(step)]} now.", cure="Load it again."
        )
    if allowed.right is Right.DECIDE:
        _check_decider(known, by, rules)
    taken = _TAKEN[type(step)](known, step, by, rules, now_ns)
    return replace(taken, stage=allowed.to or taken.stage, entries=known.entries + 1)


def _check_decider(known: Deployment, by: Hand, rules: Rules) -> None:
    if not by.person:
        raise DeciderError("A decision is signed by a person.", cure="Sign in, and decide it yourself.")
    if rules.two_people and by.user_id == known.referrer:
        raise DeciderError("You referred this yourself.", cure="Somebody else must decide.")


def settled(known: Deployment, step: Step, *, rules: Rules, now_ns: int) -> Step:
    """Return a step with what the plan says where its sender said nothing, for its line: when the next review is."""
    if isinstance(step, Review) and step.next_ns is None:
        days = min(known.review_days, rules.review_days)
        return replace(step, next_ns=now_ns + days * DAY_NS)
    return step


def _checked(known: Deployment, step: Check, _by: Hand, rules: Rules, _now_ns: int) -> Deployment:
    if step.criterion not in rules.criteria:
        raise WishError("That is none of the criteria here.", cure="Load the criteria again.")
    return replace(known, met={**known.met, step.criterion: step.met})


def _documented(known: Deployment, step: Document, _by: Hand, _rules: Rules, _now_ns: int) -> Deployment:
    return replace(known, documents=known.documents | {step.kind})


def _photographed(known: Deployment, step: Photo, _by: Hand, _rules: Rules, _now_ns: int) -> Deployment:
    _check_signs(known)
    if step.sha256 in known.photos:
        raise WishError("That photo is here already.", cure="Send another.")
    return replace(known, photos={**known.photos, step.sha256: step.kind})


def _check_signs(known: Deployment) -> None:
    if known.stage is Stage.WITHDRAWN and known.signs_up_ns is None:
        raise StepError("It was withdrawn, and its signs were not up.", cure="Refer it anew where it is wanted.")


def _check_photo(known: Deployment, kind: PhotoKind, rules: Rules) -> None:
    if rules.sign_photos and kind not in known.photos.values():
        raise StepError("There is no photo of it.", cure="Take one, and send it first.")


def _granted(known: Deployment, step: Grant, by: Hand, rules: Rules, now_ns: int) -> Deployment:
    open_ = [one for one in rules.criteria if not known.met.get(one, False)]
    if open_:
        unmet = any(one in known.met for one in open_)
        raise StepError(
            f"{len(open_)} of {len(rules.criteria)} criteria are {'not met' if unmet else 'not checked'}: {open_[0]}.",
            cure="Check them with what was found; where one stays unmet, refuse.",
        )
    missing = {DocumentKind.DPIA, DocumentKind.AUTHORITY} - known.documents
    if missing:
        raise StepError(
            f"Not linked yet: {', '.join(sorted(missing))}.", cure="Link the impact assessment and the authority."
        )
    if not 1 <= step.max_days <= rules.max_days:
        raise WishError(f"A stay is granted for 1 to {rules.max_days} days.", cure="Grant less; it can be extended.")
    return replace(
        known,
        decider=by.user_id,
        decided_by=by.name,
        decided_ns=now_ns,
        max_days=step.max_days,
        granted_place=known.place,
    )


def _refused(known: Deployment, _step: Refuse, by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    return replace(known, decider=by.user_id, decided_by=by.name, decided_ns=now_ns)


def _withdrawn(known: Deployment, _step: Withdraw, _by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    return replace(known, withdrawn_ns=now_ns)


def _unchanged(known: Deployment, _step: Step, _by: Hand, _rules: Rules, _now_ns: int) -> Deployment:
    return known


def _planned(known: Deployment, step: Plan, _by: Hand, rules: Rules, _now_ns: int) -> Deployment:
    if not 1 <= step.review_days <= rules.review_days:
        raise WishError(f"It is reviewed every 1 to {rules.review_days} days.", cure="Choose fewer days.")
    return replace(
        known,
        urn=step.urn,
        unit=step.unit,
        responsible=step.responsible,
        review_days=step.review_days,
        mount=step.mount,
    )


def _signs_up(known: Deployment, _step: SignsUp, _by: Hand, rules: Rules, now_ns: int) -> Deployment:
    _check_photo(known, PhotoKind.SIGN_UP, rules)
    return replace(known, signs_up_ns=known.signs_up_ns or now_ns)


def check_again(known: Deployment, by: Hand, now_ns: int) -> None:
    """Make sure that what was removed may be put up again now: a removal that was none is taken back, and no more.

    Raises:
        StepError: it may not; another place, or a later time, takes a referral and a decision.
    """
    assert known.removed_ns is not None
    assert known.until_ns is not None
    if not by.person:
        raise StepError("What was taken down is put up again by people.", cure="Sign in, and say it yourself.")
    if known.signs_down_ns is not None:
        raise StepError("Its signs are down.", cure="Refer it anew.")
    if now_ns - known.removed_ns > DAY_NS:
        raise StepError("It was taken down more than 24 hours ago.", cure="Refer it anew.")
    if now_ns >= known.until_ns:
        raise StepError("The time that was granted is over.", cure="Refer it anew.")


def _installed(known: Deployment, step: Install, by: Hand, rules: Rules, now_ns: int) -> Deployment:
    if known.signs_up_ns is None:
        raise StepError("The signs are not up yet.", cure="Put them up, and say so, before the camera.")
    if step.unit != known.unit:
        raise WishError(
            f"{step.unit} was put up, and {known.unit} is planned.",
            cure=f"Plan it with {step.unit} and try again, or put up {known.unit}.",
        )
    assert known.granted_place is not None
    off_m = distance_m(known.granted_place, step.place)
    if off_m > rules.spread_m:
        raise WishError(
            f"That is {off_m:.0f} m from the place that was granted; {rules.spread_m:.0f} m are allowed.",
            cure="Put it up where it was granted, or refer the other place.",
        )
    placed = replace(
        known,
        place=step.place,
        street=step.street or known.street,
        bearing_deg=step.bearing_deg,
        accuracy_m=step.accuracy_m,
    )
    if known.stage is Stage.REMOVED:
        check_again(known, by, now_ns)
        away = (*known.away, (known.removed_ns or now_ns, now_ns))
        # Its time goes on as it was granted; how it hangs, and who answers for that, are to be said anew.
        anew = replace(placed, level=None, signed_off_ns=None, signed_off_by="")
        return replace(anew, again_ns=now_ns, removed_ns=None, away=away)
    until_ns = now_ns + known.max_days * DAY_NS
    return replace(
        placed,
        deployed_ns=now_ns,
        until_ns=until_ns,
        review_ns=min(until_ns, now_ns + known.review_days * DAY_NS),
    )


def _signed_off(known: Deployment, step: SignOff, by: Hand, rules: Rules, now_ns: int) -> Deployment:
    if step.unit != known.unit:
        raise WishError(f"{step.unit} was signed off, and {known.unit} stands here.", cure="Scan the unit again.")
    open_ = [tick for tick in Tick if tick not in step.ticks]
    if open_:
        raise StepError(f"Not ticked yet: {', '.join(open_)}.", cure="Do it, and sign off then.")
    _check_photo(known, PhotoKind.UNIT, rules)
    since_ns = known.again_ns or known.deployed_ns
    assert since_ns is not None
    # A picture of before it was taken down says nothing of how it was left.
    if not since_ns - WAY_NS <= step.live_ns <= now_ns + WAY_NS:
        raise StepError("Its picture was not seen live since it was put up.", cure="Look at it, and sign off then.")
    if known.signed_off_ns is not None:
        return known
    return replace(known, signed_off_ns=now_ns, signed_off_by=by.name)


def _reviewed(known: Deployment, step: Review, _by: Hand, rules: Rules, now_ns: int) -> Deployment:
    assert step.next_ns is not None
    if not now_ns < step.next_ns <= now_ns + rules.review_days * DAY_NS:
        raise WishError(f"The next review is within {rules.review_days} days from now.", cure="Choose another date.")
    return replace(known, needed=step.needed, review_ns=step.next_ns)


def _extended(known: Deployment, step: Extend, _by: Hand, rules: Rules, now_ns: int) -> Deployment:
    assert known.until_ns is not None
    if not known.needed:
        raise StepError("The last review found that it is not needed any more.", cure="Review it again, or remove it.")
    if not max(now_ns, known.until_ns) < step.until_ns <= now_ns + rules.max_days * DAY_NS:
        raise WishError(
            f"A longer stay ends after {rules.max_days} days from now at the latest, and later than the one before.",
            cure="Choose another date.",
        )
    return replace(known, until_ns=step.until_ns, lapsed_ns=None)


def _reminded(known: Deployment, step: Remind, _by: Hand, _rules: Rules, _now_ns: int) -> Deployment:
    said = Reminded(step.by_ns, step.overdue)
    if known.reminded.get(step.why) == said:
        raise StepError("That was said already.", cure="")
    return replace(known, reminded={**known.reminded, step.why: said})


def _lapsed(known: Deployment, _step: Lapse, _by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    if known.lapsed_ns is not None or known.valid(now_ns):
        raise StepError("Its time is not over.", cure="")
    return replace(known, lapsed_ns=now_ns)


def _removed(known: Deployment, _step: Remove, by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    if not by.person:
        raise StepError("A unit is taken down by people.", cure="Sign in, and say it yourself.")
    # Sent late, it says why the unit left its place meanwhile: it was in the van. What was raised before waits on.
    unseen = {kind: one for kind, one in known.unseen.items() if one.since_ns <= now_ns}
    return replace(known, removed_ns=now_ns, alarms={}, unseen=unseen)


def _signs_down(known: Deployment, _step: SignsDown, _by: Hand, rules: Rules, now_ns: int) -> Deployment:
    _check_signs(known)
    _check_photo(known, PhotoKind.SIGN_DOWN, rules)
    return replace(known, signs_down_ns=known.signs_down_ns or now_ns)


def _evaluated(known: Deployment, _step: Evaluate, _by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    if known.signs_down_ns is None:
        raise StepError("The signs are not down yet.", cure="Take them down, and say so, first.")
    if known.unseen:
        raise StepError("An alarm of its unit is not acknowledged yet.", cure="Acknowledge it first.")
    return replace(known, evaluated_ns=now_ns)


_TAKEN: dict[type[Step], Callable[[Deployment, Any, Hand, Rules, int], Deployment]] = {
    Check: _checked,
    Document: _documented,
    Note: _unchanged,
    Photo: _photographed,
    Grant: _granted,
    Refuse: _refused,
    Withdraw: _withdrawn,
    Plan: _planned,
    SignsUp: _signs_up,
    Install: _installed,
    SignOff: _signed_off,
    Bind: _unchanged,
    Review: _reviewed,
    Extend: _extended,
    Hung: alarms.hung,
    Raise: alarms.raised,
    Acknowledge: alarms.acknowledged,
    Picture: alarms.pictured,
    Unpictured: _unchanged,
    Delete: alarms.deleted,
    Remind: _reminded,
    Lapse: _lapsed,
    Remove: _removed,
    Erase: _unchanged,
    SignsDown: _signs_down,
    Evaluate: _evaluated,
}
