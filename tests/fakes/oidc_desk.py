"""A gateway whose people may sign in with the accounts of a provider that a test has in its hands."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from config.oidc import OidcSettings
from config.settings import Settings
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.signing_provider import CLIENT, SECRET, SigningProvider


def provider_settings(folder: Path, issuer: str, **changed: Any) -> OidcSettings:
    """Return a provider's settings, its secret in a file under ``folder``."""
    secret = folder / "client-secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    values: dict[str, Any] = {
        "id": "borough",
        "name": "your borough account",
        "issuer": issuer,
        "client_id": CLIENT,
        "client_secret_file": secret,
        "groups": {"cctv-supervisors": "administrator", "cctv-operators": "operator", "cctv-guests": "viewer"},
        "timeout_s": 20.0,
    }
    return OidcSettings(**(values | changed))


def with_providers(folder: Path, *providers: OidcSettings, **access: Any) -> Settings:
    """Return a gateway's settings with these providers."""
    return settings_in(folder, **access).model_copy(update={"oidc": providers})


@asynccontextmanager
async def oidc_desk(
    folder: Path, provider: SigningProvider, *, access: Mapping[str, Any] | None = None, **changed: Any
) -> AsyncIterator[Desk]:
    """Give a gateway to which ``provider`` is the borough's."""
    settings = with_providers(folder, provider_settings(folder, provider.issuer, **changed), **(access or {}))
    async with open_desk(folder, settings=settings) as desk:
        yield desk


async def refused(desk: Desk, client: httpx.AsyncClient, answer: httpx.Response, status: int, code: str) -> None:
    """Check that nobody came in: a page says why, the visit is over, no user or session is there, it is on record."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text
    assert f"<code>{code}</code>" in answer.text
    assert "sightline" not in client.cookies
    assert "sightline-visit" not in client.cookies
    assert (await client.get("/api/v1/session")).status_code == 401
    assert [user.username for user in await desk.gateway.rooms.people.users()] == ["root"]
    failed = [entry for entry in await desk.audit("access.sign-in") if entry.outcome == "failed"]
    assert f'"error":"{code}"' in failed[-1].details
    assert '"provider":"borough"' in failed[-1].details
