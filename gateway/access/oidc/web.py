"""Asking a provider over HTTPS: its own hosts alone, no redirects, bounded in time and size."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog

from config.oidc import OidcSettings, is_loopback
from gateway.access.oidc.errors import ProviderAnswerError, ProviderUnreachableError

log = structlog.get_logger()

ANSWER_MAX_BYTES = 512 * 1024
"""Larger than any key set or token; a person in some thousand groups has 100 KiB."""


class ProviderWeb:
    """The hosts of one provider. What its own documents point to elsewhere is not followed (SSRF)."""

    __slots__ = ("_hosts", "_name", "_settings", "_tls")

    def __init__(self, settings: OidcSettings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls = tls
        self._name = settings.name
        self._hosts = frozenset({urlsplit(settings.issuer).netloc.lower(), *settings.hosts})

    def check(self, url: str) -> str:
        """Return ``url`` where the gateway may ask it.

        Raises:
            ProviderAnswerError: it is on another host, or neither https nor on loopback.
        """
        host = self.check_scheme(url)
        if host not in self._hosts:
            log.warning("oidc.odd_answer", provider=self._settings.id, found=f"leads to {url}")
            raise ProviderAnswerError(
                f"The sign-in service of {self._name} sends Sightline to {host}, which is not one of its own hosts.",
                cure="If it is, an administrator can name it in hosts of that provider.",
                found=url,
            )
        return url

    def check_scheme(self, url: str) -> str:
        """Return the host of an address that a browser may be sent to.

        Raises:
            ProviderAnswerError: it is neither https nor on loopback.
        """
        try:
            parts = urlsplit(url)
            secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        except ValueError:
            secure = False
        if not secure or not parts.hostname or parts.username is not None:
            log.warning("oidc.odd_answer", provider=self._settings.id, found=f"leads to {url}")
            raise ProviderAnswerError(
                f"The sign-in service of {self._name} names an address that is not https.",
                cure="Tell an administrator.",
                found=url,
            )
        return parts.netloc.lower()

    async def get(self, url: str, *, bearer: str | None = None) -> dict[str, Any]:
        """Return the JSON object at ``url``.

        Raises:
            ProviderUnreachableError: no answer.
            ProviderAnswerError: an answer of another kind.
        """
        headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
        status, answer = await self._ask("GET", url, headers=headers)
        if status != 200:
            raise self._odd(f"answers {status}", url)
        return answer

    async def post(self, url: str, *, headers: Mapping[str, str], body: str) -> tuple[int, dict[str, Any]]:
        """Send a form and return status and JSON object of the answer.

        Raises:
            ProviderUnreachableError: no answer.
            ProviderAnswerError: an answer of another kind.
        """
        sent = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return await self._ask("POST", url, headers=sent, body=body)

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str], body: str = ""
    ) -> tuple[int, dict[str, Any]]:
        self.check(url)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                status, answer = await self._exchange(method, url, headers=headers, body=body)
        except (TimeoutError, httpx.HTTPError) as error:
            raise self._away("does not answer", f"{url}: {type(error).__name__}: {error}") from None
        if status >= 500:
            raise self._away("is out of order", f"{url} answers {status}")
        try:
            said = json.loads(answer)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise self._odd(f"answers {status} and no JSON object", url)
        return status, said

    async def _exchange(self, method: str, url: str, *, headers: Mapping[str, str], body: str) -> tuple[int, bytearray]:
        # A client for each question: there are few, and no token or cookie of one person is near another's.
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        async with (
            httpx.AsyncClient(verify=self._tls, trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113 - bounded as a whole
            client.stream(method, url, headers=sent, content=body.encode()) as answer,
        ):
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise self._odd("answers in an encoding that was not asked for", url)
            read = bytearray()
            async for part in answer.aiter_raw():
                read += part
                if len(read) > ANSWER_MAX_BYTES:
                    raise self._odd("answers without end", url)
            return answer.status_code, read

    def _away(self, what: str, found: str) -> ProviderUnreachableError:
        log.warning("oidc.unreachable", provider=self._settings.id, found=found)
        return ProviderUnreachableError(
            f"The sign-in service of {self._name} {what}.",
            cure="Try again in a minute, or sign in with a password of your own here, if you have one.",
            found=found,
        )

    def _odd(self, what: str, url: str) -> ProviderAnswerError:
        log.warning("oidc.odd_answer", provider=self._settings.id, found=f"{url} {what}")
        return ProviderAnswerError(
            f"The sign-in service of {self._name} gives an answer that Sightline does not understand.",
            cure="Try again; if it stays so, tell an administrator: the log of the service says what it was.",
            found=f"{url} {what}",
        )
