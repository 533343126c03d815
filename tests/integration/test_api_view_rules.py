"""The record names the right by which something goes on now, not one that has ended meanwhile."""

from gateway.audit.leaves import Entry
from tests.fakes.desk import Desk
from tests.fakes.outside import officer, share
from tests.fakes.waiting import until


def said(entries: list[Entry]) -> list[tuple[str, str]]:
    """Return rule and reference of entries."""
    return [(one.rule, one.reference) for one in entries]


async def test_a_view_goes_on_by_the_share_that_is_left(desk: Desk) -> None:
    """It is cut at no host; the record ends it for the first incident and begins it for the other, as its viewer."""
    camera, pc = await desk.enrol(), await officer(desk)
    first = await share(desk, pc, camera, reference="INC-41")
    other = await share(desk, pc, camera, reference="MoU 7")
    await desk.watch(pc.browser, camera)
    assert (await desk.admin.delete(f"/api/v1/shares/{first}")).status_code == 200
    began, ended = await desk.audit("view.started"), await desk.audit("view.ended")
    assert said(began) == [(f"share:{first}", "INC-41"), (f"share:{other}", "MoU 7")]
    assert said(ended) == [(f"share:{first}", "INC-41")]
    assert (ended[0].span, began[1].span != ended[0].span) == (began[0].span, True)
    watching = (await desk.admin.get(f"/api/v1/shares/{other}/viewers")).json()
    assert [one["user_id"] for one in watching] == [pc.id]
    assert len(desk.host.viewers) == 1


async def test_a_view_ends_where_the_share_that_is_left_is_full(desk: Desk) -> None:
    """Its places are those that were agreed, whoever watched by another share before."""
    camera, pc = await desk.enrol(), await officer(desk)
    colleague = await officer(desk, pc.organisation, username="pc.9")
    first = await share(desk, pc, camera, viewer_limit=1)
    other = await share(desk, pc, camera, viewer_limit=1)
    await desk.watch(pc.browser, camera)
    await desk.watch(colleague.browser, camera)
    assert (await desk.admin.delete(f"/api/v1/shares/{first}")).status_code == 200
    await until(lambda: len(desk.host.viewers) == 1, what="the view to end")
    watching = (await desk.admin.get(f"/api/v1/shares/{other}/viewers")).json()
    assert [one["user_id"] for one in watching] == [colleague.id]


async def test_a_view_goes_on_by_the_grant_that_is_left(desk: Desk) -> None:
    """In the room too; what it was said to be for stays."""
    camera = await desk.enrol()
    member = await desk.person("member")
    user = (await member.get("/api/v1/session")).json()["user"]["id"]
    grants = [(await desk.admin.post("/api/v1/grants", json={"role": "viewer", "user": user})).json() for _ in range(2)]
    assert (await member.put("/api/v1/session/reference", json={"reference": "CAD 1"})).status_code == 204
    await desk.watch(member, camera)
    ((rule, _),) = said(await desk.audit("view.started"))
    taken, left = sorted((f"grant:{one['id']}" for one in grants), key=lambda one: one != rule)
    assert (await desk.admin.delete(f"/api/v1/grants/{taken.removeprefix('grant:')}")).status_code == 204
    assert said(await desk.audit("view.started")) == [(taken, "CAD 1"), (left, "CAD 1")]
    assert said(await desk.audit("view.ended")) == [(taken, "CAD 1")]
    assert len(desk.host.viewers) == 1


async def test_a_view_stays_with_its_right_as_long_as_that_allows_it(desk: Desk) -> None:
    """Another share that gives the camera too, or ends, is nothing to it."""
    camera, pc = await desk.enrol(), await officer(desk)
    first = await share(desk, pc, camera)
    await desk.watch(pc.browser, camera)
    other = await share(desk, pc, camera)
    assert (await desk.admin.delete(f"/api/v1/shares/{other}")).status_code == 200
    assert [rule for rule, _ in said(await desk.audit("view.started"))] == [f"share:{first}"]
    assert await desk.audit("view.ended") == []
