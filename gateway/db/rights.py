"""Groups of cameras, teams, bundles of permissions, and grants: who may do what where, and from when to when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.glass import GlassBreak, GlassBreaks
from gateway.db.tables import (
    access_version,
    bundles,
    camera_group_members,
    camera_groups,
    grants,
    team_members,
    teams,
    tokens,
    users,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group of cameras: those listed, those whose own group has the name ``label``, and those that stand in ``area``.

    A group holds what the groups below it hold.
    """

    id: str
    name: str
    parent_id: str | None
    label: str | None
    area: str | None
    """JSON: the corners of a polygon as [latitude, longitude] in WGS 84 degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """A team of users."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRow:
    """A role of the site's own making. ``permissions`` is a JSON list."""

    id: str
    name: str
    permissions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """A role, given to a user or a team, over a group of cameras or all of them, for a time."""

    id: str
    kind: str
    """``grant``, or ``glass`` where somebody took it for themselves."""
    user_id: str | None
    team_id: str | None
    role: str
    """A role that comes with Sightline by its name, or a bundle by its identifier."""
    group_id: str | None
    starts_ns: int
    ends_ns: int | None
    reason: str
    granted_by: str
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsTables:
    """All of it, as it stood at one moment."""

    version: int
    groups: tuple[GroupRow, ...]
    members: frozenset[tuple[str, str]]
    """Of groups: (group, camera)."""
    teams: tuple[TeamRow, ...]
    team_members: frozenset[tuple[str, str]]
    """(team, user)."""
    bundles: tuple[BundleRow, ...]
    grants: tuple[GrantRow, ...]
    users: Mapping[str, str]
    """The role of everybody who is not disabled, by user."""
    tokens: Mapping[str, tuple[str, str, int]]
    """(user, role, end) of each API token."""
    disabled: frozenset[str] = frozenset()
    """Users who are there, and may do nothing."""
    breaks: tuple[GlassBreak, ...] = ()
    """Where the glass was broken, going on or over, that no supervisor acknowledged: the oldest first."""


class RightsRows:
    """The repository, on one transaction. What changes rights raises the version with it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def version(self) -> int:
        """Return a number that rises with every change."""
        return int((await self._connection.execute(select(access_version.c.version))).scalar_one())

    async def raise_version(self) -> None:
        """Say that something changed: other processes read it anew."""
        await self._connection.execute(update(access_version).values(version=access_version.c.version + 1))

    async def everything(self) -> RightsTables:
        """Return all rows."""
        run = self._connection.execute
        return RightsTables(
            version=await self.version(),
            groups=tuple(GroupRow(**row._asdict()) for row in await run(select(camera_groups))),
            members=frozenset((row.group_id, row.camera_id) for row in await run(select(camera_group_members))),
            teams=tuple(TeamRow(**row._asdict()) for row in await run(select(teams))),
            team_members=frozenset((row.team_id, row.user_id) for row in await run(select(team_members))),
            bundles=tuple(BundleRow(**row._asdict()) for row in await run(select(bundles))),
            grants=tuple(GrantRow(**row._asdict()) for row in await run(select(grants).order_by(grants.c.created_ns))),
            users={row.id: row.role for row in await run(select(users).where(~users.c.disabled))},
            disabled=frozenset((await run(select(users.c.id).where(users.c.disabled))).scalars()),
            tokens={row.id: (row.user_id, row.role, row.expires_ns) for row in await run(select(tokens))},
            breaks=await GlassBreaks(self._connection).all(),
        )

    async def put_group(self, row: GroupRow, cameras: Iterable[str]) -> None:
        """Store a group with the cameras that are listed in it.

        Raises:
            ConflictError: another has that name.
        """
        await self._put(camera_groups, row, f"There is already a group called {row.name}.")
        await self._replace_members(camera_group_members, "group_id", row.id, "camera_id", cameras)

    async def put_team(self, row: TeamRow, people: Iterable[str]) -> None:
        """Store a team with its members.

        Raises:
            ConflictError: another has that name.
        """
        await self._put(teams, row, f"There is already a team called {row.name}.")
        await self._replace_members(team_members, "team_id", row.id, "user_id", people)

    async def put_bundle(self, row: BundleRow) -> None:
        """Store a role.

        Raises:
            ConflictError: another has that name.
        """
        await self._put(bundles, row, f"There is already a role called {row.name}.")

    async def put_grant(self, row: GrantRow) -> None:
        """Store a grant."""
        await self._put(grants, row, "That grant is there already.")

    async def remove_group(self, group_id: str) -> None:
        """Delete a group; the grants over it and the groups below it go with it."""
        await self._remove(camera_groups, group_id)

    async def remove_team(self, team_id: str) -> None:
        """Delete a team and the grants to it."""
        await self._remove(teams, team_id)

    async def remove_bundle(self, bundle_id: str) -> None:
        """Delete a role and the grants of it."""
        await self._connection.execute(delete(grants).where(grants.c.role == bundle_id))
        await self._remove(bundles, bundle_id)

    async def remove_grant(self, grant_id: str) -> None:
        """Delete a grant."""
        await self._remove(grants, grant_id)

    async def _put(self, table: Table, row: object, taken: str) -> None:
        values = {column.name: getattr(row, column.name) for column in table.columns}
        changed = await self._connection.execute(select(table.c.id).where(table.c.id == values["id"]))
        known = changed.one_or_none() is not None
        try:
            await self._connection.execute(
                update(table).where(table.c.id == values["id"]).values(values)
                if known
                else insert(table).values(values)
            )
        except IntegrityError as error:
            if "unique" not in str(error.orig).lower():
                raise ConflictError("What it is about is not there any more.", cure="Look at the list anew.") from None
            raise ConflictError(taken, cure="Choose another name.") from None
        await self.raise_version()

    async def _replace_members(self, table: Table, key: str, owner: str, column: str, members: Iterable[str]) -> None:
        await self._connection.execute(delete(table).where(table.c[key] == owner))
        rows = [{key: owner, column: member} for member in sorted(set(members))]
        if rows:
            try:
                await self._connection.execute(insert(table), rows)
            except IntegrityError:
                raise ConflictError("One of them is not there any more.", cure="Look at the list anew.") from None

    async def _remove(self, table: Table, row_id: str) -> None:
        await self._connection.execute(delete(table).where(table.c.id == row_id))
        await self.raise_version()
