"""Who may call: HTTP digest (RFC 7616, RFC 2069 for old clients) and WS-UsernameToken (ONVIF Core section 5.9)."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from xml.etree import ElementTree as ET

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import markup, values
from kernel.clock import NS_PER_S

REALM = "Sightline simulated camera"
_NONCE_LIFE_NS = 300 * NS_PER_S
_REMEMBERED = 1024
_FIELD = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


class Verdict(Enum):
    """What an attempt to authenticate came to."""

    PASSED = auto()
    ABSENT = auto()
    WRONG = auto()
    STALE = auto()
    """The password is right, the nonce is old or was used: try again with a new one."""


@dataclass(slots=True)
class _Nonce:
    issued_ns: int
    counts: set[str] = field(default_factory=set)


class Guard:
    """Judges requests to one device. Nonces live as long as its server, as on a camera that reboots."""

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()
        self._tokens: OrderedDict[tuple[str, str], None] = OrderedDict()

    def challenges(self, *, stale: bool = False) -> list[str]:
        """Return the WWW-Authenticate headers of a refusal, none where only WS-UsernameToken is spoken."""
        faults = self._device.faults
        if faults.wsse_only:
            return []
        both = faults.two_challenges or faults.sha256_broken
        qop = "auth,auth-int" if faults.qop_auth_int else "auth"
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = _Nonce(self._device.clock.monotonic_ns())
        while len(self._nonces) > _REMEMBERED:
            self._nonces.popitem(last=False)
        again = ", stale=true" if stale else ""
        return [
            f'Digest realm="{REALM}", qop="{qop}", nonce="{nonce}", opaque="{self._device.serial}", '
            f"algorithm={algorithm}{again}"
            for algorithm in (("SHA-256", "MD5") if both else self._device.digest_algorithms)
        ]

    def digest(self, method: str, target: str, header: str | None) -> Verdict:
        """Judge an Authorization header for ``method`` on ``target`` (path with query)."""
        scheme, _, rest = (header or "").partition(" ")
        if scheme.lower() != "digest" or self._device.faults.wsse_only:
            return Verdict.ABSENT
        told = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(rest)}
        algorithm = told.get("algorithm", "MD5").upper()
        digest = _HASHES.get(algorithm)
        broken = algorithm == "SHA-256" and self._device.faults.sha256_broken
        if digest is None or broken or _target(told.get("uri", "")) != target:
            return Verdict.WRONG
        if not hmac.compare_digest(self._expected(digest, method, told), told.get("response", "").lower().encode()):
            return Verdict.WRONG
        return self._fresh(told)

    def _expected(self, digest: Callable[[bytes], str], method: str, told: dict[str, str]) -> bytes:
        """Return the answer that the right password gives; empty, which matches nothing, for a qop not spoken."""
        device = self._device
        secret = digest(f"{device.username}:{REALM}:{device.password}".encode())
        asked = digest(f"{method}:{told.get('uri', '')}".encode())
        nonce = told.get("nonce", "")
        if told.get("username") != device.username or told.get("realm") != REALM:
            return b"-"
        qop = told.get("qop")
        if qop is None:
            return digest(f"{secret}:{nonce}:{asked}".encode()).encode()
        if qop != "auth" or not told.get("nc") or not told.get("cnonce"):
            return b"-"
        return digest(f"{secret}:{nonce}:{told['nc']}:{told['cnonce']}:auth:{asked}".encode()).encode()

    def _fresh(self, told: dict[str, str]) -> Verdict:
        nonce = self._nonces.get(told.get("nonce", ""))
        if nonce is None or self._device.clock.monotonic_ns() - nonce.issued_ns > _NONCE_LIFE_NS:
            return Verdict.STALE
        # Counts may arrive out of order over several connections; none may arrive twice.
        count = told.get("nc", f"none-{len(nonce.counts)}")
        if count in nonce.counts:
            return Verdict.STALE
        nonce.counts.add(count)
        return Verdict.PASSED

    def token(self, header: ET.Element | None) -> Verdict:
        """Judge the UsernameToken among the SOAP headers (WSS UsernameToken Profile 1.0, PasswordDigest)."""
        found = None if header is None else markup.find(header, "Security/UsernameToken")
        if found is None or self._device.faults.digest_only:
            return Verdict.ABSENT
        password = markup.find(found, "Password")
        nonce64, created = markup.text_at(found, "Nonce") or "", markup.text_at(found, "Created") or ""
        if password is None or not password.get("Type", "").endswith("#PasswordDigest"):
            return Verdict.WRONG
        try:
            nonce = base64.b64decode(nonce64, validate=True)
            skew_s = abs(values.parse_instant(created) - self._device.wall_ns()) / NS_PER_S
        except (ValueError, binascii.Error):
            return Verdict.WRONG
        hashed = hashlib.sha1(nonce + created.encode() + self._device.password.encode(), usedforsecurity=False)
        if markup.text_at(found, "Username") != self._device.username or not hmac.compare_digest(
            base64.b64encode(hashed.digest()), (password.text or "").strip().encode()
        ):
            return Verdict.WRONG
        faults = self._device.faults
        skewed = faults.replay_skew_s and skew_s > faults.replay_skew_s
        if skewed or (faults.rejects_plus_zero and created.endswith("+00:00")):
            return Verdict.WRONG
        return self._unseen(nonce64, created)

    def _unseen(self, nonce: str, created: str) -> Verdict:
        if (nonce, created) in self._tokens:
            return Verdict.WRONG
        self._tokens[nonce, created] = None
        while len(self._tokens) > _REMEMBERED:
            self._tokens.popitem(last=False)
        return Verdict.PASSED


def _target(uri: str) -> str:
    """Return the path of a digest's uri, which some clients write in full."""
    return "/" + uri.partition("://")[2].partition("/")[2] if "://" in uri else uri
