"""Setting up, signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.access.entrance import Opened, SecondDue, Visitor
from gateway.access.errors import AccessError, CredentialsError, TooManyAttemptsError
from gateway.access.identity import Identity
from gateway.access.limits import network_of
from gateway.access.permissions import Permission, Role
from gateway.access.proofs import PasskeyProof
from gateway.api import session_models as models
from gateway.api import showing
from gateway.api.errors import BadRequestError
from gateway.api.guard import Who, actor, needs, public
from gateway.api.rooms import Rooms, The, address_of, origin_of
from gateway.api.times import iso
from gateway.api.turn import servers_named
from gateway.api.visitors import clear_session, set_cookies, set_session, visitor
from gateway.audit.errors import AuditUnwrittenError
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.db.users import UserRow

router = APIRouter(prefix="/api/v1", tags=["session"])

By = Annotated[Visitor, Depends(visitor)]


@router.get("/setup", **public())
async def setup_needed(the: The) -> models.SetupNeeded:
    """Tell whether the first administrator is still to be made."""
    return models.SetupNeeded(needed=await the.access.setup_needed())


@router.post("/setup", status_code=201, **public())
async def set_up(wish: models.SetUp, request: Request, response: Response, by: By, the: The) -> models.SignedIn:
    """Make the first administrator with the one-time code that Sightline printed, and sign them in."""
    try:
        opened = await the.entrance.set_up(
            wish.code, username=wish.username, name=wish.name, password=wish.password.get_secret_value(), visitor=by
        )
    except AccessError as error:
        _note_failure(the, Action.SET_UP, _tried(wish.username, by), error)
        raise
    await the.decider.reload()
    return await _welcome(Action.SET_UP, opened, request, response, the)


@router.post("/session", responses={202: {"model": models.SecondDue}}, **public())
async def sign_in(
    wish: models.SignIn, request: Request, response: Response, by: By, the: The
) -> models.SignedIn | models.SecondDue:
    """Sign in with user name and password, with a passkey, or with a one-time code.

    202: that was right, and a second factor is due at ``/session/second``.
    """
    try:
        result = await _let_in(wish, the, by)
    except AccessError as error:
        _note_failure(the, Action.SIGN_IN, _tried(wish.username, by), error)
        raise
    if isinstance(result, SecondDue):
        response.status_code = 202
        return models.SecondDue(ticket=result.ticket, methods=list(result.methods), passkey=result.options)
    return await _welcome(Action.SIGN_IN, result, request, response, the)


@router.post("/session/second", **public())
async def second(wish: models.SecondFactor, request: Request, response: Response, by: By, the: The) -> models.SignedIn:
    """Complete a sign-in with a second factor or a recovery code."""
    tried = await the.entrance.owner(wish.ticket)
    try:
        opened = await the.entrance.second(wish.ticket, wish.proof(), visitor=by)
    except AccessError as error:
        if tried is None:
            # No ticket of ours: nobody is tried, and anybody can make up as many as they like.
            event = _failure(Action.SIGN_IN, _tried("", by), error)
            the.trail.note_again(event, "ticket", error.code, network_of(by.address))
        else:
            known = Actor(id=tried.id, name=tried.username, address=by.address)
            _note_failure(the, Action.SIGN_IN, known, error)
        raise
    return await _welcome(Action.SIGN_IN, opened, request, response, the)


@router.post("/session/passkey", **public())
async def passkey_challenge(by: By, the: The) -> models.Challenge:
    """Return what to ask the browser so that somebody signs in with a passkey alone."""
    ticket, options = the.entrance.passkey_challenge(by)
    return models.Challenge(ticket=ticket, options=options)


@router.get("/session", **needs(Permission.SIGNED_IN, enrolling=True))
async def session(who: Who, the: The) -> models.Session:
    """Tell who is signed in."""
    signed_in = _signed_in(the, who)
    return models.Session(**dict(signed_in), server_time=iso(the.clock.wall_ns()))


@router.delete(
    "/session", responses={204: {"description": "Signed out."}}, **needs(Permission.SIGNED_IN, enrolling=True)
)
async def sign_out(request: Request, response: Response, who: Who, the: The) -> models.SignedOut | None:
    """Sign out: what was opened through the session ends with it.

    Answers 200 with ``continue_at`` where the browser is to sign out at a provider of accounts too.
    """
    if who.token_name is not None:
        raise BadRequestError("A token does not sign out.", cure="An administrator can revoke it.")
    continue_at = await the.oidc.farewell(who.session, origin=origin_of(request))
    await the.access.sign_out(who.session)
    await the.trail.append(AuditEvent(action=Action.SIGN_OUT, actor=actor(request, who), subject=who.user_id))
    clear_session(response, the, outside=who.role is Role.PARTNER)
    if continue_at is None:
        response.status_code = 204
        return None
    return models.SignedOut(continue_at=continue_at)


async def _let_in(wish: models.SignIn, the: Rooms, by: Visitor) -> Opened | SecondDue:
    if wish.passkey is not None:
        proof = PasskeyProof(credential=wish.passkey, ticket=wish.ticket)
        return await the.entrance.sign_in_with_passkey(proof, visitor=by)
    if wish.code is not None:
        return await the.entrance.sign_in_with_code(wish.code, visitor=by)
    if not wish.username or wish.password is None:
        the.entrance.attempt(by.address)
        raise CredentialsError("User name or password is wrong.", cure="Give both.")
    return await the.entrance.sign_in(wish.username, wish.password.get_secret_value(), visitor=by)


async def _welcome(action: Action, opened: Opened, request: Request, response: Response, the: Rooms) -> models.SignedIn:
    who = opened.identity
    event = AuditEvent(
        action=action, actor=actor(request, who), subject=who.user_id, details={"how": "+".join(who.methods)}
    )
    await let_stay(the, who, event)
    await end_earlier(request, the, await earlier(request, the))
    set_cookies(response, the, opened)
    await the.decider.meet(who)
    return _signed_in(the, who)


async def enter(request: Request, response: Response, the: Rooms, user: UserRow, action: Action) -> models.SignedIn:
    """Sign in who has just become a user, and record how."""
    by = visitor(request)
    identity, secret = await the.access.open_session(
        user, address=by.address, methods=("password",), browser=by.browser
    )
    await let_stay(the, identity, AuditEvent(action=action, actor=actor(request, identity), subject=user.id))
    await end_earlier(request, the, await earlier(request, the))
    set_session(response, the, secret)
    return _signed_in(the, identity)


async def let_stay(the: Rooms, who: Identity, event: AuditEvent) -> None:
    """Put on record that somebody came in; their session ends where that cannot be: nobody is here unrecorded.

    Raises:
        AuditUnwrittenError: that is so. Whoever was made a user by it stays one.
    """
    try:
        await the.trail.append(event, first=event.action is Action.SIGN_IN)
    except AuditUnwrittenError:
        await the.access.sign_out(who.session)
        raise


async def earlier(request: Request, the: Rooms) -> str | None:
    """Return the session that the browser has had until now."""
    secret = request.cookies.get(the.cookie)
    return await the.access.earlier(secret) if secret else None


async def end_earlier(request: Request, the: Rooms, session: str | None) -> None:
    """End the session that the browser had until now: nothing of whoever sat there before goes on behind this one."""
    was = await the.access.end_earlier(session) if session is not None else None
    if was is not None:
        who = Actor(id=was.user_id, name=was.username, address=address_of(request))
        details = {"session": was.id, "reason": "signed in anew"}
        await the.trail.append(AuditEvent(action=Action.SESSION_ENDED, actor=who, subject=was.user_id, details=details))


def _signed_in(the: Rooms, who: Identity) -> models.SignedIn:
    return models.SignedIn(
        user=showing.user(who, the.decider.rights(who)),
        ice_servers=servers_named(the.settings.live),
        state=who.state,
        enrol_due=who.enrol_due,
        lock_after_s=the.settings.access.lock_after_s,
        reference=who.reference,
    )


def _tried(username: str, by: Visitor) -> Actor:
    """Return who was tried. What was typed as a user name is kept."""
    return Actor(id="", name=username[:64], address=by.address)


def _failure(action: Action, tried: Actor, error: AccessError) -> AuditEvent:
    """Return what is recorded of an attempt; which part of it was wrong is not said."""
    return AuditEvent(action=action, actor=tried, outcome=Outcome.FAILED, details={"error": error.code})


def _note_failure(the: Rooms, action: Action, tried: Actor, error: AccessError) -> None:
    """Record an attempt. One that a limit refused cost nothing, so that they are counted."""
    event = _failure(action, tried, error)
    if isinstance(error, TooManyAttemptsError):
        the.trail.note_again(event, "limit", error.bucket)
    else:
        the.trail.note(event)
