"""What a provider signs: ID tokens (OpenID Connect Core 3.1.3.7) and logout tokens (Back-Channel Logout 2.4, 2.6).

The signature is proved by joserfc, what an ID token says by Authlib; what both leave open is asked here.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry, Token

# Asymmetric alone: with "none" or an HMAC anybody who knows the client could sign.
ALGORITHMS = [f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
NAME_MAX = 255
"""Longest ``sub``, by Core 2; the same for ``sid`` and ``jti``."""
_RSA_MIN_BITS = 2048
_LOGOUT_TYPES = {"jwt", "logout+jwt", "application/logout+jwt"}


class BadTokenError(Exception):
    """A token is not what it must be; its text says what was found, for the log."""


class Registry(JWSRegistry):
    """Takes headers that providers add of their own (``crit`` is obeyed all the same), and certificates in them."""

    max_header_length = 8192


def registry() -> JWSRegistry:
    """Return how headers are read."""
    return Registry(algorithms=ALGORITHMS, strict_check_header=False)


def key_set(document: Mapping[str, Any]) -> KeySet:
    """Return the keys of a JWK set that can sign for us: RSA of 2048 bits and more, and elliptic curves.

    Raises:
        BadTokenError: there is none.
    """
    listed = document.get("keys")
    keys: list[RSAKey | ECKey] = []
    for known in listed if isinstance(listed, list) else []:
        try:
            if known["kty"] == "RSA":
                # Asked before it is read: joserfc takes a short one, and warns whoever runs us of it.
                if _bits(known["n"]) >= _RSA_MIN_BITS:
                    keys.append(RSAKey.import_key(known))
            elif known["kty"] == "EC":
                keys.append(ECKey.import_key(known))
        except (JoseError, ValueError, TypeError, KeyError):
            # One odd key is no reason to do without the others (RFC 7517, 5).
            continue
    if not keys:
        msg = "no usable key in the key set"
        raise BadTokenError(msg)
    return KeySet(list(keys))


def _bits(number: str) -> int:
    """Return the length of a JWK's number (RFC 7518, 2); a TypeError or ValueError where it is none."""
    return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token must say: from whom, for whom, in answer to what. Times in seconds since 1970."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None
    begun_s: int
    now_s: int
    skew_s: int
    again: bool
    """The person was to prove themselves anew (``max_age`` of 0)."""


def id_claims(token: Token, wanted: Expected) -> dict[str, Any]:
    """Return what an ID token says.

    Raises:
        BadTokenError: it is another's, for another, an old one, or no ID token.
    """
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={"iss": {"essential": True, "value": wanted.issuer}},
        params={"nonce": wanted.nonce, "client_id": wanted.client_id, "access_token": wanted.access_token},
    )
    try:
        claims.validate(now=wanted.now_s, leeway=wanted.skew_s)
    except (JoseError, ValueError, TypeError) as error:
        raise BadTokenError(str(error)) from None
    said = dict(token.claims)
    _for_us_alone(said, wanted.client_id)
    if not isinstance(said.get("nonce"), str):
        msg = "the nonce is no text"
        raise BadTokenError(msg)
    if said["iat"] < wanted.begun_s - wanted.skew_s:
        msg = "it is older than the question"
        raise BadTokenError(msg)
    proved_s = said.get("auth_time")
    fresh = isinstance(proved_s, int | float) and proved_s >= wanted.begun_s - wanted.skew_s
    if wanted.again and not fresh:
        # Core 3.1.2.1: with max_age the provider says when they did, and we look.
        msg = "they did not prove themselves anew"
        raise BadTokenError(msg)
    _name(said, "sub")
    if "sid" in said:
        _name(said, "sid")
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """Whose sessions are to end: those of a person (``subject``), or of one of their sessions there (``sid``)."""

    subject: str | None
    sid: str | None
    jti: str
    expires_s: int


def logout(token: Token, *, issuer: str, client_id: str, now_s: int, skew_s: int) -> Logout:
    """Return what a logout token asks for.

    Raises:
        BadTokenError: it is another's, for another, an old one, or no logout token.
    """
    kind = token.header.get("typ", "jwt")
    if not isinstance(kind, str) or kind.lower() not in _LOGOUT_TYPES:
        msg = f"it is a {kind}"
        raise BadTokenError(msg)
    checks = JWTClaimsRegistry(
        now=now_s,
        leeway=skew_s,
        iss={"essential": True, "value": issuer},
        aud={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
        events={"essential": True},
    )
    try:
        checks.validate(token.claims)
    except (JoseError, ValueError, TypeError) as error:
        raise BadTokenError(str(error)) from None
    said = token.claims
    _for_us_alone(said, client_id)
    events = said["events"]
    if not isinstance(events, Mapping) or not isinstance(events.get(LOGOUT_EVENT), Mapping):
        msg = "it is about no logout"
        raise BadTokenError(msg)
    if "nonce" in said:
        # So that no ID token passes for one (2.4).
        msg = "it has a nonce"
        raise BadTokenError(msg)
    if said.get("sub") is None and said.get("sid") is None:
        msg = "it names nobody"
        raise BadTokenError(msg)
    return Logout(
        subject=_name(said, "sub") if said.get("sub") is not None else None,
        sid=_name(said, "sid") if said.get("sid") is not None else None,
        jti=_name(said, "jti"),
        expires_s=int(said["exp"]),
    )


def _for_us_alone(claims: Mapping[str, Any], client_id: str) -> None:
    # Core 3.1.3.7: further audiences are refused unless they are trusted, and we trust none.
    if claims["aud"] not in (client_id, [client_id]):
        msg = "it is for others"
        raise BadTokenError(msg)


def _name(claims: Mapping[str, Any], key: str) -> str:
    name = claims.get(key)
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        msg = f"{key} is no name"
        raise BadTokenError(msg)
    return name
