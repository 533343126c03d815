"""Setting up, signing in and out."""

from fastapi import APIRouter, Request, Response

from gateway.access.errors import AccessError, CredentialsError
from gateway.access.identity import Identity
from gateway.access.people import UserChange
from gateway.access.permissions import Permission
from gateway.api import models, showing
from gateway.api.errors import BadRequestError
from gateway.api.guard import Who, actor, needs, public
from gateway.api.rooms import Rooms, The, address_of
from gateway.api.times import iso
from gateway.api.turn import servers_named
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.db.users import UserRow

router = APIRouter(prefix="/api/v1", tags=["session"])


@router.get("/setup", **public())
async def setup_needed(the: The) -> models.SetupNeeded:
    """Tell whether the first administrator is still to be made."""
    return models.SetupNeeded(needed=await the.access.setup_needed())


@router.post("/setup", status_code=201, **public())
async def set_up(wish: models.SetUp, request: Request, response: Response, the: The) -> models.SignedIn:
    """Make the first administrator with the one-time code that Sightline printed, and sign them in."""
    address = address_of(request)
    try:
        identity, secret = await the.access.set_up(
            wish.code,
            username=wish.username,
            name=wish.name,
            password=wish.password.get_secret_value(),
            address=address,
        )
    except AccessError as error:
        _note_failure(the, Action.SET_UP, wish.username, address, error)
        raise
    await the.decider.reload()
    await the.trail.append(AuditEvent(action=Action.SET_UP, actor=actor(request, identity), subject=identity.user_id))
    _set_cookie(response, the, secret)
    return _signed_in(the, identity)


@router.post("/session", **public())
async def sign_in(wish: models.SignIn, request: Request, response: Response, the: The) -> models.SignedIn:
    """Sign in with user name and password, or with a one-time code."""
    address = address_of(request)
    how = "code" if wish.code is not None else "password"
    try:
        identity, secret = await _let_in(wish, the, address)
    except AccessError as error:
        _note_failure(the, Action.SIGN_IN, wish.username, address, error)
        raise
    await the.trail.append(
        AuditEvent(
            action=Action.SIGN_IN, actor=actor(request, identity), subject=identity.user_id, details={"how": how}
        )
    )
    _set_cookie(response, the, secret)
    return _signed_in(the, identity)


@router.get("/session", **needs(Permission.SIGNED_IN))
async def session(who: Who, the: The) -> models.Session:
    """Tell who is signed in."""
    signed_in = _signed_in(the, who)
    return models.Session(**dict(signed_in), server_time=iso(the.clock.wall_ns()))


@router.delete("/session", status_code=204, **needs(Permission.SIGNED_IN))
async def sign_out(request: Request, response: Response, who: Who, the: The) -> None:
    """Sign out: what was opened through the session ends with it."""
    if who.token_name is not None:
        raise BadRequestError("A token does not sign out.", cure="An administrator can revoke it.")
    await the.access.sign_out(who.session)
    await the.trail.append(AuditEvent(action=Action.SIGN_OUT, actor=actor(request, who), subject=who.user_id))
    response.delete_cookie(the.cookie, path="/", secure=the.settings.server.behind_tls, httponly=True)


@router.put("/session/password", status_code=204, **needs(Permission.SIGNED_IN))
async def change_password(wish: models.NewPassword, request: Request, who: Who, the: The) -> None:
    """Change one's own password; one's other sessions end."""
    if who.token_name is not None:
        raise BadRequestError("A token does not change passwords.", cure="Sign in.")
    current = wish.current.get_secret_value()
    await the.access.check_password(who, current, address=address_of(request))
    change = UserChange(password=wish.new.get_secret_value())
    await the.people.change(who.user_id, change, keep_session=who.session)
    await the.trail.append(
        AuditEvent(
            action=Action.USER_CHANGED, actor=actor(request, who), subject=who.user_id, details={"password": True}
        )
    )


async def enter(request: Request, response: Response, the: Rooms, user: UserRow, action: Action) -> models.SignedIn:
    """Sign in who has just become a user, and record how."""
    identity, secret = await the.access.open_session(user, address=address_of(request))
    await the.trail.append(AuditEvent(action=action, actor=actor(request, identity), subject=user.id))
    _set_cookie(response, the, secret)
    return _signed_in(the, identity)


def _signed_in(the: Rooms, who: Identity) -> models.SignedIn:
    return models.SignedIn(
        user=showing.user(who, the.decider.rights(who)), ice_servers=servers_named(the.settings.live)
    )


async def _let_in(wish: models.SignIn, the: Rooms, address: str) -> tuple[Identity, str]:
    if wish.code is not None:
        return await the.access.sign_in_with_code(wish.code, address=address)
    if not wish.username or wish.password is None:
        raise CredentialsError("User name or password is wrong.", cure="Give both.")
    return await the.access.sign_in(wish.username, wish.password.get_secret_value(), address=address)


def _note_failure(the: Rooms, action: Action, username: str, address: str, error: AccessError) -> None:
    """Record an attempt. What was typed as a user name is kept: it says who was tried."""
    the.trail.note(
        AuditEvent(
            action=action,
            actor=Actor(id="", name=username[:64], address=address),
            outcome=Outcome.FAILED,
            details={"error": error.code},
        )
    )


def _set_cookie(response: Response, the: Rooms, secret: str) -> None:
    response.set_cookie(
        the.cookie,
        secret,
        max_age=the.settings.access.session_absolute_s,
        path="/",
        secure=the.settings.server.behind_tls,
        httponly=True,
        samesite="strict",
    )
