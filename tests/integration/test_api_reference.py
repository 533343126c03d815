"""What is it for: the incident or request that somebody is at work on stands with what they do, in the audit."""

import httpx
import pytest

from gateway.audit.leaves import Entry
from tests.fakes.desk import Desk

REFERENCE = "/api/v1/session/reference"


async def views(desk: Desk) -> list[Entry]:
    """Return what the audit says of views, the oldest first."""
    return [entry for entry in await desk.audit() if entry.action.startswith("view.")]


async def say(client: httpx.AsyncClient, reference: str) -> None:
    """Say what one works on."""
    assert (await client.put(REFERENCE, json={"reference": reference})).status_code == 204


async def test_what_is_done_from_then_on_is_for_it(desk: Desk) -> None:
    """A view opened after it was said carries it at its beginning and at its end; one said over means none."""
    camera = await desk.enrol()
    operator = await desk.person("operator")
    await say(operator, "CAD 1234/28NOV")
    view = await desk.watch(operator, camera)
    assert (await operator.delete(view)).status_code == 200
    await say(operator, "")
    await desk.watch(operator, camera)
    assert [(one.action, one.reference) for one in await views(desk)] == [
        ("view.started", "CAD 1234/28NOV"),
        ("view.ended", "CAD 1234/28NOV"),
        ("view.started", ""),
    ]


async def test_a_view_that_is_open_goes_on_under_a_new_entry(desk: Desk) -> None:
    """The same view is seen for nothing in particular first, and for the incident from the instant it is said."""
    camera = await desk.enrol()
    operator = await desk.person("operator")
    view = await desk.watch(operator, camera)
    await say(operator, "CAD 77")
    told = await views(desk)
    assert [(one.action, one.reference) for one in told] == [
        ("view.started", ""),
        ("view.ended", ""),
        ("view.started", "CAD 77"),
    ]
    assert told[0].span == told[1].span != told[2].span
    assert (await operator.delete(view)).status_code == 200
    last = (await views(desk))[-1]
    assert (last.action, last.reference, last.span) == ("view.ended", "CAD 77", told[2].span)


async def test_others_are_not_touched(desk: Desk) -> None:
    """One person's work is not another's."""
    camera = await desk.enrol()
    operator, viewer = await desk.person("operator"), await desk.person("viewer")
    await desk.watch(viewer, camera)
    await say(operator, "CAD 78")
    assert [one.action for one in await views(desk)] == ["view.started"]


async def test_that_it_was_said_is_on_record_and_stays_with_the_session(desk: Desk) -> None:
    """Who, what, and what before; a page that is loaded anew reads it; saying the same again is nothing new."""
    operator = await desk.person("operator")
    for reference in ("CAD 1", "CAD 2", "CAD 2"):
        await say(operator, reference)
    assert (await operator.get("/api/v1/session")).json()["reference"] == "CAD 2"
    assert [one.reference for one in await desk.audit("access.worked-on")] == ["CAD 1", "CAD 2"]


async def test_a_program_says_it_with_each_request(desk: Desk) -> None:
    """In a header; a token cannot say it once for all."""
    camera = await desk.enrol()
    token = await desk.token("operator")
    token.headers["Sightline-Reference"] = "SAR-2026-044"
    view = await desk.watch(token, camera)
    assert (await token.delete(view)).status_code == 200
    told = await views(desk)
    assert {one.reference for one in told} == {"SAR-2026-044"}
    refused = await token.put(REFERENCE, json={"reference": "x"})
    assert (refused.status_code, refused.json()["type"]) == (422, "api.request")


@pytest.mark.parametrize("reference", ["x" * 121, "two\nlines"])
async def test_what_is_no_reference_is_refused(desk: Desk, reference: str) -> None:
    """One line of 120 characters at most."""
    operator = await desk.person("operator")
    assert (await operator.put(REFERENCE, json={"reference": reference})).status_code == 422
