"""Users and API tokens: what administrators keep."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gateway.access.approvals import Act
from gateway.access.people import UserChange
from gateway.access.permissions import Permission, Role
from gateway.api import models
from gateway.api.guard import Who, actor, by_two, needs
from gateway.api.rooms import The
from gateway.api.times import iso, iso_or_none
from gateway.audit.events import Action, AuditEvent
from gateway.db.tokens import TokenRow
from gateway.db.users import UserRow

router = APIRouter(prefix="/api/v1", tags=["people"])


class UserEntry(BaseModel):
    """A user as administrators see them."""

    id: str
    username: str
    name: str
    role: Role
    disabled: bool
    created: str
    signed_in: str | None


class NewUser(models.Taken):
    """A user to be."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    name: models.Word = ""
    role: Role
    password: models.Password


class ChangeUser(models.Taken):
    """What is to change; a key left out stays."""

    name: models.Name | None = None
    role: Role | None = None
    disabled: bool | None = None
    password: models.Password | None = None


class TokenEntry(BaseModel):
    """A token, without what would open anything."""

    id: str
    name: str
    user_id: str
    role: Role
    created: str
    expires: str
    used: str | None


class NewToken(models.Taken):
    """A token to be, for oneself or for another user."""

    name: models.Name
    role: Role
    days: Annotated[int, Field(ge=1)] = 90
    user_id: Annotated[str, Field(max_length=32)] | None = None


class ShownToken(TokenEntry):
    """A token with its secret: this is the only time that it is shown."""

    token: str


@router.get("/users", **needs(Permission.ADMINISTER))
async def users(the: The) -> list[UserEntry]:
    """Return everybody."""
    return [_user(row) for row in await the.people.users()]


@router.post("/users", status_code=201, **needs(Permission.ADMINISTER, step_up=True, act=Act.ADD_USER))
async def add_user(wish: NewUser, request: Request, who: Who, the: The) -> UserEntry:
    """Add a user."""
    row = await the.people.add(
        username=wish.username, name=wish.name, role=wish.role, password=wish.password.get_secret_value()
    )
    await the.decider.reload()
    await the.trail.append(
        AuditEvent(
            action=Action.USER_ADDED,
            actor=actor(request, who),
            subject=row.id,
            details={"username": row.username, "role": row.role},
        )
    )
    return _user(row)


@router.patch("/users/{user_id}", **needs(Permission.ADMINISTER, step_up=True, act=Act.CHANGE_USER))
async def change_user(user_id: str, wish: ChangeUser, request: Request, who: Who, the: The) -> UserEntry:
    """Change a user. A new password or role, or disabling, ends their sessions."""
    change = UserChange(
        name=wish.name,
        role=wish.role,
        disabled=wish.disabled,
        password=wish.password.get_secret_value() if wish.password is not None else None,
    )
    row = await the.people.change(user_id, change, keep_session=who.session if user_id == who.user_id else None)
    await the.decider.reload()
    await the.trail.append(
        AuditEvent(
            action=Action.USER_CHANGED,
            actor=actor(request, who),
            subject=row.id,
            details={
                "username": row.username,
                "role": wish.role,
                "disabled": wish.disabled,
                "password": wish.password is not None,
            },
        )
    )
    return _user(row)


@router.delete("/users/{user_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True, act=Act.REMOVE_USER))
async def remove_user(user_id: str, request: Request, who: Who, the: The) -> None:
    """Remove a user with their sessions and tokens."""
    row = await the.people.remove(user_id)
    await the.decider.reload()  # whereupon sharing forgets them too
    await the.trail.append(
        AuditEvent(
            action=Action.USER_REMOVED,
            actor=actor(request, who),
            subject=row.id,
            details={"username": row.username},
        )
    )


@router.get("/tokens", **needs(Permission.ADMINISTER))
async def tokens(the: The) -> list[TokenEntry]:
    """Return every token."""
    return [_token(row) for row in await the.people.tokens()]


@router.post("/tokens", status_code=201, **needs(Permission.ADMINISTER, step_up=True))
async def add_token(wish: NewToken, request: Request, who: Who, the: The) -> ShownToken:
    """Make a token. One for somebody else lets whoever has it act as them, as another password would."""
    if wish.user_id not in {None, who.user_id}:
        await by_two(request, Act.CHANGE_USER)
    row, secret = await the.people.add_token(
        user_id=wish.user_id or who.user_id, name=wish.name, role=wish.role, days=wish.days
    )
    await the.decider.reload()
    await the.trail.append(
        AuditEvent(
            action=Action.TOKEN_ADDED,
            actor=actor(request, who),
            subject=row.id,
            details={"name": row.name, "role": row.role, "user": row.user_id, "days": wish.days},
        )
    )
    return ShownToken(token=secret, **_token(row).model_dump())


@router.delete("/tokens/{token_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def remove_token(token_id: str, request: Request, who: Who, the: The) -> None:
    """Revoke a token."""
    await the.people.remove_token(token_id)
    await the.decider.reload()
    await the.trail.append(AuditEvent(action=Action.TOKEN_REMOVED, actor=actor(request, who), subject=token_id))


def _user(row: UserRow) -> UserEntry:
    return UserEntry(
        id=row.id,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        disabled=row.disabled,
        created=iso(row.created_ns),
        signed_in=iso_or_none(row.signed_in_ns),
    )


def _token(row: TokenRow) -> TokenEntry:
    return TokenEntry(
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        role=Role(row.role),
        created=iso(row.created_ns),
        expires=iso(row.expires_ns),
        used=iso_or_none(row.used_ns),
    )
