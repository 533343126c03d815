"""Which proof of who we are a camera wants, found out once and remembered.

HTTP digest is tried first and WS-UsernameToken second, each algorithm at most once, lest the account be locked.
"""

from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

from lxml import etree

from drivers.errors import CameraAuthenticationError
from drivers.model import Credentials
from drivers.onvif.authentication import Challenge, Scheme, basic, challenges, username_token
from drivers.onvif.quirks import Quirks
from drivers.onvif.session import HttpAnswer
from kernel.clock import NS_PER_S, Clock, to_ns

T = TypeVar("T")
DIGESTS = {Scheme.DIGEST_SHA256, Scheme.DIGEST_MD5}


class RefusedError(Exception):
    """The camera does not accept who we say we are, or wants to be told. Never leaves this package."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def wrong(url: str) -> CameraAuthenticationError:
    """Return the error for credentials that are not accepted."""
    return CameraAuthenticationError(
        "The camera does not accept the user name and password.",
        cure="Check them; some cameras keep ONVIF accounts of their own, and lock an account after a few tries.",
        address=url,
    )


class ClockOffset:
    """The camera's clock minus ours, as well as it is known."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0.0
        self.known = False
        """Measured by GetSystemDateAndTime; before that it may be guessed from an HTTP Date."""

    def wall_ns(self) -> int:
        """Return the time by the camera's clock."""
        return self._clock.wall_ns() + round(self.seconds * NS_PER_S)

    def guess(self, answer: HttpAnswer) -> bool:
        """Take the time from a Date header; True if that is news."""
        date = answer.headers.get("Date")
        if self.known or not date:
            return False
        try:
            seconds = (to_ns(parsedate_to_datetime(date)) - self._clock.wall_ns()) / NS_PER_S
        except (ValueError, TypeError):
            return False
        if abs(seconds - self.seconds) <= 2.0:
            return False
        self.seconds = seconds
        return True


class Proof:
    """How to prove who we are to one camera's services (``tokens``) or to its pages (no token there)."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        quirks: Quirks,
        offset: ClockOffset,
        tokens: bool,
        proven: Callable[[str, str], bool],
    ) -> None:
        """``proven`` says whether TLS proves who answered: the address that was asked, and where the answer is from."""
        self.scheme: Scheme | None = Scheme.WSSE if tokens and "token-only" in quirks else None
        self.proved = False
        """Whether ``scheme`` was accepted once."""
        self._credentials = credentials
        self._quirks = quirks
        self._offset = offset
        self._tokens = tokens
        self._proven = proven
        self._challenge: Challenge | None = None

    def authorization(self, method: str, url: str, scheme: Scheme | None) -> dict[str, str]:
        """Return the HTTP header that ``scheme`` needs, if one."""
        username, password = self._credentials.username, self._credentials.password.get_secret_value()
        if scheme is Scheme.BASIC:
            return {"Authorization": basic(username, password)}
        if scheme in DIGESTS and self._challenge is not None:
            answer = self._challenge.answer(method=method, url=url, username=username, password=password)
            return {"Authorization": answer}
        return {}

    def token(self) -> etree._Element:
        """Return a UsernameToken of this moment by the camera's clock."""
        return username_token(
            username=self._credentials.username,
            password=self._credentials.password.get_secret_value(),
            created_ns=self._offset.wall_ns(),
        )

    async def run(self, url: str, attempt: Callable[[str, Scheme | None], Awaitable[T]]) -> T:
        """Make attempts until one is accepted.

        Raises:
            CameraAuthenticationError: none is.
        """
        failed: set[Scheme] = set()
        fresh = False
        asked = url
        while True:
            scheme = self.scheme
            try:
                answer = await attempt(url, scheme)
            except RefusedError as refusal:
                url = refusal.answer.url
                offered, has_basic = self._offers(refusal.answer)
                if scheme is not None and self._once_more(scheme, offered, refusal.answer, fresh=fresh):
                    fresh = True
                    continue
                if scheme is not None:
                    failed.add(scheme)
                    if self.proved:
                        raise wrong(url) from None
                left = [one for one in offered if one.scheme not in failed]
                self._choose(url, left, failed, has_basic=has_basic, clear=self._proven(asked, url))
                fresh = scheme is not Scheme.WSSE
            else:
                self._accepted(scheme, failed)
                return answer

    def _once_more(self, scheme: Scheme, offered: list[Challenge], answer: HttpAnswer, *, fresh: bool) -> bool:
        """Say whether the same proof may do, made anew: the nonce was used up, or the time was wrong."""
        if scheme in DIGESTS and not fresh:
            again = next((one for one in offered if one.scheme is scheme), None)
            if again is not None:
                self._challenge = again
                return True
        return scheme is Scheme.WSSE and self._offset.guess(answer)

    def _choose(self, url: str, offered: list[Challenge], failed: set[Scheme], *, has_basic: bool, clear: bool) -> None:
        if offered:
            self._challenge, self.scheme = offered[0], offered[0].scheme
        elif self._tokens and Scheme.WSSE not in failed:
            self.scheme = Scheme.WSSE
        elif has_basic and clear and Scheme.BASIC not in failed:
            self.scheme = Scheme.BASIC
        else:
            self.scheme = None
            if has_basic and not failed:
                self._quirks.learn("basic-only")
                raise CameraAuthenticationError(
                    "The camera wants the password in the clear (HTTP Basic).",
                    cure="Turn on digest authentication in the camera, or enrol it at https and pin its certificate.",
                    address=url,
                    cause="basic",
                )
            raise wrong(url)

    def _accepted(self, scheme: Scheme | None, failed: set[Scheme]) -> None:
        if scheme is None:
            return
        if scheme is Scheme.DIGEST_MD5 and Scheme.DIGEST_SHA256 in failed:
            self._quirks.learn("sha256-refused")
        if scheme is Scheme.WSSE and not self.proved:
            self._quirks.learn("token-only")
        self.proved = True

    def _offers(self, answer: HttpAnswer) -> tuple[list[Challenge], bool]:
        offered, has_basic = challenges(answer.headers.getall("WWW-Authenticate", []))
        if len(offered) > 1:
            self._quirks.learn("two-challenges")
        if any("auth-int" in one.qop.lower() for one in offered):
            self._quirks.learn("qop-auth-int")
        if "sha256-refused" in self._quirks:
            offered = [one for one in offered if one.scheme is not Scheme.DIGEST_SHA256] or offered
        return offered, has_basic
