"""What happens to a unit while it stands, as its deployment has it: what was raised, seen to, and pictured. No clock.

Each function is a step of :mod:`gateway.deployments.life`, whose table says when it may be taken and by whom.
"""

from dataclasses import replace

from gateway.deployments.deployment import Deployment, Seen, Stage, Unseen
from gateway.deployments.errors import StepError
from gateway.deployments.geofence import LASTING, OVER, Tilt
from gateway.deployments.hands import Hand, Rules
from gateway.deployments.steps import Acknowledge, Delete, Hung, Picture, Raise


def hung(known: Deployment, step: Hung, _by: Hand, _rules: Rules, _now_ns: int) -> Deployment:
    """Return it with how its unit hangs, learnt once."""
    return replace(known, level=Tilt(step.pitch_deg, step.roll_deg))


def raised(known: Deployment, step: Raise, _by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    """Return it with an alarm, or with the end of one that lasted.

    What is told after its unit was taken down lasts no more, and is to be seen to all the same: what was evaluated
    without it is evaluated again.

    Raises:
        StepError: its unit did not stand there when it happened.
    """
    alarms = dict(known.alarms)
    at_ns = step.happened_ns if step.happened_ns is not None else now_ns
    if not known.stood(at_ns):
        raise StepError("Its unit did not stand there then.", cure="")
    if step.kind in LASTING and known.stage is Stage.DEPLOYED:
        alarms.setdefault(step.kind, at_ns)
    elif step.kind in OVER:
        alarms.pop(OVER[step.kind], None)
    if step.kind in OVER:
        return replace(known, alarms=alarms)
    before = known.unseen.get(step.kind)
    now = Unseen(
        count=before.count + 1 if before is not None else 1,
        since_ns=min(before.since_ns, at_ns) if before is not None else at_ns,
        line=known.entries + 1,
        told_ns=now_ns if step.happened_ns is not None else None,
    )
    stage = Stage.REMOVED if known.stage is Stage.EVALUATED else known.stage
    return replace(known, stage=stage, alarms=alarms, unseen={**known.unseen, step.kind: now})


def acknowledged(known: Deployment, step: Acknowledge, _by: Hand, _rules: Rules, _now_ns: int) -> Deployment:
    """Return it without what somebody has seen to.

    Raises:
        StepError: it is seen to already, or has happened again since they looked.
    """
    unseen = known.unseen.get(step.kind)
    if unseen is None:
        raise StepError("That is acknowledged already.", cure="Load it again.")
    if step.line < unseen.line:
        raise StepError("It has happened again since.", cure="Look at it again, then acknowledge it.")
    return replace(known, unseen={kind: one for kind, one in known.unseen.items() if kind is not step.kind})


def pictured(known: Deployment, step: Picture, _by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    """Return it with what a camera saw at an alarm."""
    seen = Seen(camera=step.camera, at_ns=step.recorded_ns if step.recorded_ns is not None else now_ns)
    return replace(known, pictures={**known.pictures, step.sha256: seen})


def deleted(known: Deployment, step: Delete, _by: Hand, _rules: Rules, now_ns: int) -> Deployment:
    """Return it with a picture that is gone.

    Raises:
        StepError: there is none.
    """
    seen = known.pictures.get(step.sha256)
    if seen is None or seen.deleted_ns is not None:
        raise StepError("That picture is not kept.", cure="")
    return replace(known, pictures={**known.pictures, step.sha256: replace(seen, deleted_ns=now_ns)})
