"""What an act that takes two people is about, and who may be the second of them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.access.approvals import Act, Approval, Fact
from gateway.access.identity import Identity
from gateway.access.permissions import Permission, Role
from gateway.api.rooms import Rooms
from gateway.api.times import Instant, iso
from gateway.db.users import UserRow
from gateway.fleet.errors import FleetError
from gateway.fleet.hosts import HostError
from kernel.clock import NS_PER_S, to_ns

REASON_MAX = 500
APPROVERS_MAX = 50
LISTED_MAX = 20
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


class Approver(BaseModel):
    """Somebody who may be the second person. ``here``: they are signed in now."""

    name: str
    here: bool


async def approvers(the: Rooms, who: Identity) -> list[Approver]:
    """Return who may approve what this person asks for, those who are here first."""
    here = {one.user_id for one in await the.access.sessions()}
    found = [
        Approver(name=user.name or user.username, here=user.id in here)
        for user in await the.people.users()
        if user.id != who.user_id and the.decider.holds(user.id, Permission.APPROVE)
    ]
    return sorted(found, key=lambda one: (not one.here, one.name.casefold()))[:APPROVERS_MAX]


def reason_in(text: str | None) -> str:
    """Return the reason that a header gives (percent-encoded UTF-8), as one line that can be shown."""
    given = unquote(text or "")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in given).split())[:REASON_MAX]


async def facts_of(act: Act, request: Request, the: Rooms) -> tuple[Fact, ...]:
    """Return what the second person is to know of an act. What does not make sense is refused when it is done."""
    path = request.path_params
    if act is Act.EXPORT:
        query = request.query_params
        given = [("camera", path["camera_id"]), *_times(query)]
        given += [("stream", query["stream"])] if "stream" in query else []
    elif act is Act.RELEASE_HOLD:
        given = await _hold(the, path["camera_id"], path["hold_id"])
    elif request.url.path.endswith("/grants"):
        given = await _grant(the, _body(await request.body()))
    else:
        given = await _kept(the, request)
    return tuple((key, value if len(value) <= REASON_MAX else f"{value[:REASON_MAX]} …") for key, value in given)


async def _kept(the: Rooms, request: Request) -> list[Fact]:
    """Return what is to be of a user, a team, a group or a role: whom or what the path names, then the body."""
    tables = the.decider.tables()
    names = {row.id: row.name for row in tables.groups}
    names |= {row.id: row.name for row in tables.teams} | {row.id: row.name for row in tables.bundles}
    users = {user.id: user for user in await the.people.users()}
    organisations = the.sharing.partners.organisations()
    given: list[Fact] = []
    for key, named in request.path_params.items():
        what = key.removesuffix("_id")
        if what == "organisation":
            of_it = the.sharing.partners.people(named)
            given.append(("organisation", next((one.name for one in organisations if one.id == named), named)))
            given += _changes({"people": [one.name for one in of_it]}, {})
        elif what == "user":
            user = users.get(named)
            given += [("user", _called(user)), ("role", user.role)] if user is not None else [("user", named)]
        else:
            given.append((what, names.get(named, named)))
    called = names | {user.id: _called(user) for user in users.values()}
    called |= {camera.id: f"{camera.number} {camera.name}" for camera in the.fleet.cameras()}
    body = dict(_body(await request.body()))
    if request.url.path.endswith("/tokens"):
        given.append(("token for", called.get(whom := str(body.pop("user_id", "")), whom)))
    return given + _changes(body, called)


async def _hold(the: Rooms, camera_id: str, hold_id: str) -> list[Fact]:
    given = [("camera", camera_id)]
    try:
        camera = the.fleet.camera(camera_id)
        held = await the.fleet.host_of(camera).holds(camera.id)
    except (FleetError, HostError):
        return given
    for one in held:
        if one.id == hold_id:
            given += [("start", iso(one.start_ns)), ("end", iso(one.end_ns)), ("held for", one.reason)]
            given += [("authority", one.authority)] if one.authority else []
    return given


def _changes(body: Mapping[str, Any], called: Mapping[str, str]) -> list[Fact]:
    """Return what is to be; that there is a new password is told, which it is is not."""
    given = []
    for key, value in body.items():
        if key == "password":
            given.append(("password", "a new one"))
        elif isinstance(value, bool):
            given.append((key, "yes" if value else "no"))
        elif isinstance(value, list):
            said = [called.get(one, one) if isinstance(one, str) else json.dumps(one) for one in value[:LISTED_MAX]]
            more = f" and {len(value) - LISTED_MAX} more" if len(value) > LISTED_MAX else ""
            given.append((f"new {key}", ", ".join(said) + more or "none"))
        elif value is not None:
            given.append((f"new {key}", called.get(str(value), str(value))))
    return given


async def _grant(the: Rooms, body: Mapping[str, Any]) -> list[Fact]:
    tables = the.decider.tables()
    roles = {role.value: role.value for role in Role} | {row.id: row.name for row in tables.bundles}
    groups = {row.id: row.name for row in tables.groups}
    teams = {row.id: row.name for row in tables.teams}
    given = [("role", roles.get(str(body.get("role")), "one that there is not"))]
    if body.get("user") is not None:
        user = await _found(the, str(body["user"]))
        given.append(("user", _called(user) if user is not None else "nobody known"))
    if body.get("team") is not None:
        given.append(("team", teams.get(str(body["team"]), "one that there is not")))
    group = body.get("group")
    given.append(("over", groups.get(str(group), "a group that there is not") if group is not None else "all cameras"))
    return given + _times(body)


def _times(given: Mapping[str, Any]) -> list[Fact]:
    """Return from when to when, read as the route itself reads it: what is shown is what will be done."""
    found = []
    for key in ("start", "end"):
        if given.get(key) is not None:
            try:
                found.append((key, iso(to_ns(_INSTANT.validate_python(given[key])))))
            except ValidationError:
                found.append((key, "no time"))
    return found


async def _found(the: Rooms, user_id: str) -> UserRow | None:
    return next((user for user in await the.people.users() if user.id == user_id), None)


def _called(user: UserRow) -> str:
    return f"{user.name} ({user.username})" if user.name and user.name != user.username else user.username


def _body(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def until(the: Rooms, approval: Approval) -> str:
    """Return the instant at which an approval is forgotten."""
    return iso(the.clock.wall_ns() + round(the.approvals.left_s(approval) * NS_PER_S))
