"""Answers a camera's challenge: digest first (RFC 7616, RFC 2069), Basic only inside TLS that proves who answers."""

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.errors import CameraAuthenticationError

_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
_PREFERENCE = ("SHA-256", "MD5")


@dataclass(slots=True)
class _Challenge:
    algorithm: str
    """As in ``_HASHES``, or ``BASIC``."""
    session: bool
    """The ``-sess`` variant."""
    realm: str
    nonce: str
    opaque: str | None
    qop: bool
    stale: bool
    named: bool
    """The camera wrote an algorithm; those that did not may choke on ours."""


class Authenticator:
    """Remembers a camera's challenge, so that every later request carries its proof from the start."""

    def __init__(self, username: str, password: str, *, basic_allowed: bool) -> None:
        self._username = username
        self._password = password
        self._basic_allowed = basic_allowed
        self._challenge: _Challenge | None = None
        self._proven = False
        self._refused: set[str] = set()
        self._count = 0

    def header(self, method: str, uri: str) -> str | None:
        """Return the value of Authorization, or ``None`` before the first challenge."""
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.algorithm == "BASIC":
            return "Basic " + b64encode(f"{self._username}:{self._password}".encode()).decode()
        return self._digest(challenge, method, uri)

    def accepted(self) -> None:
        """Note that the last proof was taken: a later refusal is about an old nonce, not the password."""
        self._proven = self._challenge is not None

    def challenged(self, values: Sequence[str]) -> None:
        """Take the WWW-Authenticate values of a 401; return if it is worth asking again.

        Raises:
            CameraAuthenticationError: every way the camera offers has been refused, or none can be used.
        """
        offers = [offer for value in values for offer in _parse(value)]
        before = self._challenge
        if before is not None:
            renewed = any(offer.algorithm == before.algorithm and offer.stale for offer in offers)
            if not (renewed or self._proven):
                self._refused.add(before.algorithm)
        self._proven = False
        usable = [offer for offer in offers if offer.algorithm not in self._refused]
        for algorithm in (*_PREFERENCE, "BASIC"):
            for offer in usable:
                if offer.algorithm == algorithm and (algorithm != "BASIC" or self._basic_allowed):
                    self._challenge = offer
                    self._count = 0
                    return
        if before is None and any(offer.algorithm == "BASIC" for offer in offers):
            raise CameraAuthenticationError(
                "The camera takes passwords only in the clear.",
                cure="Turn on digest authentication at the camera, or use an rtsps:// address.",
            )
        if before is None and not self._refused:
            raise CameraAuthenticationError(
                "The camera asks for a kind of authentication that is not known here.",
                cure="Set its RTSP authentication to digest.",
            )
        raise CameraAuthenticationError(
            "The camera refuses the user name or password.", cure="Correct them and enrol the camera again."
        )

    def _digest(self, challenge: _Challenge, method: str, uri: str) -> str:
        def h(text: str) -> str:
            return _HASHES[challenge.algorithm](text.encode()).hexdigest()

        self._count += 1
        count, cnonce = f"{self._count:08x}", secrets.token_hex(8)
        secret = h(f"{self._username}:{challenge.realm}:{self._password}")
        if challenge.session:
            secret = h(f"{secret}:{challenge.nonce}:{cnonce}")
        middle = f"{challenge.nonce}:{count}:{cnonce}:auth" if challenge.qop else challenge.nonce
        response = h(f"{secret}:{middle}:{h(f'{method}:{uri}')}")
        fields = [
            f'username="{_quote(self._username)}"',
            f'realm="{_quote(challenge.realm)}"',
            f'nonce="{_quote(challenge.nonce)}"',
            f'uri="{uri}"',
            f'response="{response}"',
        ]
        if challenge.named:
            fields.append(f"algorithm={challenge.algorithm}{'-sess' if challenge.session else ''}")
        if challenge.opaque is not None:
            fields.append(f'opaque="{_quote(challenge.opaque)}"')
        if challenge.qop or challenge.session:
            fields.append(f'cnonce="{cnonce}"')
        if challenge.qop:
            fields += ["qop=auth", f"nc={count}"]
        return "Digest " + ", ".join(fields)


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _parse(value: str) -> list[_Challenge]:
    """Return the challenges in one header value; several may be joined by commas."""
    found = []
    for part in re.split(r"(?i)(?:^|,)\s*(?=(?:digest|basic)\s)", value.strip()):
        scheme, _, rest = part.strip().partition(" ")
        pairs = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
            for name, quoted, plain in _PAIR.findall(rest)
        }
        if scheme.lower() == "basic":
            found.append(_Challenge("BASIC", False, pairs.get("realm", ""), "", None, False, False, False))  # noqa: FBT003
        elif scheme.lower() == "digest" and "nonce" in pairs:
            name = pairs.get("algorithm", "MD5").upper()
            qops = {word.strip().lower() for word in pairs.get("qop", "").split(",")} - {""}
            algorithm = name.removesuffix("-SESS")
            if algorithm not in _HASHES or (qops and "auth" not in qops):
                continue
            found.append(
                _Challenge(
                    algorithm=algorithm,
                    session=name.endswith("-SESS"),
                    realm=pairs.get("realm", ""),
                    nonce=pairs["nonce"],
                    opaque=pairs.get("opaque"),
                    qop=bool(qops),
                    stale=pairs.get("stale", "").lower() == "true",
                    named="algorithm" in pairs,
                )
            )
    return found
