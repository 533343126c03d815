"""People of partner organisations at a desk."""

import json
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection

from tests.fakes.desk import PASSWORD, Desk


async def organisation(desk: Desk, name: str = "Thames Valley Police", **facts: Any) -> str:
    """Make an organisation and return its identifier."""
    answer = await desk.admin.post("/api/v1/organisations", json={"name": name, **facts})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def invited(desk: Desk, organisation_id: str, username: str = "pc.1234", name: str | None = None) -> str:
    """Invite somebody and return the code."""
    body = {"username": username, "name": name or username.upper()}
    answer = await desk.admin.post(f"/api/v1/organisations/{organisation_id}/invitations", json=body)
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


class Officer:
    """Somebody outside, in a browser of their own. Made by :func:`officer`."""

    def __init__(self, browser: httpx.AsyncClient, user_id: str, organisation_id: str) -> None:
        self.browser = browser
        self.id = user_id
        self.organisation = organisation_id

    async def mine(self) -> list[dict[str, Any]]:
        """Return what is shared with them."""
        shares: list[dict[str, Any]] = (await self.browser.get("/api/v1/shares/mine")).json()["shares"]
        return shares


async def officer(
    desk: Desk,
    organisation_id: str | None = None,
    *,
    username: str = "pc.1234",
    name: str | None = None,
    terms: bool = True,
) -> Officer:
    """Let somebody of an organisation enrol, and accept the terms."""
    at = organisation_id or await organisation(desk)
    browser = await desk.anybody()
    body = {"code": await invited(desk, at, username, name), "password": PASSWORD}
    answer = await browser.post("/api/v1/enrolment", json=body)
    assert answer.status_code == 201, answer.text
    if terms:
        version = (await browser.get("/api/v1/terms")).json()["version"]
        assert (await browser.post("/api/v1/terms", json={"version": version})).status_code == 204
    return Officer(browser, answer.json()["user"]["id"], at)


async def share(desk: Desk, with_whom: Officer, *cameras: str, **facts: Any) -> str:
    """Share cameras with the organisation of somebody, and return the share's identifier."""
    body = {"organisation": with_whom.organisation, "cameras": list(cameras), **facts}
    answer = await desk.admin.post("/api/v1/shares", json=body)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["t"] == kind:
            return message
