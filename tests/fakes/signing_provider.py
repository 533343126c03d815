"""An OpenID provider that says whatever a test wants: for the lies that a real one cannot be made to tell."""

import asyncio
import base64
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import httpx
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "sightline", "the client's secret, which nobody shows"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, auto_kid=False)
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"}, auto_kid=False)

Edit = Callable[[dict[str, Any]], None]


def _as_it_is(_claims: dict[str, Any]) -> None:
    """Change nothing."""


def _part(of: bytes) -> bytes:
    return base64.urlsafe_b64encode(of).rstrip(b"=")


class SigningProvider:
    """The provider. By itself it is honest: Anne, an operator; each knob makes it lie in one way."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.sub = "anne-1"
        self.account: dict[str, Any] = {"groups": ["cctv-operators"], "preferred_username": "anne", "name": "Anne A."}
        self.keys: list[Any] = [KEY]
        self.key = KEY
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.edit: Edit = _as_it_is
        """Changes the claims of an ID token before it is signed."""
        self.resign: Callable[[str], str] = lambda token: token
        """Changes an ID token after."""
        self.discovery: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.answers: dict[str, Response] = {}
        """In place of the usual answer at a path."""
        self.hang: asyncio.Event | None = None
        """Nothing is answered before it is set."""
        self.asked: list[str] = []
        self.redeemed: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}

    # --- what a browser does there

    def approve(self, url: str, **changed: str | None) -> str:
        """Sign the person in and return where their browser goes then; ``None`` leaves a parameter out."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        told: dict[str, str | None] = {"code": code, "state": asked["state"], "iss": self.issuer, **changed}
        return (
            f"{asked['redirect_uri']}?{urlencode({name: value for name, value in told.items() if value is not None})}"
        )

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        """Return a token with the provider's present key and header."""
        # By hand: a library would not write some of the headers that a test wants.
        told = b".".join(_part(json.dumps(part).encode()) for part in ({**self.header, **header}, claims))
        private = self.key.private_key
        assert private is not None
        return (told + b"." + _part(private.sign(told, padding.PKCS1v15(), hashes.SHA256()))).decode()

    def logout_token(self, edit: Edit = _as_it_is, **header: Any) -> str:
        """Return a logout token for Anne."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": "logout-1",
            "sub": self.sub,
            "events": {LOGOUT: {}},
        }
        edit(claims)
        return self.signed(claims, **{"typ": "logout+jwt", **header})

    # --- what the gateway asks

    async def serve(self, request: Request) -> Response:
        """Answer."""
        path = request.url.path
        self.asked.append(path)
        if self.hang is not None:
            await self.hang.wait()
        if path in self.answers:
            return self.answers[path]
        return await {
            "/.well-known/openid-configuration": self._discovered,
            "/keys": self._listed,
            "/token": self._redeem,
            "/me": self._told,
        }[path](request)

    async def _discovered(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/me",
                "end_session_endpoint": f"{self.issuer}/end",
                "authorization_response_iss_parameter_supported": True,
                **self.discovery,
            }
        )

    async def _listed(self, _: Request) -> Response:
        return JSONResponse(
            {"keys": [key if isinstance(key, dict) else key.as_dict(private=False) for key in self.keys]}
        )

    async def _redeem(self, request: Request) -> Response:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        name, _, secret = base64.b64decode(given).decode().partition(":")
        if (kind, unquote_plus(name), unquote_plus(secret)) != ("Basic", CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        self.redeemed.append(form)
        asked = self._codes.pop(form["code"], None)
        made = _part(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        if asked is None or asked["code_challenge"] != made or asked["redirect_uri"] != form["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.sub,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": asked["nonce"],
            "sid": "there-1",
            **self.account,
        }
        self.edit(claims)
        token = self.resign(self.signed({name: value for name, value in claims.items() if value is not None}))
        return JSONResponse({"access_token": "access", "token_type": "Bearer", "id_token": token})

    async def _told(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access":
            return JSONResponse({}, status_code=401)
        return JSONResponse(self.userinfo if self.userinfo is not None else {"sub": self.sub})


@asynccontextmanager
async def signing_provider() -> AsyncIterator[SigningProvider]:
    """Run it on loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    provider = SigningProvider(f"http://127.0.0.1:{listener.getsockname()[1]}")
    app = Starlette(routes=[Route("/{path:path}", provider.serve, methods=["GET", "POST"])])
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, log_config=None)
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield provider
    finally:
        if provider.hang is not None:
            provider.hang.set()
        server.should_exit = True
        await running


async def sent(client: httpx.AsyncClient, provider: str = "borough", **wish: str) -> str:
    """Begin a sign-in in a browser and return where it is sent."""
    answer = await client.post(f"/api/v1/oidc/{provider}/start", json=wish)
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["url"]
    return url


async def come_back(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """Follow a browser back from another site: what it asks there carries no header of ours."""
    return await client.get(url, headers={"Origin": "", "X-Sightline": ""})


async def signs_in(client: httpx.AsyncClient, provider: SigningProvider) -> httpx.Response:
    """Sign Anne in, there and back."""
    return await come_back(client, provider.approve(await sent(client)))
