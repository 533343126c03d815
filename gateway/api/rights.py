"""Groups of cameras, teams, roles and grants: what administrators keep."""

import json
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from gateway.access.approvals import Act
from gateway.access.grants import GLASS, GrantWish, GroupWish
from gateway.access.groups import corners_of
from gateway.access.identity import Identity
from gateway.access.permissions import Permission, Role
from gateway.api import models
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso, iso_or_none
from gateway.audit.events import Action, AuditEvent
from gateway.db.rights import GrantRow
from kernel.clock import to_ns
from kernel.ids import CameraId

router = APIRouter(prefix="/api/v1", tags=["rights"])

Id = Annotated[str, Field(max_length=32)]
Corner = tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]

Point = Annotated[list[float], Field(min_length=2, max_length=2)]
"""A corner as it is answered: readers of the OpenAPI document stumble over tuples inside lists."""


class NewGroup(models.Taken):
    """A group to be: cameras that are listed, of a label, that stand in an area, and those of groups below."""

    name: models.Name
    parent: Id | None = None
    label: models.Name | None = None
    area: Annotated[list[Corner], Field(max_length=500)] = Field(default_factory=list)
    """Corners as [latitude, longitude] in WGS 84 degrees."""
    cameras: Annotated[list[Id], Field(max_length=10_000)] = Field(default_factory=list)


class Group(BaseModel):
    """A group. ``holds`` is every camera in it now."""

    id: str
    name: str
    parent: str | None
    label: str | None
    area: list[Point]
    cameras: list[str]
    holds: list[str]


class NewTeam(models.Taken):
    """A team to be."""

    name: models.Name
    users: Annotated[list[Id], Field(max_length=1000)] = Field(default_factory=list)


class Team(BaseModel):
    """A team."""

    id: str
    name: str
    users: list[str]


class NewBundle(models.Taken):
    """A role to be."""

    name: models.Name
    permissions: Annotated[list[Permission], Field(max_length=50)]


class Bundle(BaseModel):
    """A role. ``fixed`` are those that come with Sightline."""

    id: str
    name: str
    permissions: list[Permission]
    fixed: bool


class NewGrant(models.Taken):
    """A grant to be, to a user or a team; without a group over all cameras, without times from now on for good."""

    role: Id
    user: Id | None = None
    team: Id | None = None
    group: Id | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    reason: Annotated[str, Field(max_length=1000)] = ""


class Grant(BaseModel):
    """A grant. ``glass`` says that somebody took it for themselves."""

    id: str
    role: str
    user: str | None
    team: str | None
    group: str | None
    start: str
    end: str | None
    reason: str
    granted_by: str
    glass: bool


# --- groups


@router.get("/groups", **needs(Permission.ADMINISTER))
async def groups(the: The) -> list[Group]:
    """Return every group of cameras by name."""
    return [_group(the, row.id) for row in sorted(the.decider.tables().groups, key=lambda row: row.name.casefold())]


@router.post("/groups", status_code=201, **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def add_group(wish: NewGroup, request: Request, who: Who, the: The) -> Group:
    """Make a group."""
    row = await the.grants.put_group(_group_wish(wish))
    await note(the, request, who, Action.GROUP_ADDED, row.id, wish.model_dump(mode="json"))
    return _group(the, row.id)


@router.put("/groups/{group_id}", **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def change_group(group_id: str, wish: NewGroup, request: Request, who: Who, the: The) -> Group:
    """Change a group."""
    row = await the.grants.put_group(_group_wish(wish), group_id)
    await note(the, request, who, Action.GROUP_CHANGED, row.id, wish.model_dump(mode="json"))
    return _group(the, row.id)


@router.delete("/groups/{group_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def remove_group(group_id: str, request: Request, who: Who, the: The) -> None:
    """Remove a group with those below it, and the grants over them."""
    row = await the.grants.remove_group(group_id)
    await note(the, request, who, Action.GROUP_REMOVED, row.id, {"name": row.name})


# --- teams


@router.get("/teams", **needs(Permission.ADMINISTER))
async def teams(the: The) -> list[Team]:
    """Return every team by name."""
    return [_team(the, row.id) for row in sorted(the.decider.tables().teams, key=lambda row: row.name.casefold())]


@router.post("/teams", status_code=201, **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def add_team(wish: NewTeam, request: Request, who: Who, the: The) -> Team:
    """Make a team."""
    row = await the.grants.put_team(wish.name, wish.users)
    await note(the, request, who, Action.TEAM_ADDED, row.id, wish.model_dump(mode="json"))
    return _team(the, row.id)


@router.put("/teams/{team_id}", **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def change_team(team_id: str, wish: NewTeam, request: Request, who: Who, the: The) -> Team:
    """Change a team."""
    row = await the.grants.put_team(wish.name, wish.users, team_id)
    await note(the, request, who, Action.TEAM_CHANGED, row.id, wish.model_dump(mode="json"))
    return _team(the, row.id)


@router.delete("/teams/{team_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def remove_team(team_id: str, request: Request, who: Who, the: The) -> None:
    """Remove a team and what was granted to it."""
    row = await the.grants.remove_team(team_id)
    await note(the, request, who, Action.TEAM_REMOVED, row.id, {"name": row.name})


# --- roles


@router.get("/roles", **needs(Permission.ADMINISTER))
async def roles(the: The) -> list[Bundle]:
    """Return the roles that come with Sightline, then those of the site's own making by name."""
    fixed = [Bundle(id=role.value, name=role.value, permissions=sorted(role.permissions), fixed=True) for role in Role]
    own = sorted(the.decider.tables().bundles, key=lambda row: row.name.casefold())
    return fixed + [_bundle(the, row.id) for row in own]


@router.post("/roles", status_code=201, **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def add_role(wish: NewBundle, request: Request, who: Who, the: The) -> Bundle:
    """Make a role."""
    row = await the.grants.put_bundle(wish.name, wish.permissions)
    await note(the, request, who, Action.ROLE_ADDED, row.id, wish.model_dump(mode="json"))
    return _bundle(the, row.id)


@router.put("/roles/{role_id}", **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def change_role(role_id: str, wish: NewBundle, request: Request, who: Who, the: The) -> Bundle:
    """Change a role: everybody to whom it was granted has what it says now."""
    row = await the.grants.put_bundle(wish.name, wish.permissions, role_id)
    await note(the, request, who, Action.ROLE_CHANGED, row.id, wish.model_dump(mode="json"))
    return _bundle(the, row.id)


@router.delete("/roles/{role_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def remove_role(role_id: str, request: Request, who: Who, the: The) -> None:
    """Remove a role and every grant of it."""
    row = await the.grants.remove_bundle(role_id)
    await note(the, request, who, Action.ROLE_REMOVED, row.id, {"name": row.name})


# --- grants


@router.get("/grants", **needs(Permission.ADMINISTER))
async def grants(the: The) -> list[Grant]:
    """Return every grant, the newest first; those that are over too."""
    return [shown_grant(row) for row in reversed(the.decider.tables().grants)]


@router.post("/grants", status_code=201, **needs(Permission.ADMINISTER, step_up=True, act=Act.GRANT))
async def add_grant(wish: NewGrant, request: Request, who: Who, the: The) -> Grant:
    """Grant a role to a user or a team."""
    row = await the.grants.add(
        GrantWish(
            role=wish.role,
            user_id=wish.user,
            team_id=wish.team,
            group_id=wish.group,
            starts_ns=to_ns(wish.start) if wish.start is not None else None,
            ends_ns=to_ns(wish.end) if wish.end is not None else None,
            reason=wish.reason,
        ),
        by=who,
    )
    await note(the, request, who, Action.GRANT_ADDED, row.id, shown_grant(row).model_dump(mode="json"))
    return shown_grant(row)


@router.delete("/grants/{grant_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def end_grant(grant_id: str, request: Request, who: Who, the: The) -> None:
    """Take a grant away: what goes on by it ends at once."""
    row = await the.grants.end(grant_id)
    await note(the, request, who, Action.GRANT_REMOVED, row.id, shown_grant(row).model_dump(mode="json"))


async def note(
    the: Rooms, request: Request, who: Identity, action: Action, subject: str, details: dict[str, object]
) -> None:
    """Record a change to rights; what is no plain value is told as JSON."""
    flat = {
        key: value if value is None or isinstance(value, str | int | bool) else json.dumps(value)
        for key, value in details.items()
    }
    await the.trail.append(AuditEvent(action=action, actor=actor(request, who), subject=subject, details=flat))


def _group_wish(wish: NewGroup) -> GroupWish:
    return GroupWish(
        name=wish.name,
        parent_id=wish.parent,
        label=wish.label,
        area=wish.area,
        cameras=[CameraId(one) for one in wish.cameras],
    )


def _group(the: Rooms, group_id: str) -> Group:
    tables = the.decider.tables()
    row = next(row for row in tables.groups if row.id == group_id)
    return Group(
        id=row.id,
        name=row.name,
        parent=row.parent_id,
        label=row.label,
        area=[list(corner) for corner in corners_of(row.area)],
        cameras=sorted(camera for group, camera in tables.members if group == group_id),
        holds=sorted(the.decider.cameras_in(group_id)),
    )


def _team(the: Rooms, team_id: str) -> Team:
    tables = the.decider.tables()
    row = next(row for row in tables.teams if row.id == team_id)
    return Team(id=row.id, name=row.name, users=sorted(user for team, user in tables.team_members if team == team_id))


def _bundle(the: Rooms, bundle_id: str) -> Bundle:
    row = next(row for row in the.decider.tables().bundles if row.id == bundle_id)
    return Bundle(id=row.id, name=row.name, permissions=json.loads(row.permissions), fixed=False)


def shown_grant(row: GrantRow) -> Grant:
    """Return a grant as it is answered."""
    return Grant(
        id=row.id,
        role=row.role,
        user=row.user_id,
        team=row.team_id,
        group=row.group_id,
        start=iso(row.starts_ns),
        end=iso_or_none(row.ends_ns),
        reason=row.reason,
        granted_by=row.granted_by,
        glass=row.kind == GLASS,
    )
