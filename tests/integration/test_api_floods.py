"""Whoever is refused as often as they like does not grow the audit: it says how often, in few entries."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from gateway.audit import trail as trail_module
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in

FEW = 3
MANY = 20


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway at which few attempts are allowed, and hardly any come back."""
    strict = {"account_attempts": FEW, "account_refill_s": 3600, "address_attempts": 2 * FEW, "address_refill_s": 3600}
    async with open_desk(tmp_path, settings=settings_in(tmp_path, **strict)) as desk:
        yield desk


async def counted(desk: Desk, action: str) -> list[tuple[str, str, int | None]]:
    """Return what failed or was refused once the minute has ended: by whom, with what error, and how often again."""
    desk.gateway.trail.repeats.tell()
    found = []
    for entry in await desk.audit(action):
        if entry.outcome != "done":
            details = json.loads(entry.details)
            found.append((entry.actor, details.get("error", ""), details.get("times")))
    return found


async def test_sign_ins_beyond_the_limit_are_counted(desk: Desk) -> None:
    """Each attempt that was one is an entry of its own; those that the limit refused are two."""
    browser = await desk.anybody()
    for _ in range(MANY):
        await browser.post("/api/v1/session", json={"username": "olga", "password": "wrong"})
    assert await counted(desk, "access.sign-in") == [
        *[("olga", "access.credentials", None)] * FEW,
        ("olga", "access.too-many-attempts", None),
        ("olga", "access.too-many-attempts", MANY - FEW - 1),
    ]


async def test_made_up_names_make_no_entries_of_their_own(desk: Desk) -> None:
    """Beyond the address's limit they are one kind of refusal, and the count names nobody."""
    browser = await desk.anybody()
    for number in range(MANY):
        await browser.post("/api/v1/session", json={"username": f"user{number}", "password": "wrong"})
    *tried, first, count = await counted(desk, "access.sign-in")
    assert len(tried) == 2 * FEW
    assert first == (f"user{2 * FEW}", "access.too-many-attempts", None)
    assert count == ("", "access.too-many-attempts", MANY - 2 * FEW - 1)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/session/second", {"ticket": "made up", "totp": "123456"}),
        ("/api/v1/session", {"username": "root"}),
        ("/api/v1/session", {"passkey": {"id": "x"}, "ticket": "made up"}),
    ],
)
async def test_what_cannot_be_right_is_an_attempt_too(desk: Desk, path: str, body: dict[str, object]) -> None:
    """A ticket that there is not, half a sign-in: 401, and soon 429, whatever was sent."""
    browser = await desk.anybody()
    answers = [(await browser.post(path, json=body)).status_code for _ in range(MANY)]
    assert answers == [401] * 2 * FEW + [429] * (MANY - 2 * FEW)
    found = await counted(desk, "access.sign-in")
    assert sum(1 + (times or 0) - (times is not None) for _, _, times in found) == MANY
    assert len(found) <= 2 * FEW + 2


async def test_a_flood_of_made_up_tickets_is_four_entries(desk: Desk) -> None:
    """A first one and a count: of those that were attempts, and of those that were none."""
    browser = await desk.anybody()
    for _ in range(MANY):
        await browser.post("/api/v1/session/second", json={"ticket": "made up", "totp": "123456"})
    assert sorted(await counted(desk, "access.sign-in"), key=str) == sorted(
        [
            ("", "access.credentials", None),
            ("", "access.credentials", 2 * FEW - 1),
            ("", "access.too-many-attempts", None),
            ("", "access.too-many-attempts", MANY - 2 * FEW - 1),
        ],
        key=str,
    )


async def test_confirmations_beyond_the_limit_are_counted(desk: Desk) -> None:
    """Somebody signed in is no better."""
    for _ in range(MANY):
        await desk.admin.post("/api/v1/session/confirm", json={"password": "wrong"})
    assert await counted(desk, "access.confirmed") == [
        *[("root", "access.credentials", None)] * FEW,
        ("root", "access.too-many-attempts", None),
        ("root", "access.too-many-attempts", MANY - FEW - 1),
    ]


async def test_a_confirmation_by_a_made_up_ticket_is_an_attempt(desk: Desk) -> None:
    """Otherwise each would be a free entry."""
    body = {"passkey": {"id": "x"}, "ticket": "made up"}
    answers = [(await desk.admin.post("/api/v1/session/confirm", json=body)).status_code for _ in range(MANY)]
    assert answers == [401] * 2 * FEW + [429] * (MANY - 2 * FEW)


async def asked(client: httpx.AsyncClient, path: str) -> None:
    """Ask for what is refused, often."""
    for _ in range(MANY):
        assert (await client.get(path)).status_code == 403


async def test_asking_again_for_what_is_refused_is_counted(desk: Desk) -> None:
    """By person, permission and route: the first at once, then how often."""
    viewer, other = await desk.person("viewer", "vera"), await desk.person("viewer", "vic")
    await asked(viewer, "/api/v1/users")
    await asked(other, "/api/v1/users")
    await asked(viewer, "/api/v1/tokens")
    assert [name for name, _, _ in await counted(desk, "access.refused")] == ["vera", "vic", "vera"] * 2
    entries = await desk.audit("access.refused")
    assert [json.loads(entry.details).get("times") for entry in entries] == [None] * 3 + [MANY - 1] * 3
    assert [json.loads(entry.details)["path"] for entry in entries[3:]] == ["/api/v1/users"] * 2 + ["/api/v1/tokens"]


async def test_what_an_address_names_is_no_subject(desk: Desk) -> None:
    """A subject is never erased: only an identifier of ours is one, not what somebody writes into an address."""
    member = await desk.person("member", "mo")
    assert (await member.get("/api/v1/cameras/Ann%20Smith")).status_code == 403
    (entry,) = await desk.audit("access.refused")
    assert entry.subject == ""


async def refuse_writing(desk: Desk) -> None:
    """Make the audit take nothing any more."""
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
        )


async def take_writing(desk: Desk) -> None:
    """Let it take entries again."""
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("DROP TRIGGER broken")


async def test_nobody_comes_in_unrecorded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-in that cannot be put on record is not done: there is no session of it."""
    monkeypatch.setattr(trail_module, "PATIENCE_S", 0.05)
    await refuse_writing(desk)
    browser = await desk.anybody()
    answer = await browser.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
    assert (answer.status_code, answer.json()["type"]) == (503, "audit.unwritten")
    assert "it is not done" in answer.json()["title"]
    assert len(await desk.gateway.rooms.access.sessions()) == 1
    await take_writing(desk)


async def test_what_was_done_is_not_called_undone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team that was made is there, and the answer says that its record is still to come."""
    monkeypatch.setattr(trail_module, "PATIENCE_S", 0.05)
    await refuse_writing(desk)
    answer = await desk.admin.post("/api/v1/teams", json={"name": "Nights"})
    assert (answer.status_code, answer.json()["title"]) == (503, "That is done, but it is not on record yet.")
    await take_writing(desk)
    assert [team["name"] for team in (await desk.admin.get("/api/v1/teams")).json()] == ["Nights"]
    assert len(await desk.audit("team.added")) == 1
