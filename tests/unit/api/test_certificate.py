"""A client certificate is told by the proxy in front, and by nobody else."""

import pytest
from starlette.types import Receive, Scope, Send

from gateway.api.middleware import CERTIFICATE, CertificateFromProxy

SHOWN = "AB:" * 31 + "AB"


async def seen(peer: str, *, header: str | None = "X-Certificate") -> Scope:
    """Return the scope that the application behind gets for a request from ``peer`` which shows a certificate."""
    got: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.append(scope)

    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-certificate", SHOWN.encode()), (b"host", b"h")]}
    around = CertificateFromProxy(app, header=header, proxies=("127.0.0.1",))
    await around(scope, None, None)  # type: ignore[arg-type]
    return got[0]


async def test_the_proxy_is_believed() -> None:
    """Its word is the fingerprint in plain hex, and the header goes no further."""
    scope = await seen("127.0.0.1")
    assert scope[CERTIFICATE] == "ab" * 32
    assert scope["headers"] == [(b"host", b"h")]


@pytest.mark.parametrize(("peer", "header"), [("192.0.2.1", "X-Certificate"), ("127.0.0.1", None)])
async def test_nobody_else_is(peer: str, header: str | None) -> None:
    """Neither who comes past the proxy, nor anybody where no header was agreed on."""
    assert CERTIFICATE not in await seen(peer, header=header)
