"""Digest access authentication as cameras do it over RTSP (RFC 7616, and RFC 2069 clients)."""

import hashlib
import hmac
import re
import secrets

from drivers.simulator.device import SimulatedDevice
from kernel.clock import NS_PER_S

REALM = "Sightline Simulator"
NONCE_LIFE_S = 300
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


class Doorkeeper:
    """Challenges and checks the clients of one device."""

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self._key = secrets.token_bytes(16)

    def challenges(self, *, stale: bool = False) -> list[str]:
        """Return WWW-Authenticate values. MD5 comes last: libav obeys the last and knows no other."""
        faults = self._device.faults
        algorithms = ["SHA-256", "MD5"] if faults.two_challenges or faults.sha256_broken else ["MD5"]
        qop = "auth,auth-int" if faults.qop_auth_int else "auth"
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm="{REALM}", nonce="{self._nonce()}", qop="{qop}", algorithm={algorithm}{tail}'
            for algorithm in algorithms
        ]

    def check(self, authorization: str | None, method: str) -> list[str] | None:
        """Return ``None`` for a client who knows the password, else the challenges to answer with."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() != "digest":
            return self.challenges()
        given = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}
        age_s = self._age_s(given.get("nonce", ""))
        if age_s is None or not self._proves(given, method):
            return self.challenges()
        if age_s > NONCE_LIFE_S:
            return self.challenges(stale=True)
        return None

    def _proves(self, given: dict[str, str], method: str) -> bool:
        algorithm = given.get("algorithm", "MD5").upper()
        if algorithm == "SHA-256" and not self._device.faults.sha256_broken:
            digest = hashlib.sha256
        elif algorithm == "MD5":
            digest = hashlib.md5
        else:
            return False

        def h(text: str) -> str:
            return digest(text.encode()).hexdigest()

        if given.get("username") != self._device.username:
            return False
        secret = h(f"{self._device.username}:{REALM}:{self._device.password}")
        request = h(f"{method}:{given.get('uri', '')}")
        if given.get("qop"):
            middle = f"{given['nonce']}:{given.get('nc', '')}:{given.get('cnonce', '')}:auth"
        else:
            middle = given["nonce"]
        return hmac.compare_digest(h(f"{secret}:{middle}:{request}").encode(), given.get("response", "").encode())

    def _now_s(self) -> int:
        return self._device.clock.monotonic_ns() // NS_PER_S

    def _nonce(self) -> str:
        stamp = f"{self._now_s():x}"
        return f"{stamp}.{self._seal(stamp)}"

    def _seal(self, stamp: str) -> str:
        return hmac.new(self._key, stamp.encode(), hashlib.sha256).hexdigest()[:32]

    def _age_s(self, nonce: str) -> int | None:
        stamp, _, seal = nonce.partition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(stamp).encode()):
            return None
        return self._now_s() - int(stamp, 16)
