"""One's own account: password, second factors, recovery codes. And what an administrator may undo of another's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from gateway.access.approvals import Act
from gateway.access.entrance import site_of_passkeys
from gateway.access.factors import Has, Method, always_asked
from gateway.access.identity import Identity
from gateway.access.people import UserChange
from gateway.access.permissions import Permission, Role
from gateway.api import session_models as models
from gateway.api.deployment_models import OwnDue
from gateway.api.errors import BadRequestError
from gateway.api.guard import Awake, Who, actor, needs
from gateway.api.hands import answers_for
from gateway.api.rooms import Rooms, The
from gateway.api.session import By
from gateway.api.times import iso, iso_or_none
from gateway.api.visitors import site_here
from gateway.audit.events import Action, AuditEvent

router = APIRouter(prefix="/api/v1", tags=["account"])


def _mine(who: Awake) -> Identity:
    """Return who looks after their own account: a person, at an open session."""
    if who.token_name is not None:
        raise BadRequestError("A token has no account.", cure="Sign in.")
    return who


Mine = Annotated[Identity, Depends(_mine)]


@router.put("/session/password", status_code=204, **needs(Permission.SIGNED_IN))
async def change_password(wish: models.NewPassword, request: Request, who: Mine, by: By, the: The) -> None:
    """Change one's own password; one's other sessions end."""
    await the.entrance.check_password(who, wish.current.get_secret_value(), visitor=by)
    change = UserChange(password=wish.new.get_secret_value())
    await the.people.change(who.user_id, change, keep_session=who.session)
    await the.trail.append(
        AuditEvent(
            action=Action.USER_CHANGED, actor=actor(request, who), subject=who.user_id, details={"password": True}
        )
    )


@router.get("/session/due", **needs(Permission.SIGNED_IN, room=True))
async def due(who: Mine, the: The) -> list[OwnDue]:
    """Return what is due of the deployments that one answers for: what is overdue first, then by urgency and time."""
    return [
        OwnDue(
            deployment=one.deployment.id,
            title=one.deployment.title,
            street=one.deployment.street,
            unit=one.deployment.unit,
            why=one.why,
            by=iso(one.by_ns),
            overdue=one.overdue,
        )
        for one in await the.deployments.due()
        if answers_for(who, one.deployment)
    ]


@router.get("/session/factors", **needs(Permission.SIGNED_IN, enrolling=True))
async def factors(who: Mine, the: The, request: Request) -> models.FactorList:
    """Return what one has to sign in with."""
    return _listed(await the.factors.of(who.user_id), who.role, the, request)


@router.post("/session/factors/totp", **needs(Permission.SIGNED_IN, step_up=True, enrolling=True))
async def begin_totp(who: Mine, by: By, the: The) -> models.TotpOffer:
    """Return a secret for an authenticator application. It counts once a first code of it was typed."""
    offer = await the.factors.begin_totp(who, address=by.address)
    return models.TotpOffer(ticket=offer.ticket, secret=offer.secret, uri=offer.uri, picture=offer.picture)


@router.put("/session/factors/totp", **needs(Permission.SIGNED_IN, step_up=True, enrolling=True))
async def add_totp(wish: models.TotpTaken, request: Request, who: Mine, by: By, the: The) -> models.RecoveryCodes:
    """Take the application, in place of the one before."""
    codes = await the.factors.add_totp(who, wish.ticket, wish.code, address=by.address)
    await the.access.confirmed(who.session, Method.TOTP)
    await _note(the, request, who, Action.FACTOR_ADDED, factor="totp")
    return models.RecoveryCodes(recovery_codes=codes)


@router.delete("/session/factors/totp", status_code=204, **needs(Permission.SIGNED_IN, step_up=True))
async def remove_totp(request: Request, who: Mine, the: The) -> None:
    """Forget the application."""
    await the.factors.remove_totp(who)
    await _note(the, request, who, Action.FACTOR_REMOVED, factor="totp")


@router.post("/session/factors/passkeys/options", **needs(Permission.SIGNED_IN, step_up=True, enrolling=True))
async def begin_passkey(who: Mine, by: By, the: The) -> models.Challenge:
    """Return what to ask the browser so that it makes a passkey."""
    ticket, options = await the.factors.begin_passkey(who, site_of_passkeys(by), address=by.address)
    return models.Challenge(ticket=ticket, options=options)


@router.post("/session/factors/passkeys", status_code=201, **needs(Permission.SIGNED_IN, step_up=True, enrolling=True))
async def add_passkey(wish: models.PasskeyTaken, request: Request, who: Mine, by: By, the: The) -> models.RecoveryCodes:
    """Take a passkey."""
    row, codes = await the.factors.add_passkey(
        who, wish.ticket, wish.credential, site=site_of_passkeys(by), name=wish.name, address=by.address
    )
    await the.access.confirmed(who.session, Method.PASSKEY)
    await _note(the, request, who, Action.FACTOR_ADDED, factor="passkey", name=row.name)
    return models.RecoveryCodes(recovery_codes=codes)


@router.patch("/session/factors/passkeys/{passkey_id}", status_code=204, **needs(Permission.SIGNED_IN))
async def rename_passkey(passkey_id: str, wish: models.PasskeyRename, who: Mine, the: The) -> None:
    """Rename a passkey."""
    await the.factors.rename_passkey(who, passkey_id, wish.name)


@router.delete("/session/factors/passkeys/{passkey_id}", status_code=204, **needs(Permission.SIGNED_IN, step_up=True))
async def remove_passkey(passkey_id: str, request: Request, who: Mine, the: The) -> None:
    """Forget a passkey."""
    await the.factors.remove_passkey(who, passkey_id)
    await _note(the, request, who, Action.FACTOR_REMOVED, factor="passkey")


@router.post("/session/factors/recovery", **needs(Permission.SIGNED_IN, step_up=True))
async def new_recovery(request: Request, who: Mine, the: The) -> models.RecoveryCodes:
    """Make recovery codes anew; those before no longer work."""
    codes = await the.factors.new_recovery(who.user_id)
    await _note(the, request, who, Action.FACTOR_ADDED, factor="recovery")
    return models.RecoveryCodes(recovery_codes=codes)


@router.get("/users/{user_id}/factors", **needs(Permission.ADMINISTER))
async def factors_of(user_id: str, request: Request, the: The) -> models.FactorList:
    """Return what somebody has to sign in with."""
    user = await the.people.get(user_id)
    return _listed(await the.factors.of(user.id), Role(user.role), the, request)


@router.delete(
    "/users/{user_id}/factors",
    status_code=204,
    **needs(Permission.ADMINISTER, step_up=True, act=Act.CHANGE_USER),
)
async def remove_factors(user_id: str, request: Request, who: Who, the: The) -> None:
    """Remove every second factor of somebody who has lost theirs; their sessions end."""
    user = await the.people.get(user_id)
    await the.factors.remove_all(user.id)
    await the.access.end_sessions_of(user.id, keep=who.session)
    await the.trail.append(
        AuditEvent(
            action=Action.FACTOR_REMOVED,
            actor=actor(request, who),
            subject=user.id,
            details={"factor": "all", "username": user.username},
        )
    )


def _listed(has: Has, role: Role, the: Rooms, request: Request) -> models.FactorList:
    site = site_here(request)
    return models.FactorList(
        password=has.password,
        totp=iso_or_none(has.totp_since_ns),
        passkeys=[
            models.PasskeyEntry(
                id=row.id,
                name=row.name,
                created=iso(row.created_ns),
                used=iso_or_none(row.used_ns),
                here=site is not None and row.rp_id == site.rp_id,
            )
            for row in has.passkeys
        ],
        recovery_left=has.recovery_left,
        required=always_asked(the.settings.access, role),
        passkeys_usable=site is not None,
    )


async def _note(the: Rooms, request: Request, who: Identity, action: Action, **details: str) -> None:
    await the.trail.append(
        AuditEvent(action=action, actor=actor(request, who), subject=who.user_id, details=dict(details))
    )
