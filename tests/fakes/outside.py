"""People of partner organisations at a desk."""

import json
from typing import Any

import httpx
import pyotp
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

    def __init__(
        self, browser: httpx.AsyncClient, user_id: str, organisation_id: str, *, username: str, codes: list[str]
    ) -> None:
        self.browser = browser
        self.id = user_id
        self.organisation = organisation_id
        self._username = username
        self.codes = codes
        """Recovery codes that are left."""

    async def sign_in(self) -> None:
        """Sign in anew, with a recovery code: one of the application works once, and the next comes too late."""
        body = {"username": self._username, "password": PASSWORD}
        first = await self.browser.post("/api/v1/session", json=body)
        assert first.status_code == 202, first.text
        proof = {"ticket": first.json()["ticket"], "recovery": self.codes.pop()}
        second = await self.browser.post("/api/v1/session/second", json=proof)
        assert second.status_code == 200, second.text

    async def mine(self) -> list[dict[str, Any]]:
        """Return what is shared with them."""
        shares: list[dict[str, Any]] = (await self.browser.get("/api/v1/shares/mine")).json()["shares"]
        return shares


async def add_totp(browser: httpx.AsyncClient) -> list[str]:
    """Enrol an authenticator application, as everybody outside has to; return the recovery codes."""
    offer = (await browser.post("/api/v1/session/factors/totp")).json()
    body = {"ticket": offer["ticket"], "code": pyotp.TOTP(offer["secret"]).now()}
    answer = await browser.put("/api/v1/session/factors/totp", json=body)
    assert answer.status_code == 200, answer.text
    codes: list[str] = answer.json()["recovery_codes"]
    return codes


async def officer(
    desk: Desk,
    organisation_id: str | None = None,
    *,
    username: str = "pc.1234",
    name: str | None = None,
    factor: bool = True,
    terms: bool = True,
) -> Officer:
    """Let somebody of an organisation enrol, add a second factor, and accept the terms."""
    at = organisation_id or await organisation(desk)
    browser = await desk.anybody()
    body = {"code": await invited(desk, at, username, name), "password": PASSWORD}
    answer = await browser.post("/api/v1/enrolment", json=body)
    assert answer.status_code == 201, answer.text
    codes = await add_totp(browser) if factor else []
    if factor and terms:
        version = (await browser.get("/api/v1/terms")).json()["version"]
        assert (await browser.post("/api/v1/terms", json={"version": version})).status_code == 204
    return Officer(browser, answer.json()["user"]["id"], at, username=username, codes=codes)


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
