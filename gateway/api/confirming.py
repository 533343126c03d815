"""Proving again who one is, locking, and the sessions that there are."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request

from gateway.access.errors import AccessError, ForbiddenError, LockedError, TooManyAttemptsError
from gateway.access.identity import Identity, SessionState
from gateway.access.listed import ListedSession
from gateway.access.permissions import Permission
from gateway.api import session_models as models
from gateway.api.account import Mine
from gateway.api.errors import BadRequestError
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.session import By
from gateway.api.times import iso
from gateway.audit.events import Action, AuditEvent, Outcome

router = APIRouter(prefix="/api/v1", tags=["session"])


@router.get("/session/confirm", status_code=204, **needs(Permission.SIGNED_IN, step_up=True, enrolling=True))
async def ask_confirmed(who: Who) -> None:
    """Tell whether a sharp act would be let through now; 403 ``access.confirm`` names the ways to confirm."""


@router.post("/session/confirm", status_code=204, **needs(Permission.SIGNED_IN, enrolling=True))
async def confirm(wish: models.Confirm, request: Request, who: Who, by: By, the: The) -> None:
    """Prove again who one is: opens sharp acts for a while, and a locked session."""
    _no_token(who)
    action = Action.CONFIRMED if who.state is SessionState.OPEN else Action.SESSION_UNLOCKED
    try:
        method = await the.entrance.confirm(who, wish.proof(), visitor=by)
    except AccessError as error:
        event = AuditEvent(
            action=action,
            actor=actor(request, who),
            subject=who.user_id,
            outcome=Outcome.FAILED,
            details={"error": error.code},
        )
        if isinstance(error, TooManyAttemptsError):
            the.trail.note_again(event, who.user_id, error.bucket)
        else:
            the.trail.note(event)
        raise
    await the.trail.append(
        AuditEvent(action=action, actor=actor(request, who), subject=who.user_id, details={"how": method.value})
    )


@router.post("/session/confirm/passkey", **needs(Permission.SIGNED_IN, enrolling=True))
async def confirm_challenge(who: Who, by: By, the: The) -> models.Challenge:
    """Return what to ask the browser so that a passkey confirms."""
    _no_token(who)
    ticket, options = await the.entrance.confirm_challenge(who, by)
    return models.Challenge(ticket=ticket, options=options)


@router.get("/session/confirm/methods", **needs(Permission.SIGNED_IN, enrolling=True))
async def confirm_methods(who: Who, the: The) -> list[str]:
    """Return the ways in which one can confirm."""
    return [method.value for method in (await the.factors.of(who.user_id)).confirming]


@router.post("/session/active", status_code=204, **needs(Permission.SIGNED_IN, enrolling=True))
async def active(who: Who, the: The) -> None:
    """Tell that a hand moved at the console: an open session does not lock for a while."""
    _no_token(who)
    if who.state is not SessionState.OPEN:
        raise LockedError
    await the.access.touched(who.session)


@router.put("/session/reference", status_code=204, **needs(Permission.SIGNED_IN, room=True))
async def put_reference(wish: models.ReferenceWish, request: Request, who: Mine, the: The) -> None:
    """Say which incident or request one is at work on: what one sees, steers, plays, exports now is for it.

    Views and sticks that are open go on, and have one entry for each in the audit. Programs say it with each request,
    in the header ``Sightline-Reference``.
    """
    if wish.reference == who.reference:
        return
    await the.access.put_reference(who.session, wish.reference)
    the.ledger.reference_changed(who.session, wish.reference)
    await the.trail.append(
        AuditEvent(
            action=Action.WORKED_ON,
            actor=replace(actor(request, who), reference=wish.reference),
            subject=who.user_id,
            details={"before": who.reference},
        )
    )


@router.put("/session/state", status_code=204, **needs(Permission.SIGNED_IN, enrolling=True))
async def put_state(wish: models.StateWish, request: Request, who: Who, the: The) -> None:
    """Lock the session, or make it a wallboard. A wallboard never locks, and only views until it is confirmed."""
    _no_token(who)
    if who.state is not SessionState.OPEN and wish.state is SessionState.WALL:
        raise LockedError
    await the.access.put_state(who.session, wish.state)
    await the.trail.append(
        AuditEvent(
            action=Action.SESSION_LOCKED,
            actor=actor(request, who),
            subject=who.user_id,
            details={"state": wish.state.value},
        )
    )


@router.get("/sessions", **needs(Permission.SIGNED_IN))
async def sessions(
    who: Mine, the: The, user_id: Annotated[str | None, Query(max_length=32)] = None
) -> list[models.SessionEntry]:
    """Return one's own sessions; who administers may ask for a user's, or with ``user_id=*`` for everybody's."""
    if user_id is None or user_id == who.user_id:
        return [_entry(one, who) for one in await the.access.sessions(who.user_id)]
    _administering(the, who)
    return [_entry(one, who) for one in await the.access.sessions(None if user_id == "*" else user_id)]


@router.delete("/sessions", status_code=204, **needs(Permission.SIGNED_IN))
async def end_others(request: Request, who: Mine, the: The) -> None:
    """End all of one's sessions but this one."""
    over = await the.access.end_sessions_of(who.user_id, keep=who.session)
    await the.trail.append(
        AuditEvent(
            action=Action.SESSION_ENDED, actor=actor(request, who), subject=who.user_id, details={"count": len(over)}
        )
    )


@router.delete("/sessions/{session_id}", status_code=204, **needs(Permission.SIGNED_IN))
async def end_session(session_id: str, request: Request, who: Mine, the: The) -> None:
    """End a session of one's own; who administers, anybody's. What goes on through it ends with it."""
    owner = None if _administers(the, who) else who.user_id
    subject = await the.access.end_session(session_id, owner=owner)
    await the.trail.append(
        AuditEvent(
            action=Action.SESSION_ENDED, actor=actor(request, who), subject=subject, details={"session": session_id}
        )
    )


@router.delete("/users/{user_id}/sessions", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def end_sessions_of(user_id: str, request: Request, who: Who, the: The) -> None:
    """End every session of somebody, but the one that asks for it. What goes on through them ends with them."""
    user = await the.people.get(user_id)
    over = await the.access.end_sessions_of(user.id, keep=who.session)
    await the.trail.append(
        AuditEvent(
            action=Action.SESSION_ENDED,
            actor=actor(request, who),
            subject=user.id,
            details={"count": len(over), "username": user.username},
        )
    )


def _no_token(who: Identity) -> None:
    if who.token_name is not None:
        raise BadRequestError("A token has no session.", cure="Sign in.")


def _administers(the: Rooms, who: Identity) -> bool:
    return the.decider.rights(who).rule(Permission.ADMINISTER) is not None


def _administering(the: Rooms, who: Identity) -> None:
    if not _administers(the, who):
        raise ForbiddenError("Those are not your sessions.", cure="Ask an administrator.")


def _entry(one: ListedSession, who: Identity) -> models.SessionEntry:
    return models.SessionEntry(
        id=one.id,
        user_id=one.user_id,
        username=one.username,
        name=one.name,
        since=iso(one.since_ns),
        used=iso(one.used_ns),
        address=one.address,
        browser=one.browser,
        methods=list(one.methods),
        state=one.state,
        current=one.id == who.session,
    )
