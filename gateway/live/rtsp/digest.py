"""Who asks: digest access authentication (RFC 7616, RFC 2069 for older clients) and Basic (RFC 7617), inside TLS.

Nonces are kept nowhere: each carries when it was made, and a proof that it was made here, for that outlet and address.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b64decode
from enum import Enum, auto

from pydantic import SecretStr

from gateway.fleet.outlets import Outlet, OutletCredential, credential_of, realm_of
from gateway.live.rtsp.messages import place_of
from kernel.clock import NS_PER_S, Clock

NONCE_LIFE_S = 300
_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_NOBODY = OutletCredential(sha256=SecretStr(secrets.token_hex(32)), md5=SecretStr(secrets.token_hex(16)))
"""Checked against where there is no such outlet, so that the answer takes as long."""
_ALGORITHMS = ("SHA-256", "MD5")
"""In the order of preference (RFC 7616 section 3.7). libav, GStreamer and live555 obey the last one that they read, and
know MD5 alone."""


class Proof(Enum):
    """What an Authorization header was worth."""

    MISSING = auto()
    GOOD = auto()
    STALE = auto()
    """It was good but for its nonce, which is too old."""
    WRONG = auto()


class Doorkeeper:
    """Challenges and checks whoever asks one host."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def challenges(self, name: str, address: str, *, stale: bool = False) -> list[tuple[str, str]]:
        """Return the WWW-Authenticate headers for an outlet's name, whether or not there is such an outlet."""
        realm, nonce = realm_of(name), self._nonce(self._clock.monotonic_ns() // NS_PER_S, name, address)
        tail = ", stale=true" if stale else ""
        # live555 reads realm and nonce in this order, and nothing before them.
        offers = [
            f'Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm={algorithm}{tail}'
            for algorithm in _ALGORITHMS
        ]
        return [("WWW-Authenticate", value) for value in (f'Basic realm="{realm}"', *offers)]

    def check(self, authorization: str, method: str, name: str, outlet: Outlet | None, address: str) -> Proof:
        """Return what a header proves for the outlet of that name; ``outlet`` is ``None`` where there is none."""
        scheme, _, rest = authorization.strip().partition(" ")
        match scheme.lower():
            case "digest":
                proof = self._digest(rest, method, name, outlet, address)
            case "basic":
                proof = _basic(rest, name, outlet)
            case "":
                proof = Proof.MISSING
            case _:
                proof = Proof.WRONG
        return Proof.WRONG if outlet is None and proof is Proof.GOOD else proof

    def _digest(self, rest: str, method: str, name: str, outlet: Outlet | None, address: str) -> Proof:
        given = {key.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for key, quoted, plain in _PAIR.findall(rest)}
        age_s = self._age_s(given.get("nonce", ""), name, address)
        if not _proves(given, method, name, outlet):
            return Proof.WRONG
        return Proof.GOOD if age_s is not None and age_s <= NONCE_LIFE_S else Proof.STALE

    def _nonce(self, made_s: int, name: str, address: str) -> str:
        proof = hmac.new(self._key, f"{made_s} {name} {address}".encode(), hashlib.sha256).hexdigest()[:32]
        return f"{made_s:x}-{proof}"

    def _age_s(self, nonce: str, name: str, address: str) -> int | None:
        """Return how old a nonce is; ``None`` for one that was not made here for them."""
        time, _, _ = nonce.partition("-")
        if re.fullmatch(r"[0-9a-f]{1,16}", time) is None:
            return None
        made_s = int(time, 16)
        if not hmac.compare_digest(self._nonce(made_s, name, address).encode(), nonce.encode()):
            return None
        return self._clock.monotonic_ns() // NS_PER_S - made_s


def _basic(rest: str, name: str, outlet: Outlet | None) -> Proof:
    try:
        username, colon, password = b64decode(rest.strip(), validate=True).decode().partition(":")
    except ValueError:
        return Proof.WRONG
    found = credential_of(name, username, password)
    wanted = outlet.credential if outlet is not None else _NOBODY
    same = hmac.compare_digest(found.sha256.get_secret_value(), wanted.sha256.get_secret_value())
    return Proof.GOOD if colon and same else Proof.WRONG


def _proves(given: dict[str, str], method: str, name: str, outlet: Outlet | None) -> bool:
    """Tell whether a response (RFC 7616 section 3.4.1) was made by who knows HA1."""
    credential = outlet.credential if outlet is not None else _NOBODY
    algorithm = given.get("algorithm", "MD5").upper()
    if algorithm == "SHA-256":
        ha1 = credential.sha256.get_secret_value()
    elif algorithm == "MD5":
        ha1 = credential.md5.get_secret_value()
    else:
        return False

    def h(text: str) -> str:
        if algorithm == "SHA-256":
            return hashlib.sha256(text.encode()).hexdigest()
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    # Clients name the stream or one of its tracks; never another outlet.
    uri = given.get("uri", "")
    place = place_of(uri)
    if place is None or place.name != name:
        return False
    middle = given.get("nonce", "")
    if given.get("qop", "").lower() == "auth":
        middle += f":{given.get('nc', '')}:{given.get('cnonce', '')}:auth"
    elif "qop" in given or algorithm != "MD5":
        return False  # without qop is RFC 2069, which knows MD5 alone: GStreamer and live555 are of that age
    expected = h(f"{ha1}:{middle}:{h(f'{method}:{uri}')}")
    known = outlet is not None and hmac.compare_digest(given.get("username", "").encode(), outlet.username.encode())
    return hmac.compare_digest(expected.encode(), given.get("response", "").lower().encode()) and known
