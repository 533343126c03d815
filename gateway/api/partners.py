"""Partner organisations: what administrators keep, whom supervisors invite, and how somebody outside comes in."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from gateway.access import totp
from gateway.access.approvals import Act
from gateway.access.errors import ForbiddenError, PasswordPolicyError, UnknownError
from gateway.access.permissions import Permission, Role
from gateway.api import models, session_models
from gateway.api.enrolling import make_recipient
from gateway.api.guard import Awake, Who, actor, needs, public
from gateway.api.rooms import Rooms, The, address_of, origin_of
from gateway.api.session import enter
from gateway.api.sharing import doer
from gateway.api.times import iso, iso_or_none
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.db.errors import ConflictError
from gateway.db.partners import OrganisationRow, RecipientRow
from gateway.sharing.errors import InvitationError
from gateway.sharing.partners import OrganisationWish

router = APIRouter(prefix="/api/v1", tags=["partners"])

Id = Annotated[str, Field(max_length=32)]
Code = Annotated[str, Field(min_length=1, max_length=64)]


class NewOrganisation(models.Taken):
    """An organisation to be. Without networks its people come from anywhere; ``certificate`` is a SHA-256 in hex."""

    name: models.Name
    networks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)] = Field(default_factory=list)
    certificate: Annotated[str, Field(max_length=128)] | None = None
    disabled: bool = False


class Recipient(BaseModel):
    """Somebody of an organisation. ``terms`` is when they accepted those of today."""

    user_id: str
    name: str
    enrolled: str
    terms: str | None


class Invitation(BaseModel):
    """Somebody who is invited and has not enrolled."""

    id: str
    username: str
    name: str
    expires: str


class Organisation(BaseModel):
    """An organisation with its people."""

    id: str
    name: str
    networks: list[str]
    certificate: str | None
    disabled: bool
    people: list[Recipient]
    invited: list[Invitation]


class Invite(models.Taken):
    """Whom to invite."""

    username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.@-]+$")]
    name: models.Name


class ShownInvitation(Invitation):
    """An invitation with its code: this is the only time that it is shown."""

    code: str
    link: str
    """Where the code is used, with it."""
    picture: str
    """The link as a QR code: an SVG in a ``data:`` URL."""


class Invited(models.Taken):
    """A code that somebody was given."""

    code: Code


class InvitedAs(BaseModel):
    """Whom a code enrols."""

    username: str
    name: str
    organisation: str
    expires: str


class Enrolment(models.Taken):
    """What somebody who was invited gives. Their name is the invitation's: it is drawn over the pictures."""

    code: Code
    password: models.Password


class Terms(BaseModel):
    """What partners accept before they see anything."""

    version: str
    text: str
    accepted: bool


class Accept(models.Taken):
    """The terms that one has read."""

    version: Annotated[str, Field(max_length=32)]


# --- organisations


@router.get("/organisations", **needs(Permission.SHARE))
async def organisations(the: The) -> list[Organisation]:
    """Return every organisation by name, with its people and who is invited."""
    return [await _organisation(the, row) for row in the.sharing.partners.organisations()]


@router.post("/organisations", status_code=201, **needs(Permission.ADMINISTER, step_up=True))
async def add(wish: NewOrganisation, request: Request, who: Who, the: The) -> Organisation:
    """Make an organisation."""
    row = await the.sharing.partners.put(_wish(wish))
    await _note(the, actor(request, who), Action.PARTNER_ADDED, row)
    return await _organisation(the, row)


@router.put("/organisations/{organisation_id}", **needs(Permission.ADMINISTER, step_up=True))
async def change(organisation_id: str, wish: NewOrganisation, request: Request, who: Who, the: The) -> Organisation:
    """Change an organisation. Its people are signed out: they come in anew, as is agreed now."""
    row = await the.sharing.partners.put(_wish(wish), organisation_id)
    await _note(the, actor(request, who), Action.PARTNER_CHANGED, row)
    for one in the.sharing.partners.people(organisation_id):
        await the.people.sign_out(one.user_id)
    return await _organisation(the, row)


@router.delete(
    "/organisations/{organisation_id}",
    status_code=204,
    **needs(Permission.ADMINISTER, step_up=True, act=Act.REMOVE_USER),
)
async def remove(organisation_id: str, request: Request, who: Who, the: The) -> None:
    """Remove an organisation: its shares end, and its people are users no more. Who has come to the room stays one."""
    by = doer(request, who)
    partners, shares = the.sharing.partners, the.sharing.shares
    with partners.leaving(organisation_id):
        await shares.end(shares.organisation_shares(organisation_id), by=by)
        for one in partners.people(organisation_id):
            with suppress(UnknownError):  # removed by somebody else meanwhile
                if await _is_outside(the, one.user_id):
                    await the.people.remove(one.user_id)
                    the.trail.note(_removed(actor(request, who), one))
        row = await partners.remove(organisation_id)
    await the.decider.reload()
    await _note(the, actor(request, who), Action.PARTNER_REMOVED, row)


# --- inviting and enrolling


@router.post(
    "/organisations/{organisation_id}/invitations", status_code=201, **needs(Permission.SUPERVISE, step_up=True)
)
async def invite(organisation_id: str, wish: Invite, request: Request, who: Who, the: The) -> ShownInvitation:
    """Invite somebody: the code enrols them once, and soon not any more. An earlier one of theirs is worthless."""
    if any(user.username == wish.username.casefold() for user in await the.people.users()):
        raise ConflictError(f"There is already a user called {wish.username}.", cure="Choose another user name.")
    row, code = await the.sharing.partners.invite(
        organisation_id, username=wish.username.casefold(), name=wish.name, invited_by=who.user_id
    )
    await the.trail.append(
        AuditEvent(
            action=Action.PARTNER_INVITED,
            actor=actor(request, who),
            subject=organisation_id,
            details={"username": row.username, "name": row.name},
        )
    )
    link = f"{origin_of(request)}/watch#join={code}"
    return ShownInvitation(
        id=row.id,
        username=row.username,
        name=row.name,
        expires=iso(row.expires_ns),
        code=code,
        link=link,
        picture=await asyncio.to_thread(totp.picture, link),
    )


@router.delete("/invitations/{invitation_id}", status_code=204, **needs(Permission.SUPERVISE, step_up=True))
async def withdraw(invitation_id: str, request: Request, who: Who, the: The) -> None:
    """Make an invitation worthless."""
    await the.sharing.partners.withdraw(invitation_id)
    await the.trail.append(
        AuditEvent(action=Action.INVITATION_WITHDRAWN, actor=actor(request, who), subject=invitation_id)
    )


@router.post("/invitation", **public())
async def invitation(wish: Invited, request: Request, the: The) -> InvitedAs:
    """Tell whom a code enrols, so that they see that it is theirs. That does not use it; a wrong one counts."""
    address = address_of(request)
    the.entrance.attempt(address)
    found = await the.sharing.partners.invitation(wish.code)
    the.entrance.succeeded(address)
    return InvitedAs(
        username=found.username,
        name=found.name,
        organisation=the.sharing.partners.organisation(found.organisation_id).name,
        expires=iso(found.expires_ns),
    )


@router.post("/enrolment", status_code=201, **public())
async def enrol(wish: Enrolment, request: Request, response: Response, the: The) -> session_models.SignedIn:
    """Use up an invitation: make oneself a user with a password of one's own, and sign in."""
    address = address_of(request)
    the.entrance.attempt(address)
    try:
        invitation = await the.sharing.partners.invitation(wish.code)
        user, _ = await make_recipient(the, invitation, password=wish.password.get_secret_value())
    except (InvitationError, PasswordPolicyError) as error:
        the.trail.note(
            AuditEvent(
                action=Action.PARTNER_ENROLLED,
                actor=Actor(id="", name="", address=address),
                outcome=Outcome.FAILED,
                details={"error": error.code},
            )
        )
        raise
    the.entrance.succeeded(address)
    return await enter(request, response, the, user, Action.PARTNER_ENROLLED)


@router.delete(
    "/recipients/{user_id}", status_code=204, **needs(Permission.SUPERVISE, step_up=True, act=Act.REMOVE_USER)
)
async def remove_recipient(user_id: str, request: Request, who: Who, the: The) -> None:
    """Remove somebody of a partner: they see nothing from now on, and cannot sign in."""
    row = the.sharing.partners.own(user_id)
    if not await _is_outside(the, user_id):
        # Made one of the room since they enrolled: who supervises removes nobody of it.
        raise ForbiddenError(f"{row.name} is one of the room by now.", cure="An administrator can remove them.")
    await the.people.remove(user_id)
    await the.decider.reload()  # whereupon sharing forgets them too
    await the.trail.append(_removed(actor(request, who), row))


# --- terms


@router.get("/terms", **needs(Permission.SIGNED_IN))
async def terms(who: Who, the: The) -> Terms:
    """Return the terms, and whether one has accepted them as they are now."""
    partners = the.sharing.partners
    known = partners.recipient(who.user_id)
    return Terms(
        version=partners.terms_version,
        text=the.settings.sharing.terms,
        accepted=known is not None and known.terms_version == partners.terms_version,
    )


@router.post("/terms", status_code=204, **needs(Permission.SIGNED_IN))
async def accept(wish: Accept, request: Request, who: Awake, the: The) -> None:
    """Accept the terms. To accept what one has accepted already does nothing."""
    partners = the.sharing.partners
    known = partners.own(who.user_id)
    if known.terms_version == wish.version == partners.terms_version:
        return
    the.sharing.acts.count(f"terms {who.user_id}")
    await partners.accept_terms(who.user_id, wish.version)
    await the.trail.append(
        AuditEvent(
            action=Action.TERMS_ACCEPTED,
            actor=actor(request, who),
            subject=who.user_id,
            details={"version": wish.version},
        )
    )


async def _is_outside(the: Rooms, user_id: str) -> bool:
    return (await the.people.get(user_id)).role == Role.PARTNER


def _removed(by: Actor, row: RecipientRow) -> AuditEvent:
    return AuditEvent(action=Action.USER_REMOVED, actor=by, subject=row.user_id, details={"name": row.name})


async def _note(the: Rooms, by: Actor, action: Action, row: OrganisationRow) -> None:
    details = {
        "name": row.name,
        "networks": ", ".join(row.networks),
        "certificate": row.certificate,
        "disabled": row.disabled,
    }
    await the.trail.append(AuditEvent(action=action, actor=by, subject=row.id, details=details))


def _wish(wish: NewOrganisation) -> OrganisationWish:
    return OrganisationWish(
        name=wish.name, networks=tuple(wish.networks), certificate=wish.certificate, disabled=wish.disabled
    )


async def _organisation(the: Rooms, row: OrganisationRow) -> Organisation:
    partners = the.sharing.partners
    waiting = [one for one in await partners.invitations() if one.organisation_id == row.id]
    return Organisation(
        id=row.id,
        name=row.name,
        networks=list(row.networks),
        certificate=row.certificate,
        disabled=row.disabled,
        people=[_recipient(one, partners.terms_version) for one in partners.people(row.id)],
        invited=[
            Invitation(id=one.id, username=one.username, name=one.name, expires=iso(one.expires_ns)) for one in waiting
        ],
    )


def _recipient(row: RecipientRow, terms_version: str) -> Recipient:
    accepted = row.terms_version == terms_version
    return Recipient(
        user_id=row.user_id,
        name=row.name,
        enrolled=iso(row.enrolled_ns),
        terms=iso_or_none(row.terms_ns) if accepted else None,
    )
