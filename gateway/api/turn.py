"""The ICE servers that a viewer is told of, and the credentials that open a TURN server to them for a while.

coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest-00 section 2.2) shares one secret with us and keeps no list
of users: the user name says until when it holds and whom it was given to, the password is its HMAC. The secret itself
never leaves the gateway, and coturn asks us nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog

from config.live import LiveSettings
from gateway.access.identity import Identity
from kernel.clock import NS_PER_S
from kernel.ids import new_id

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One ICE server as a browser is told of it."""

    url: str
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    @property
    def link(self) -> str:
        """Return it as a Link value (RFC 9725 section 4.6)."""
        parts = [f"<{self.url}>", 'rel="ice-server"']
        if self.username is not None:
            parts.append(f'username="{_quoted(self.username)}"')
        if self.credential is not None:
            parts += [f'credential="{_quoted(self.credential)}"', 'credential-type="password"']
        return "; ".join(parts)


def servers_named(settings: LiveSettings) -> bool:
    """Return whether a viewer is told of any server, and so had better ask before it connects."""
    return bool(settings.ice_servers or settings.turn_urls)


def relay_credential(secret: str, *, until_s: int, name: str) -> tuple[str, str]:
    """Return user name and password that coturn takes until ``until_s`` (seconds since 1970).

    ``name`` is opaque to coturn, and stands in its log.
    """
    username = f"{until_s}:{name}"
    # HMAC-SHA1 is what the draft and coturn prescribe; it is sound as a MAC.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def links(settings: LiveSettings, who: Identity, *, wall_ns: int, until_ns: int | None = None) -> dict[str, str]:
    """Return the Link header that tells ``who`` of every server, relay credentials of their own included.

    Credentials hold no longer than ``until_ns``: what is shared until then needs no relay afterwards.
    """
    ends_s = wall_ns // NS_PER_S + settings.turn_ttl_s
    if until_ns is not None:
        ends_s = min(ends_s, until_ns // NS_PER_S)
    found = [server.link for server in _told(settings, who, ends_s)]
    return {"Link": ", ".join(found)} if found else {}


def _told(settings: LiveSettings, who: Identity, until_s: int) -> Iterator[Told]:
    for server in settings.ice_servers:
        credential = server.credential.get_secret_value() if server.credential is not None else None
        yield Told(url=server.url, username=server.username, credential=credential)
    if settings.turn_secret is None or not settings.turn_urls:
        return
    name = new_id()
    username, credential = relay_credential(settings.turn_secret.get_secret_value(), until_s=until_s, name=name)
    # coturn's log knows a relay by this name alone: here stands whose it is. It opens nothing.
    _log.info("live.relay_named", relay=name, user=who.shown)
    for url in settings.turn_urls:
        yield Told(url=url, username=username, credential=credential)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
