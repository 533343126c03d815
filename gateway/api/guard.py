"""Who is asking, from our own pages, and may they: the one dependency that every route declares its permission by."""

import re
from typing import Annotated, Any, NoReturn, cast
from urllib.parse import urlsplit

from fastapi import Depends, Security
from fastapi.security import SecurityScopes
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from gateway.access.approvals import REASON_MIN, Act, Asked, fingerprint_of
from gateway.access.errors import (
    AccessError,
    ConfirmError,
    EnrolDueError,
    ForbiddenError,
    ForgeryError,
    LockedError,
    NotSignedInError,
    SecondPersonError,
)
from gateway.access.groups import Standing
from gateway.access.identity import Identity, SessionState
from gateway.access.permissions import Permission, Role
from gateway.api.acts import approvers, facts_of, reason_in, until
from gateway.api.errors import AnotherUserError
from gateway.api.middleware import CERTIFICATE
from gateway.api.problems import refusal
from gateway.api.rooms import address_of, rooms_of
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.sharing.errors import OutsideError
from kernel.ids import CameraId, is_id

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PERMISSION_KEY = "x-sightline-permission"
PUBLIC = "public"
APPROVAL_HEADER = "sightline-approval"
REFERENCE_HEADER = "sightline-reference"
APPROVAL_QUERY = "&approval="
REASON_HEADER = "sightline-reason"
USER_HEADER = "sightline-user"
"""Whom the page that asks shows: the identifier of the user in whose name the request is to be made."""
STEP_UP = "step-up"
ROOM = "room"
ENROLLING = "enrolling"
STEP_UP_KEY = "x-sightline-step-up"
ROOM_KEY = "x-sightline-room"

_OF_PEOPLE = frozenset({Permission.ADMINISTER, Permission.SUPERVISE, Permission.APPROVE, Permission.DECIDE_DEPLOYMENT})
"""What needs one of these and step-up changes who may do what, or answers for it: no program does."""


def needs(
    permission: Permission,
    *,
    step_up: bool = False,
    act: Act | None = None,
    room: bool = False,
    enrolling: bool = False,
    body: str | None = None,
) -> dict[str, Any]:
    """Return what a route's decorator takes so that it answers only who has ``permission``.

    With ``step_up`` they must have proved lately who they are. A program cannot, and need not; but what needs that of
    who administers, supervises or approves (people, tokens, rights) no program does at all. An ``act`` may be set to
    take two people. With ``room`` it answers only people of the room: it tells more than partners are to know of what
    they may see. With ``enrolling`` it answers also who has a second factor to enrol before anything else.
    ``body`` is the media type of a text that the route reads by itself, for the OpenAPI document.
    """
    marks = {STEP_UP: step_up, ROOM: room, ENROLLING: enrolling}
    scopes = [permission.value, *(mark for mark, wanted in marks.items() if wanted)]
    dependencies = [Security(_authorised, scopes=scopes)]
    if act is not None:
        dependencies.append(Security(_by_two, scopes=[act.value]))
    read = {"requestBody": {"required": True, "content": {body: {"schema": {"type": "string"}}}}} if body else {}
    told = {**read, **({STEP_UP_KEY: True} if step_up else {}), **({ROOM_KEY: True} if room else {})}
    return {
        "dependencies": dependencies,
        "openapi_extra": {PERMISSION_KEY: permission.value, "security": [{"session": []}, {"token": []}], **told},
    }


def public() -> dict[str, Any]:
    """Return what the decorator of a route that answers everybody takes."""
    return {"dependencies": [Depends(_from_our_pages)], "openapi_extra": {PERMISSION_KEY: PUBLIC, "security": []}}


def _current(connection: HTTPConnection) -> Identity:
    identity = getattr(connection.state, "identity", None)
    if identity is None:
        # A route that forgot to name its permission answers nobody.
        raise NotSignedInError("This address is closed.", cure="Tell the developers: it names no permission.")
    return cast("Identity", identity)


Who = Annotated[Identity, Depends(_current)]
"""The identity that the route's permission was checked for."""


def actor(connection: HTTPConnection, identity: Identity) -> Actor:
    """Return who acts, for the audit."""
    return Actor(
        id=identity.user_id,
        name=identity.shown,
        address=address_of(connection),
        rule=getattr(connection.state, "rule", ""),
        reference=identity.reference if identity.token_name is None else _said_reference(connection),
    )


def _said_reference(connection: HTTPConnection) -> str:
    """Return which incident or request a program says a request is for: it has no session to say it once for all."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "", connection.headers.get(REFERENCE_HEADER, ""))[:120].strip()


def _awake(who: Who) -> Identity:
    if who.state is not SessionState.OPEN:
        raise LockedError
    return who


Awake = Annotated[Identity, Depends(_awake)]
"""Who asks, where a locked session or a wallboard is not to act."""


async def _authorised(scopes: SecurityScopes, connection: HTTPConnection) -> None:
    permission, *marks = scopes.scopes
    identity = await _authorise(connection, Permission(permission), room=ROOM in marks, enrolling=ENROLLING in marks)
    if STEP_UP in marks:
        await confirmed(connection, identity, Permission(permission))


async def _authorise(
    connection: HTTPConnection, permission: Permission, *, room: bool = False, enrolling: bool = False
) -> Identity:
    identity, by_cookie = await identify(connection)
    if by_cookie and (connection.scope["type"] == "websocket" or connection.scope["method"] not in SAFE):
        _check_origin(connection, required=True)
        if connection.scope["type"] == "http" and connection.headers.get("x-sightline") != "1":
            raise ForgeryError("The request lacks the header X-Sightline.", cure="Programs should use an API token.")
    meant = connection.headers.get(USER_HEADER)
    if meant is not None and meant != identity.user_id:
        # One browser has one cookie: somebody signed in beside a page that slept, and it must not act in their name.
        raise AnotherUserError
    _check_open(identity, permission, enrolling=enrolling)
    await rooms_of(connection).decider.meet(identity)
    camera = connection.path_params.get("camera_id")
    try:
        _check_outside(connection, identity, room=room)
    except OutsideError:
        _note_refusal(connection, identity, permission, camera)
        raise
    rule = decided(connection, identity, permission, camera)
    connection.state.identity = identity
    connection.state.rule = rule
    return identity


def decided(connection: HTTPConnection, identity: Identity, permission: Permission, camera: str | None) -> str:
    """Return the rule by which somebody may do this, with this camera if it is about one; a refusal is recorded.

    Raises:
        ForbiddenError: none allows it.
    """
    try:
        return rooms_of(connection).decider.decide(identity, permission, CameraId(camera) if camera else None)
    except ForbiddenError:
        _note_refusal(connection, identity, permission, camera)
        raise


def decided_there(connection: HTTPConnection, identity: Identity, permission: Permission, standing: Standing) -> None:
    """Make sure that somebody may do this with a camera as it stood then; a refusal is recorded.

    Raises:
        ForbiddenError: they may not.
    """
    if not rooms_of(connection).decider.held_there(identity, permission, standing):
        why = "The camera stood at another place then, where you may not do that."
        refused(connection, identity, permission, standing.camera, why)


def refused(connection: HTTPConnection, identity: Identity, permission: Permission, camera: str, why: str) -> NoReturn:
    """Refuse what a camera recorded at some time, on record.

    Raises:
        ForbiddenError: always.
    """
    _note_refusal(connection, identity, permission, camera)
    raise ForbiddenError(why, cure="Ask for the time since it stands here, or ask an administrator.")


def _note_refusal(connection: HTTPConnection, identity: Identity, permission: Permission, camera: str | None) -> None:
    path = str(getattr(connection.scope.get("route"), "path", connection.scope["path"]))
    event = AuditEvent(
        action=Action.REFUSED,
        actor=actor(connection, identity),
        outcome=Outcome.REFUSED,
        # What an address names may be anybody's own text, and subjects are never erased.
        subject=camera if camera is not None and is_id(camera) else "",
        details={"permission": permission.value, "path": path},
    )
    # One asks as often as one likes, and is refused: that must not fill the log.
    alike = (identity.user_id, identity.token_name or "", permission.value, path)
    rooms_of(connection).trail.note_again(event, *alike)


async def _by_two(scopes: SecurityScopes, request: Request) -> None:
    await by_two(request, Act(scopes.scopes[-1]))


async def by_two(request: Request, act: Act) -> None:
    """Where the settings say that an act takes two people, go on only with an approval for exactly this request.

    Raises:
        SecondPersonError: there is none yet.
        ForbiddenError: it is a program, which is nobody's first or second person.
    """
    the = rooms_of(request)
    if act not in the.approvals.acts:
        return
    who = _current(request)
    if who.token_name is not None:
        # Whoever makes tokens for others would be two people by themselves.
        raise ForbiddenError("That takes two people, and a program is none.", cure="Sign in, and do it yourself.")
    given, fingerprint = await _request_of(request)
    if given:
        approval = the.approvals.use(given, who, fingerprint=fingerprint)
        assert approval.decided_by is not None
        request.state.rule = f"{request.state.rule} approved:{approval.decided_by.user_id}"
        return
    known = the.approvals.asked_for(who, fingerprint)
    facts = known.asked.facts if known is not None else await facts_of(act, request, the)
    told = {
        "act": act.value,
        "facts": [{"name": name, "value": value} for name, value in facts],
        "approvers": [one.model_dump() for one in await approvers(the, who)],
    }
    reason = reason_in(request.headers.get(REASON_HEADER))
    if known is None and len(reason) < REASON_MIN:
        raise SecondPersonError(
            "That takes two people.",
            cure="Ask again and say why, in the header Sightline-Reason: the second person reads it.",
            told=told | {"approval": None},
        )
    if known is None:
        subject = next((str(value) for value in request.path_params.values() if is_id(str(value))), "")
        what = f"{request.method} {request.url.path}"
        known = the.approvals.ask(
            Asked(act=act, what=what, subject=subject, facts=facts, reason=reason, fingerprint=fingerprint), who
        )
        details = {"act": act.value, "approval": known.id, "reason": reason}
        await the.trail.append(
            AuditEvent(action=Action.APPROVAL_ASKED, actor=actor(request, who), subject=subject, details=details)
        )
    raise SecondPersonError(
        "That takes two people.",
        cure="Have somebody else approve it, then ask again.",
        told=told | {"approval": known.id, "standing": known.standing.value, "until": until(the, known)},
    )


async def _request_of(request: Request) -> tuple[str | None, str]:
    """Return the approval that a request brings, and its fingerprint without it.

    A download has no headers of its own, so that the number may stand last in its query too.
    """
    query, _, named = request.url.query.rpartition(APPROVAL_QUERY)
    if not named or "&" in named:
        query, named = request.url.query, ""
    target = request.url.path + (f"?{query}" if query else "")
    given = request.headers.get(APPROVAL_HEADER) or named or None
    return given, fingerprint_of(request.method, target, await request.body())


def _check_open(identity: Identity, permission: Permission, *, enrolling: bool) -> None:
    """Say of a session that is locked, or has a second factor to enrol, that it is, not that its user may not."""
    if identity.enrol_due and not enrolling:
        raise EnrolDueError
    if permission not in identity.ceiling and identity.state is not SessionState.OPEN:
        raise LockedError


async def confirmed(connection: HTTPConnection, identity: Identity, permission: Permission) -> None:
    """Make sure that a person has proved lately who they are, for what a route knows to be sharp by its body.

    Raises:
        ConfirmError: they have not.
        ForbiddenError: it is a program, which does nothing that needs this permission and a proof.
    """
    if identity.token_name is None:
        if not identity.confirmed:
            raise ConfirmError((await rooms_of(connection).factors.of(identity.user_id)).confirming)
    elif permission in _OF_PEOPLE:
        raise ForbiddenError(
            "A program may not change people, tokens or rights, nor decide for somebody.",
            cure="Sign in, and do it yourself.",
        )


def _check_outside(connection: HTTPConnection, identity: Identity, *, room: bool) -> None:
    if identity.role is not Role.PARTNER:
        return
    rooms_of(connection).sharing.partners.check_entry(
        identity.user_id, address=address_of(connection), certificate=connection.scope.get(CERTIFICATE)
    )
    if room:
        raise ForbiddenError("That is for the room alone.", cure="See what is shared with you.")


async def identify(connection: HTTPConnection) -> tuple[Identity, bool]:
    """Return who is asking, and whether a cookie said so.

    Raises:
        NotSignedInError: nobody.
    """
    rooms = rooms_of(connection)
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await rooms.access.of_token(token.strip()), False
    secret = connection.cookies.get(rooms.cookie)
    if not secret:
        raise NotSignedInError("You are not signed in.", cure="Sign in.")
    return await rooms.access.of_session(secret), True


async def _from_our_pages(connection: HTTPConnection) -> None:
    """Keep other sites from signing a browser in (login CSRF): an Origin, where there is one, is ours."""
    if connection.scope["method"] not in SAFE:
        _check_origin(connection, required=False)


def _check_origin(connection: HTTPConnection, *, required: bool) -> None:
    origin = connection.headers.get("origin")
    if origin is None and not required:
        return
    if origin is None or not _ours(connection, origin.lower()):
        raise ForgeryError(
            "The request did not come from this server's own pages.",
            cure="Open the console at its own address; behind a proxy set server.public_urls.",
        )


def _ours(connection: HTTPConnection, origin: str) -> bool:
    if origin in rooms_of(connection).settings.server.public_urls:
        return True
    secure = connection.scope["scheme"] in {"https", "wss"}
    parts = urlsplit(origin)
    return (
        parts.scheme == ("https" if secure else "http") and parts.netloc == connection.headers.get("host", "").lower()
    )


async def admit(websocket: WebSocket, permission: Permission, *, room: bool = False) -> Identity | None:
    """Return who opens a WebSocket, or refuse it with problem details before it is accepted and return ``None``."""
    try:
        return await _authorise(websocket, permission, room=room)
    except (AccessError, AnotherUserError, OutsideError) as error:
        await websocket.send_denial_response(refusal(error))
        return None
