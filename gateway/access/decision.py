"""The one place that decides who may do what: every route, socket, view and range of footage asks here.

What is decided from is held in memory: the tables of rights, and where cameras stand. It is read anew when this process
changes it, and within half a second of another's change (``sightline users``); a right that begins or ends by the clock
does so on time. Whoever lets something go on that lasts asks again when told by :meth:`Decider.when_changed`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol

from gateway.access.errors import ForbiddenError
from gateway.access.groups import Standing, cameras_of
from gateway.access.identity import Identity
from gateway.access.permissions import Permission, Role
from gateway.access.rights import Right, Rights
from gateway.db.engine import Database
from gateway.db.rights import GrantRow, RightsRows, RightsTables
from gateway.db.turns import by_turns
from gateway.listeners import Listeners
from kernel.clock import Clock
from kernel.ids import CameraId

LOOK_S = 0.5
"""Another process's change, and the end of a right by the clock, are seen within this."""
TOKEN_PREFIX = "token:"  # noqa: S105 - how an access session that is an API token is named


_Groups = Mapping[str, frozenset[CameraId]]
"""The cameras of each group."""


class Estate(Protocol):
    """Knows where cameras stand."""

    def standing(self) -> Sequence[Standing]:
        """Return every camera with what decides on its groups."""
        ...


class Source(Protocol):
    """Gives rights that are not roles or grants: shares do. It calls :meth:`Decider.changed` when they change."""

    def rights(self, user_id: str, now_ns: int) -> Sequence[Right]:
        """Return what it allows this user at an instant, now or to come, as things stand."""
        ...


class Decider:
    """Made by :func:`open_decider`."""

    def __init__(self, database: Database, estate: Estate, *, clock: Clock) -> None:
        self._database = database
        self._estate = estate
        self._clock = clock
        self._sources: list[Source] = []
        self._listening: Listeners[[]] = Listeners("rights.untold")
        self._tables: RightsTables
        self._groups: dict[str, frozenset[CameraId]] = {}
        self._cameras: frozenset[CameraId] = frozenset()
        self._kept_back: frozenset[CameraId] = frozenset()
        self._held: dict[str, Rights] = {}
        self._next_ns: int | None = None
        self._untold = False
        """A right began or ended by the clock, somebody's asking found it out, and nobody who listens was told."""

    # --- deciding

    def decide(self, identity: Identity, permission: Permission, camera: CameraId | None = None) -> str:
        """Return the rule by which somebody may do this, with this camera if it is about one.

        Raises:
            ForbiddenError: none allows it.
        """
        rights = self.rights(identity)
        rule = rights.rule(permission, camera)
        if rule is not None:
            return rule
        if camera is not None and rights.rule(permission) is not None:
            raise ForbiddenError(
                "That camera is not among those on which you may do that.", cure="Ask an administrator if you need it."
            )
        raise ForbiddenError(
            f"Your role, {identity.role.value}, may not do that.", cure="Ask an administrator if you need it."
        )

    def rights(self, identity: Identity) -> Rights:
        """Return everything that somebody may do now, whatever role they had when they were let in."""
        role, ceiling = self._now(identity)
        return self._rights(identity.user_id, role).within(ceiling) if role is not None else Rights(())

    async def meet(self, identity: Identity) -> None:
        """See to it that what is decided from is as new as an identity that was just read from the database.

        Whoever another process made a user, or gave a token, comes in before that was seen.
        """
        role, _ = self._now(identity)
        if role is None or (identity.token_name is None and role is not identity.role):
            await self.look()

    def rights_of(self, user_id: str) -> Rights:
        """Return everything that a user may do now; nothing where they are disabled or gone."""
        role = self._tables.users.get(user_id)
        return self._rights(user_id, Role(role)) if role is not None else Rights(())

    def still(self, user_id: str, session: str, permission: Permission, camera: CameraId) -> bool:
        """Return whether what somebody began through a session may go on.

        A session that has ended, or is locked, is told of by ``Access``, not here.
        """
        return bool(self.rules(user_id, session, permission, camera))

    def rules(self, user_id: str, session: str, permission: Permission, camera: CameraId) -> list[str]:
        """Return every rule by which what somebody began through a session may go on, as :meth:`still`."""
        role, ceiling, _ = self._through(user_id, session)
        if role is None:
            return []
        rights = self._rights(user_id, role).within(ceiling)
        return [right.rule for right in rights.each if right.allows(permission, camera)]

    def held_there(self, identity: Identity, permission: Permission, standing: Standing) -> bool:
        """Return whether somebody may do this with a camera as it stood then, by the rights of now.

        Groups of an area have it by where it stood; of a label or a list by what holds now, and so do shares.
        """
        then, camera = cameras_of(self._tables, [standing]), standing.camera
        groups = {group: (self._groups.get(group, frozenset()) - {camera}) | cameras for group, cameras in then.items()}
        role, ceiling = self._now(identity)
        if role is None:
            return False
        allowed = self._allowed(identity.user_id, role, self._clock.wall_ns(), groups)
        return Rights(allowed).within(ceiling).rule(permission, camera) is not None

    def until_ns(self, user_id: str, session: str, permission: Permission, camera: CameraId) -> int | None:
        """Return when what somebody may go on with ends by the clock, as things stand; ``None``: not by itself.

        Rights that follow each other without a gap are one. In ns since 1970 UTC.
        """
        role, ceiling, ends_ns = self._through(user_id, session)
        if role is None:
            return None
        until_ns = self._rights(user_id, role).within(ceiling).until_ns(permission, camera)
        while until_ns is not None:
            then = Rights(self._allowed(user_id, role, until_ns)).within(ceiling)
            if then.rule(permission, camera) is None:
                break
            until_ns = then.until_ns(permission, camera)
        return min((end for end in (until_ns, ends_ns) if end is not None), default=None)

    def _now(self, identity: Identity) -> tuple[Role | None, frozenset[Permission]]:
        """Return somebody's role as it is now, however long ago they were let in, and what goes through at most."""
        role, ceiling, _ = self._through(identity.user_id, identity.session)
        return role, ceiling & identity.ceiling

    def _through(self, user_id: str, session: str) -> tuple[Role | None, frozenset[Permission], int | None]:
        """Return the role of whoever came through a session, what goes through it at most, and a token's end.

        No role is somebody who may nothing: they are disabled or gone, or their token is.
        """
        role = self._tables.users.get(user_id)
        if role is None or not session.startswith(TOKEN_PREFIX):
            return (Role(role) if role is not None else None), frozenset(Permission), None
        token = self._tables.tokens.get(session.removeprefix(TOKEN_PREFIX))
        if token is None or token[0] != user_id or token[2] <= self._clock.wall_ns():
            return None, frozenset(), None
        return Role(role), Role(token[1]).ceiling, token[2]

    def holds(self, user_id: str, permission: Permission) -> bool:
        """Return whether somebody who is not disabled has a permission of the house, or of any camera."""
        role = self._tables.users.get(user_id)
        return role is not None and self._rights(user_id, Role(role)).rule(permission) is not None

    def tables(self) -> RightsTables:
        """Return what is decided from."""
        return self._tables

    def cameras_in(self, group_id: str) -> frozenset[CameraId]:
        """Return the cameras that are in a group now."""
        return self._groups.get(group_id, frozenset())

    def sharable(self, own: frozenset[CameraId] | None) -> frozenset[CameraId] | None:
        """Return which of somebody's cameras (``None``: all) may be shared at all: not those that are withheld."""
        if not self._kept_back:
            return own
        return (self._cameras if own is None else own) - self._kept_back

    def enters(self, standing: Standing) -> bool:
        """Return whether a camera that stood so would come into a group over which somebody has a grant."""
        then, now_ns = cameras_of(self._tables, [standing]), self._clock.wall_ns()
        granted = {one.group_id for one in self._tables.grants if one.ends_ns is None or now_ns < one.ends_ns}
        return any(
            standing.camera in then.get(group, ()) and standing.camera not in self.cameras_in(group)
            for group in granted
            if group is not None
        )

    def _rights(self, user_id: str, role: Role) -> Rights:
        now_ns = self._clock.wall_ns()
        if self._next_ns is not None and now_ns >= self._next_ns:
            self._regroup(now_ns)
            self._untold = True
        key = f"{role.value} {user_id}"
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = Rights(self._allowed(user_id, role, now_ns))
        return held

    def _allowed(self, user_id: str, role: Role, at_ns: int, groups: _Groups | None = None) -> list[Right]:
        """Return what somebody may do at an instant, now or to come, as things stand, or with these in groups."""
        rights = [Right(rule=f"role:{role.value}", permissions=role.permissions)]
        if role is not Role.PARTNER:
            # What a partner was granted before they were one, by themselves or in a team, is not shared with them.
            rights += self._granted_to(user_id, at_ns, self._groups if groups is None else groups)
        for source in self._sources:
            for right in source.rights(user_id, at_ns):
                cameras = self.sharable(right.cameras)
                rights.append(right if cameras == right.cameras else replace(right, cameras=cameras))
        return rights

    def _granted_to(self, user_id: str, now_ns: int, groups: _Groups) -> list[Right]:
        teams = {team for team, user in self._tables.team_members if user == user_id}
        return [
            self._granted(grant, groups)
            for grant in self._tables.grants
            if (grant.user_id == user_id or grant.team_id in teams) and _runs(grant, now_ns)
        ]

    def _granted(self, grant: GrantRow, groups: _Groups) -> Right:
        return Right(
            rule=f"{grant.kind}:{grant.id}",
            permissions=permissions_of(self._tables, grant.role),
            cameras=groups.get(grant.group_id, frozenset()) if grant.group_id is not None else None,
            until_ns=grant.ends_ns,
        )

    # --- what changes

    def add_source(self, source: Source) -> None:
        """Ask this one for rights too."""
        self._sources.append(source)
        self._held.clear()

    def when_changed(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call()`` whenever anybody's rights may have changed; returns the detaching call."""
        return self._listening.add(call)

    def changed(self) -> None:
        """Decide anew from now on: a camera moved, a share ended."""
        self._regroup(self._clock.wall_ns())
        self._untold = False
        self._listening.tell()

    async def reload(self) -> None:
        """Read the tables anew, and say so."""
        await self._read()
        self.changed()

    async def look(self) -> None:
        """See whether another process changed the tables, or the clock passed the start or end of a right."""
        async with self._database.read() as connection:
            version = await RightsRows(connection).version()
        if version != self._tables.version:
            await self.reload()
        elif self._untold or (self._next_ns is not None and self._clock.wall_ns() >= self._next_ns):
            self.changed()

    async def _read(self) -> None:
        async with self._database.read() as connection:
            self._tables = await RightsRows(connection).everything()

    def _regroup(self, now_ns: int) -> None:
        self._held.clear()
        estate = self._estate.standing()
        self._groups = cameras_of(self._tables, estate)
        self._cameras = frozenset(one.camera for one in estate)
        self._kept_back = frozenset(one.camera for one in estate if one.withheld)
        ahead = [at for grant in self._tables.grants for at in (grant.starts_ns, grant.ends_ns) if at is not None]
        ahead += [end for _, _, end in self._tables.tokens.values()]
        self._next_ns = min((at for at in ahead if at > now_ns), default=None)

    async def run(self) -> None:
        """Look for changes, for ever; with a failing database what is known holds."""
        await by_turns(self.look, clock=self._clock, period_s=LOOK_S, failed="rights.unread")


def permissions_of(tables: RightsTables, role: str) -> frozenset[Permission]:
    """Return the permissions of a role that comes with Sightline, or of a bundle; of one that is gone, none."""
    if role in set(Role):
        return Role(role).permissions
    found = next((bundle for bundle in tables.bundles if bundle.id == role), None)
    if found is None:
        return frozenset()
    # A bundle of a newer version may name permissions that this one does not know.
    return frozenset(Permission(one) for one in json.loads(found.permissions) if one in set(Permission))


def _runs(grant: GrantRow, now_ns: int) -> bool:
    return grant.starts_ns <= now_ns and (grant.ends_ns is None or now_ns < grant.ends_ns)


@asynccontextmanager
async def open_decider(database: Database, estate: Estate, *, clock: Clock) -> AsyncIterator[Decider]:
    """Give the decider for the time of the block."""
    decider = Decider(database, estate, clock=clock)
    await decider.reload()
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(decider.run(), name="rights")
        try:
            yield decider
        finally:
            looking.cancel()
