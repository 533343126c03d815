"""Keeping groups of cameras, teams, roles of the site's own making, and grants; and breaking the glass."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from config.access import AccessSettings
from gateway.access.decision import Decider
from gateway.access.errors import ForbiddenError, RightsError, UnknownError
from gateway.access.groups import family
from gateway.access.identity import Identity
from gateway.access.permissions import Permission, Role
from gateway.db.engine import Database
from gateway.db.glass import GlassBreak, GlassBreaks
from gateway.db.rights import BundleRow, GrantRow, GroupRow, RightsRows, TeamRow
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId, new_id

Row = TypeVar("Row", GroupRow, TeamRow, BundleRow, GrantRow)

GRANT = "grant"
GLASS = "glass"
CORNERS_MAX = 500
REASON_MIN = 10
"""Characters; a reason for breaking the glass that is shorter says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWish:
    """A group as it is to be."""

    name: str
    parent_id: str | None = None
    label: str | None = None
    area: Sequence[tuple[float, float]] = ()
    """Corners as (latitude, longitude) in WGS 84 degrees; none for no area."""
    cameras: Sequence[CameraId] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantWish:
    """A grant as it is to be: to a user or a team."""

    role: str
    user_id: str | None = None
    team_id: str | None = None
    group_id: str | None = None
    """``None`` is all cameras."""
    starts_ns: int | None = None
    """``None`` is now."""
    ends_ns: int | None = None
    reason: str = ""


class Grants:
    """What administrators keep. Every change holds from the moment that the call returns."""

    def __init__(self, database: Database, decider: Decider, *, clock: Clock, settings: AccessSettings) -> None:
        self._database = database
        self._decider = decider
        self._clock = clock
        self._settings = settings

    # --- groups

    async def put_group(self, wish: GroupWish, group_id: str | None = None) -> GroupRow:
        """Make a group, or change one.

        Raises:
            RightsError: it would be below itself, or its area is none.
            UnknownError: no such group, parent or camera.
            ConflictError: another has that name.
        """
        known = {group.id: group for group in self._decider.tables().groups}
        for wanted in (group_id, wish.parent_id):
            if wanted is not None and wanted not in known:
                raise UnknownError("There is no such group.", cure="See the list of groups.")
        below: dict[str, list[str]] = {}
        for group in known.values():
            if group.parent_id is not None:
                below.setdefault(group.parent_id, []).append(group.id)
        if group_id is not None and wish.parent_id in family(group_id, below):
            raise RightsError("A group cannot be below itself.", cure="Choose another group above it.")
        if wish.area and not 3 <= len(wish.area) <= CORNERS_MAX:
            raise RightsError(f"An area has 3 to {CORNERS_MAX} corners.", cure="Draw it on the map.")
        row = GroupRow(
            id=group_id or new_id(),
            name=wish.name,
            parent_id=wish.parent_id,
            label=wish.label,
            area=json.dumps([list(corner) for corner in wish.area]) if wish.area else None,
        )
        async with self._database.write() as connection:
            await RightsRows(connection).put_group(row, wish.cameras)
        await self._decider.reload()
        return row

    async def remove_group(self, group_id: str) -> GroupRow:
        """Remove a group with those below it and the grants over them.

        Raises:
            UnknownError: no such group.
        """
        row = _found(self._decider.tables().groups, group_id, "group")
        async with self._database.write() as connection:
            await RightsRows(connection).remove_group(group_id)
        await self._decider.reload()
        return row

    # --- teams

    async def put_team(self, name: str, users: Iterable[str], team_id: str | None = None) -> TeamRow:
        """Make a team, or change one.

        Raises:
            UnknownError: no such team.
            ConflictError: another has that name, or a user is gone.
        """
        if team_id is not None:
            _found(self._decider.tables().teams, team_id, "team")
        row = TeamRow(id=team_id or new_id(), name=name)
        async with self._database.write() as connection:
            await RightsRows(connection).put_team(row, users)
        await self._decider.reload()
        return row

    async def remove_team(self, team_id: str) -> TeamRow:
        """Remove a team and what was granted to it.

        Raises:
            UnknownError: no such team.
        """
        row = _found(self._decider.tables().teams, team_id, "team")
        async with self._database.write() as connection:
            await RightsRows(connection).remove_team(team_id)
        await self._decider.reload()
        return row

    # --- roles

    async def put_bundle(self, name: str, permissions: Iterable[Permission], bundle_id: str | None = None) -> BundleRow:
        """Make a role, or change one. Whoever has it may sign in: that goes without saying.

        Raises:
            RightsError: it has the name of a role that comes with Sightline.
            UnknownError: no such role.
            ConflictError: another has that name.
        """
        if name.strip().casefold() in set(Role):
            raise RightsError(f"{name} comes with Sightline and stays as it is.", cure="Choose another name.")
        if bundle_id is not None:
            _found(self._decider.tables().bundles, bundle_id, "role")
        held = sorted({Permission.SIGNED_IN, *permissions})
        row = BundleRow(id=bundle_id or new_id(), name=name, permissions=json.dumps(held))
        async with self._database.write() as connection:
            await RightsRows(connection).put_bundle(row)
        await self._decider.reload()
        return row

    async def remove_bundle(self, bundle_id: str) -> BundleRow:
        """Remove a role and the grants of it.

        Raises:
            UnknownError: no such role, or it comes with Sightline.
        """
        row = _found(self._decider.tables().bundles, bundle_id, "role")
        async with self._database.write() as connection:
            await RightsRows(connection).remove_bundle(bundle_id)
        await self._decider.reload()
        return row

    # --- grants

    async def add(self, wish: GrantWish, *, by: Identity) -> GrantRow:
        """Grant a role.

        Raises:
            RightsError: to nobody or to two, or it would end before it begins.
            UnknownError: no such user, team, role or group.
        """
        tables = self._decider.tables()
        if (wish.user_id is None) == (wish.team_id is None):
            raise RightsError("A grant is for one user or one team.", cure="Name one of them.")
        if wish.user_id is not None and tables.users.get(wish.user_id) == Role.PARTNER:
            raise RightsError("Nothing is granted to people of a partner.", cure="Share cameras with them.")
        if wish.team_id is not None:
            _found(tables.teams, wish.team_id, "team")
        if wish.group_id is not None:
            _found(tables.groups, wish.group_id, "group")
        if wish.role not in set(Role):
            _found(tables.bundles, wish.role, "role")
        now_ns = self._clock.wall_ns()
        starts_ns = wish.starts_ns if wish.starts_ns is not None else now_ns
        if wish.ends_ns is not None and wish.ends_ns <= max(starts_ns, now_ns):
            raise RightsError("The grant would be over before it begins.", cure="Choose a later end.")
        row = GrantRow(
            id=new_id(),
            kind=GRANT,
            user_id=wish.user_id,
            team_id=wish.team_id,
            role=wish.role,
            group_id=wish.group_id,
            starts_ns=starts_ns,
            ends_ns=wish.ends_ns,
            reason=wish.reason,
            granted_by=by.user_id,
            created_ns=now_ns,
        )
        await self._store(row)
        return row

    async def end(self, grant_id: str) -> GrantRow:
        """Take a grant away, or close the glass.

        Raises:
            UnknownError: no such grant.
        """
        row = _found(self._decider.tables().grants, grant_id, "grant")
        async with self._database.write() as connection:
            await GlassBreaks(connection).close(grant_id, self._clock.wall_ns())
            await RightsRows(connection).remove_grant(grant_id)
        await self._decider.reload()
        return row

    # --- the glass

    async def break_glass(self, who: Identity, *, reason: str, minutes: int) -> GrantRow:
        """Give somebody an operator's rights on every camera for a while, for the reason that they typed.

        Raises:
            RightsError: the reason says nothing, or the time is too long.
        """
        longest = self._settings.glass_max_minutes
        if len(reason.strip()) < REASON_MIN:
            raise RightsError(
                "The reason is too short to be one.", cure="Say what has happened and why it cannot wait."
            )
        if not 1 <= minutes <= longest:
            raise RightsError(f"The glass is broken for 1 to {longest} minutes.", cure="Break it again if need be.")
        now_ns = self._clock.wall_ns()
        row = GrantRow(
            id=new_id(),
            kind=GLASS,
            user_id=who.user_id,
            team_id=None,
            role=Role.OPERATOR,
            group_id=None,
            starts_ns=now_ns,
            ends_ns=now_ns + minutes * 60 * NS_PER_S,
            reason=reason.strip(),
            granted_by=who.user_id,
            created_ns=now_ns,
        )
        broken = GlassBreak(
            id=row.id,
            user_id=who.user_id,
            name=who.name or who.username,
            reason=row.reason,
            starts_ns=now_ns,
            ends_ns=now_ns + minutes * 60 * NS_PER_S,
        )
        async with self._database.write() as connection:
            await RightsRows(connection).put_grant(row)
            await GlassBreaks(connection).add(broken)
        await self._decider.reload()
        return row

    async def close_glass(self, grant_id: str, *, by: Identity, anybodys: bool) -> GrantRow:
        """Give back what breaking the glass gave: one's own, or where ``anybodys`` that of others too.

        Raises:
            UnknownError: it is not broken, or by somebody else.
        """
        row = next((row for row in self.broken() if row.id == grant_id), None)
        if row is None or not (anybodys or row.user_id == by.user_id):
            raise UnknownError("That glass is not broken.", cure="See where it is.")
        return await self.end(grant_id)

    async def acknowledge_glass(self, grant_id: str, *, by: Identity) -> GlassBreak:
        """Have nobody told any more that the glass was broken: one who did not break it says that they know.

        Raises:
            ForbiddenError: they broke it themselves, or are a program.
            UnknownError: nobody waits for that.
        """
        row = next((row for row in self.unacknowledged() if row.id == grant_id), None)
        if row is None:
            raise _seen()
        if by.token_name is not None:
            raise ForbiddenError("Only a person says that they have seen it.", cure="Sign in, and do it yourself.")
        if row.user_id == by.user_id:
            raise ForbiddenError("You broke this glass yourself.", cure="Somebody else who supervises has to see it.")
        async with self._database.write() as connection:
            if not await GlassBreaks(connection).remove(grant_id):
                raise _seen()
            await RightsRows(connection).raise_version()
        await self._decider.reload()
        return row

    def unacknowledged(self) -> Sequence[GlassBreak]:
        """Return where the glass is or was broken and no supervisor said that they know, the oldest first."""
        return self._decider.tables().breaks

    def broken(self) -> list[GrantRow]:
        """Return where the glass is broken now."""
        now_ns = self._clock.wall_ns()
        return [row for row in self._decider.tables().grants if row.kind == GLASS and (row.ends_ns or 0) > now_ns]

    async def _store(self, row: GrantRow) -> None:
        async with self._database.write() as connection:
            await RightsRows(connection).put_grant(row)
        await self._decider.reload()


def _seen() -> UnknownError:
    return UnknownError("There is no such broken glass, or somebody has seen it by now.", cure="See what is listed.")


def _found(rows: Sequence[Row], row_id: str, what: str) -> Row:
    row = next((row for row in rows if row.id == row_id), None)
    if row is None:
        raise UnknownError(f"There is no such {what}.", cure=f"See the list of {what}s.")
    return row
