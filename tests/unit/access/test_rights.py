"""What a right allows, which cameras a group holds, and deciding from both."""

import json

from gateway.access.groups import Standing, cameras_of, family
from gateway.access.permissions import Permission, Role
from gateway.access.rights import Right, Rights
from gateway.db.rights import GroupRow, RightsTables
from kernel.geography import Place
from kernel.ids import CameraId

A, B, C = CameraId("a"), CameraId("b"), CameraId("c")
OVER_A = Right(rule="grant:1", permissions=Role.ADMINISTRATOR.permissions, cameras=frozenset({A}))
EVERYWHERE = Right(rule="role:viewer", permissions=Role.VIEWER.permissions)


def tables(*groups: GroupRow, members: frozenset[tuple[str, str]] = frozenset()) -> RightsTables:
    """Return tables with nothing but groups."""
    return RightsTables(
        version=0,
        groups=groups,
        members=members,
        teams=(),
        team_members=frozenset(),
        bundles=(),
        grants=(),
        users={},
        tokens={},
    )


def group(name: str, **values: str | None) -> GroupRow:
    """Return a group whose identifier is its name."""
    return GroupRow(**{"id": name, "name": name, "parent_id": None, "label": None, "area": None, **values})  # type: ignore[arg-type]


def test_a_right_over_a_group_is_over_its_cameras() -> None:
    """On the one camera, on none other, and asked without a camera for being one that some cameras are opened by."""
    rights = Rights([OVER_A])
    assert rights.rule(Permission.STEER, A) == "grant:1"
    assert rights.rule(Permission.STEER, B) is None
    assert rights.rule(Permission.STEER) == "grant:1"
    assert rights.cameras(Permission.STEER) == frozenset({A})


def test_a_right_over_a_group_keeps_nobody_s_accounts() -> None:
    """An administrator of a group's cameras administers nothing that is not a camera."""
    rights = Rights([OVER_A])
    for permission in Permission:
        if not permission.of_cameras and permission is not Permission.SIGNED_IN:
            assert rights.rule(permission) is None
            assert rights.rule(permission, A) is None


def test_the_first_rule_that_allows_is_named() -> None:
    """The role comes before grants, and what only a grant allows names the grant."""
    rights = Rights([EVERYWHERE, OVER_A])
    assert rights.rule(Permission.VIEW_LIVE, A) == "role:viewer"
    assert rights.rule(Permission.STEER, A) == "grant:1"
    assert rights.cameras(Permission.VIEW_LIVE) is None
    assert rights.permissions(B) == Role.VIEWER.permissions


def test_a_ceiling_takes_away_and_never_gives() -> None:
    """A program's token, or a locked session, may do no more than its user and no more than itself."""
    low = Rights([EVERYWHERE, OVER_A]).within(frozenset({Permission.STEER, Permission.ADMINISTER}))
    assert low.permissions(A) == {Permission.STEER}
    assert low.permissions(B) == frozenset()


def test_a_group_holds_what_is_listed_labelled_and_inside() -> None:
    """Each way alone makes a member."""
    estate = [
        Standing(camera=A, label="", place=None),
        Standing(camera=B, label="High Street", place=None),
        Standing(camera=C, label="", place=Place(51.5, -0.5)),
    ]
    area = json.dumps([[51, -1], [51, 0], [52, 0], [52, -1]])
    found = cameras_of(
        tables(group("l"), group("n", label="HIGH street"), group("p", area=area), members=frozenset({("l", "a")})),
        estate,
    )
    assert found == {"l": {A}, "n": {B}, "p": {C}}


def test_a_camera_that_is_gone_is_in_no_group() -> None:
    """A listed camera that nobody knows any more gives nothing."""
    assert cameras_of(tables(group("l"), members=frozenset({("l", "gone")})), []) == {"l": frozenset()}


def test_groups_below_count() -> None:
    """At any depth, and a ring, which the tables should never hold, ends."""
    estate = [Standing(camera=A, label="x", place=None)]
    rows = (group("top"), group("mid", parent_id="top"), group("low", parent_id="mid", label="x"))
    assert cameras_of(tables(*rows), estate) == {"top": {A}, "mid": {A}, "low": {A}}
    assert family("one", {"one": ["two"], "two": ["one"]}) == {"one", "two"}
