"""Deployments of mobile cameras: their steps, their log, and what of them is due (docs/design/deployments.md)."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import deployment_models as shapes
from gateway.api import models
from gateway.api.alarm_pictures import Showing, showing
from gateway.api.guard import Who, actor, decided, needs
from gateway.api.hands import answers_for, hand
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso, iso_or_none
from gateway.deployments import steps
from gateway.deployments.deployment import Deployment, Stage
from gateway.deployments.service import Taken
from gateway.stationed import step_event
from kernel.clock import to_ns
from kernel.geography import Place

router = APIRouter(prefix="/api/v1", tags=["deployments"])

PAGE = 100
_SENT_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same was sent before under this key, and is done"}
}


@router.get("/deployments", **needs(Permission.DEPLOY))
async def newest(
    who: Who,
    the: The,
    stage: Stage | None = None,
    camera: Annotated[str | None, Query(max_length=32, description="One camera's unit alone")] = None,
    before: Annotated[str | None, Query(max_length=32, description="Identifier of the oldest that one has")] = None,
    *,
    signs_hang: Annotated[bool, Query(description="Those alone whose signs are up for no unit any more")] = False,
) -> list[shapes.Deployment]:
    """Return deployments, the newest first, at most a hundred."""
    urn = the.fleet.camera(camera).description.identity.urn if camera is not None else None
    found = await the.deployments.newest(stage=stage, urn=urn, before=before, signs_hang=signs_hang, limit=PAGE)
    return await _shown(the, who, found)


@router.get("/deployments/rules", **needs(Permission.DEPLOY))
async def rules(the: The) -> shapes.Rules:
    """Return what this site asks of a deployment."""
    known = the.deployments.rules
    return shapes.Rules(
        criteria=list(known.criteria),
        two_people=known.two_people,
        max_days=known.max_days,
        review_days=known.review_days,
        spread_m=known.spread_m,
        sign_photos=known.sign_photos,
        fence_m=the.settings.deployments.fence_m,
    )


@router.get("/deployments/due", **needs(Permission.DEPLOY))
async def due(who: Who, the: The) -> list[shapes.DueModel]:
    """Return what needs a person: what is overdue first, then by urgency and time."""
    found = await the.deployments.due()
    shown = await _shown(the, who, [one.deployment for one in found])
    return [
        shapes.DueModel(
            deployment=deployment,
            why=one.why,
            by=iso(one.by_ns),
            overdue=one.overdue,
            yours=answers_for(who, one.deployment),
        )
        for one, deployment in zip(found, shown, strict=True)
    ]


@router.post("/deployments", status_code=201, responses=_SENT_AGAIN, **needs(Permission.DEPLOY))
async def refer(
    wish: shapes.NewReferral, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Refer a problem: it opens a deployment, on which somebody decides."""
    referral = steps.Referral(
        title=wish.title,
        problem=wish.problem,
        evidence=wish.evidence,
        alternatives=wish.alternatives,
        purpose=wish.purpose,
        referred_by=wish.referred_by,
        place=_place(wish.place),
        street=wish.street,
    )
    taken = await the.deployments.refer(referral, by=hand(the, who), key=wish.key)
    return await answer(the, request, response, who, taken)


@router.get("/deployments/{deployment_id}", **needs(Permission.DEPLOY))
async def one(deployment_id: str, who: Who, the: The) -> shapes.Deployment:
    """Return a deployment as it stands."""
    (shown,) = await _shown(the, who, [await the.deployments.one(deployment_id)])
    return shown


@router.get("/deployments/{deployment_id}/log", **needs(Permission.DEPLOY))
async def log(deployment_id: str, the: The) -> list[shapes.Line]:
    """Return everything that was said of it, the oldest first."""
    return [
        shapes.Line(
            n=line.n,
            at=iso(line.at_ns),
            done=iso(line.done_ns),
            clock_offset_s=line.clock_offset_ms / 1000 if line.clock_offset_ms is not None else None,
            doubt=line.doubt,
            step=line.step,
            by=line.name,
            said=json.loads(line.said),
            digest=line.digest,
        )
        for line in await the.deployments.log(deployment_id)
    ]


def _stepping(path: str, permission: Permission = Permission.DEPLOY) -> Callable[..., Callable[..., object]]:
    """Return the decorator of a step's route. A decision takes a late proof of who one is."""
    return router.post(
        "/deployments/{deployment_id}/" + path,
        status_code=201,
        responses=_SENT_AGAIN,
        **needs(permission, step_up=permission is Permission.DECIDE_DEPLOYMENT),
    )


@_stepping("checks")
async def check(
    deployment_id: str, wish: shapes.NewCheck, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say what was found of one criterion; said again, the last counts."""
    step = steps.Check(criterion=wish.criterion, met=wish.met, found=wish.found)
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("documents")
async def document(
    deployment_id: str, wish: shapes.NewDocument, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Link a document: the impact assessment, the authority, an authorisation of directed surveillance."""
    step = steps.Document(kind=wish.kind, title=wish.title, reference=wish.reference, sha256=wish.sha256)
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("notes")
async def note(
    deployment_id: str, wish: shapes.NewDone, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Add something to the log."""
    return await _take(the, request, response, who, deployment_id, steps.Note(text=wish.text), wish)


@_stepping("decision", Permission.DECIDE_DEPLOYMENT)
async def decide(
    deployment_id: str, wish: shapes.Decision, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Grant or refuse it, with the reason. It is signed by whoever does so; not by whoever referred it."""
    max_days = wish.max_days if wish.max_days is not None else the.deployments.rules.max_days
    step = steps.Grant(reason=wish.reason, max_days=max_days) if wish.granted else steps.Refuse(reason=wish.reason)
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("withdrawal")
async def withdraw(
    deployment_id: str, wish: shapes.NewText, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Take it back before anything stands."""
    return await _take(the, request, response, who, deployment_id, steps.Withdraw(reason=wish.text), wish)


@_stepping("plan")
async def plan(
    deployment_id: str, wish: shapes.NewPlan, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say which unit goes, and who answers for it; said again before it stands, the last counts."""
    urn = the.fleet.camera(wish.camera).description.identity.urn
    mark = the.deployments.deployable(urn)
    step = steps.Plan(
        urn=urn,
        unit=mark.unit if mark is not None else "",
        responsible=wish.responsible,
        review_days=wish.review_days if wish.review_days is not None else the.deployments.rules.review_days,
        mount=wish.mount,
    )
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("signs-up")
async def signs_up(
    deployment_id: str, wish: shapes.NewDone, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say that the signs are up, and where: before the camera."""
    return await _take(the, request, response, who, deployment_id, steps.SignsUp(text=wish.text), wish)


@_stepping("installation")
async def install(
    deployment_id: str, wish: shapes.Installed, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say that the planned unit is up: its cameras stand there from now on, and record. Another one is refused.

    One that was said to be down goes up again under its grant within 24 hours, until the end of the stay that it had.
    """
    step = steps.Install(
        unit=wish.unit,
        place=_place(wish.place),
        street=wish.street,
        bearing_deg=wish.bearing_deg,
        accuracy_m=wish.accuracy_m,
    )
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("sign-off")
async def sign_off(
    deployment_id: str, wish: shapes.SignedOff, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say that the unit is left as it should be, tick by tick: whoever put it up answers for that.

    Refused while limits, no-look zones or presets of another place are left on its cameras.
    """
    live_ns = wish.by_ours(wish.live, now_ns=the.clock.wall_ns())
    step = steps.SignOff(unit=wish.unit, found=wish.found, live_ns=live_ns, ticks=tuple(wish.ticks))
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("reviews")
async def review(
    deployment_id: str, wish: shapes.NewReview, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say whether it is still needed, and when to look again."""
    next_ns = to_ns(wish.next) if wish.next is not None else None
    step = steps.Review(found=wish.found, needed=wish.needed, next_ns=next_ns)
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("extension", Permission.DECIDE_DEPLOYMENT)
async def extend(
    deployment_id: str, wish: shapes.Extension, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Let it stay longer; signed as a decision is."""
    step = steps.Extend(reason=wish.reason, until_ns=to_ns(wish.until))
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("acknowledgements")
async def acknowledge(
    deployment_id: str, wish: shapes.Acknowledgement, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say that one sees to an alarm: it is due no longer than it lasts. What was raised since stays."""
    step = steps.Acknowledge(kind=wish.kind, line=wish.line, text=wish.text)
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("removal")
async def remove(
    deployment_id: str, wish: shapes.NewDone, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say that the unit is down: its cameras stand nowhere from now on, and record nothing.

    It takes a person who sees its cameras: one request ends what they record. Within 24 hours the unit may be put up
    again under the same grant, with another installation.
    """
    known = await the.deployments.one(deployment_id)
    step = steps.Remove(reason=wish.text)
    # Sent again, it was allowed before: what stands nowhere is in no area any more.
    if await the.deployments.sent_before(deployment_id, step, hand(the, who), wish.key) is None:
        for camera in the.fleet.cameras():
            if known.urn and camera.description.identity.urn == known.urn:
                decided(request, who, Permission.VIEW_LIVE, camera.id)
    return await _take(the, request, response, who, deployment_id, step, wish)


@_stepping("signs-down")
async def signs_down(
    deployment_id: str, wish: shapes.NewDone, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say that the signs are down: after the camera."""
    return await _take(the, request, response, who, deployment_id, steps.SignsDown(text=wish.text), wish)


@_stepping("evaluations")
async def evaluate(
    deployment_id: str, wish: shapes.Evaluation, request: Request, response: Response, who: Who, the: The
) -> shapes.Deployment:
    """Say what it did; again some time after, too."""
    step = steps.Evaluate(found=wish.found, effect=wish.effect)
    return await _take(the, request, response, who, deployment_id, step, wish)


async def _take(
    the: Rooms,
    request: Request,
    response: Response,
    who: Identity,
    deployment_id: str,
    step: steps.Step,
    wish: shapes.Step,
) -> shapes.Deployment:
    told = wish.told() if isinstance(wish, shapes.Done) else None
    taken = await the.deployments.step(deployment_id, step, by=hand(the, who), key=wish.key, told=told)
    return await answer(the, request, response, who, taken)


async def answer(the: Rooms, request: Request, response: Response, who: Identity, taken: Taken) -> shapes.Deployment:
    """Have the audit told of a step, and return the deployment after it."""
    if taken.again:
        response.status_code = 200
    else:
        await the.trail.append(step_event(taken, actor(request, who)))
    (shown,) = await _shown(the, who, [taken.deployment])
    return shown


def _place(place: models.PlaceModel) -> Place:
    return Place(place.latitude, place.longitude, place.height_m)


async def _shown(the: Rooms, who: Identity, known: Sequence[Deployment]) -> list[shapes.Deployment]:
    pictures = await showing(the, who, known)
    return [_one_shown(the, who, one, pictures) for one in known]


def _one_shown(the: Rooms, who: Identity, one: Deployment, pictures: Showing) -> shapes.Deployment:
    now_ns = the.deployments.now_ns()
    cameras = the.fleet.cameras() if one.urn else []
    return shapes.Deployment(
        id=one.id,
        stage=one.stage,
        title=one.title,
        problem=one.problem,
        evidence=one.evidence,
        alternatives=one.alternatives,
        purpose=one.purpose,
        referred_by=one.referred_by,
        referred=iso(one.referred_ns),
        mine=one.referrer == who.user_id,
        place=models.PlaceModel(
            latitude=one.place.latitude_deg, longitude=one.place.longitude_deg, height_m=one.place.height_m
        ),
        street=one.street,
        criteria=[shapes.Criterion(criterion=name, met=one.met.get(name)) for name in the.deployments.rules.criteria],
        documents=sorted(one.documents),
        decided_by=one.decided_by,
        decided=iso_or_none(one.decided_ns),
        max_days=one.max_days or None,
        unit=one.unit,
        cameras=[camera.id for camera in cameras if camera.description.identity.urn == one.urn],
        responsible=one.responsible,
        mount=one.mount,
        signs_up=iso_or_none(one.signs_up_ns),
        deployed=iso_or_none(one.deployed_ns),
        again=iso_or_none(one.again_ns),
        recorded_when_down=[
            shapes.RecordedWhenDown(start=iso(start_ns), end=iso(end_ns)) for start_ns, end_ns in one.recorded_when_down
        ],
        bearing_deg=one.bearing_deg,
        accuracy_m=one.accuracy_m,
        signed_off=iso_or_none(one.signed_off_ns),
        signed_off_by=one.signed_off_by,
        needed=one.needed,
        review=iso_or_none(one.review_ns),
        review_days=one.review_days or None,
        until=iso_or_none(one.until_ns),
        lapsed=iso_or_none(one.lapsed_ns),
        removed=iso_or_none(one.removed_ns),
        signs_down=iso_or_none(one.signs_down_ns),
        evaluated=iso_or_none(one.evaluated_ns),
        photos=[shapes.Photo(sha256=sha256, kind=kind) for sha256, kind in one.photos.items()],
        pictures=pictures.of(one),
        alarms=sorted(one.alarms, key=lambda kind: one.alarms[kind]),
        unseen=[
            shapes.Unseen(kind=kind, count=it.count, since=iso(it.since_ns), line=it.line, told=iso_or_none(it.told_ns))
            for kind, it in sorted(one.unseen.items(), key=lambda entry: entry[1].since_ns)
        ],
        valid=one.valid(now_ns),
        lines=one.entries,
    )
