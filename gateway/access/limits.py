"""How often one may guess: buckets of attempts, refilled slowly.

An attempt is taken when it begins, so that a hundred at once are a hundred, and given back when it was right. It counts

- for the account at that network, so that nobody elsewhere on the network can slow somebody's sign-in,
- for the account at all networks together, with a bound that is much higher, against guessing from many,
- for the network with all accounts together, against one password tried on everybody.

A browser from which somebody has signed in before counts for itself alone (OWASP, "Slow down online guessing attacks
with device cookies"): whatever goes on elsewhere, people sign in where they always do.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from config.access import AccessSettings
from gateway.access.errors import TooManyAttemptsError
from kernel.clock import NS_PER_S, Clock

KEPT_MAX = 10_000
"""Buckets kept; the one untouched for longest makes room."""
SECOND_SLOWER = 10
"""Attempts at a code come back this much slower than those at a password: a million is not many."""


@dataclass(slots=True)
class _Bucket:
    left_ns: int
    """In nanoseconds of refilling, so that nothing is lost to rounding however often one looks."""
    at_ns: int


class Attempts:
    """Buckets of one kind."""

    __slots__ = ("_buckets", "_clock", "_one_ns", "_whole_ns")

    def __init__(self, *, clock: Clock, capacity: int, refill_s: float) -> None:
        self._clock = clock
        self._one_ns = round(refill_s * NS_PER_S)
        self._whole_ns = capacity * self._one_ns
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, key: str) -> int:
        """Return how many seconds until an attempt is allowed; 0 is now."""
        missing_ns = self._one_ns - self._filled(key).left_ns
        return max(0, -(-missing_ns // NS_PER_S))

    def take(self, key: str) -> None:
        """Take an attempt."""
        self._filled(key).left_ns -= self._one_ns

    def give_back(self, key: str) -> None:
        """Return an attempt that was right."""
        bucket = self._filled(key)
        bucket.left_ns = min(self._whole_ns, bucket.left_ns + self._one_ns)

    def forgive(self, key: str) -> None:
        """Forget every failure."""
        self._buckets.pop(key, None)

    def _filled(self, key: str) -> _Bucket:
        now_ns = self._clock.monotonic_ns()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._whole_ns, now_ns)
            while len(self._buckets) > KEPT_MAX:
                self._buckets.popitem(last=False)
        bucket.left_ns = min(self._whole_ns, bucket.left_ns + now_ns - bucket.at_ns)
        bucket.at_ns = now_ns
        self._buckets.move_to_end(key)
        return bucket


class SignInLimits:
    """The limits of signing in."""

    __slots__ = ("_accounts", "_addresses", "_seconds", "_wide")

    def __init__(self, *, clock: Clock, settings: AccessSettings) -> None:
        self._accounts = Attempts(clock=clock, capacity=settings.account_attempts, refill_s=settings.account_refill_s)
        self._wide = Attempts(
            clock=clock, capacity=settings.account_wide_attempts, refill_s=settings.account_wide_refill_s
        )
        self._addresses = Attempts(clock=clock, capacity=settings.address_attempts, refill_s=settings.address_refill_s)
        self._seconds = Attempts(
            clock=clock, capacity=settings.account_attempts, refill_s=settings.account_refill_s * SECOND_SLOWER
        )

    def begin(self, account: str, address: str, *, device: str | None = None) -> None:
        """Take an attempt. ``account`` is empty where nobody is named; ``device`` is a browser the account knows.

        Raises:
            TooManyAttemptsError: one bucket has none left. Nothing is taken then.
        """
        buckets = self._buckets(account, address, device)
        waits = [(kind.wait_s(key), key) for kind, key in buckets]
        wait_s = max(wait for wait, _ in waits)
        if wait_s:
            # The widest is named: there is one of it, where somebody can make up any number of accounts.
            raise TooManyAttemptsError(wait_s, bucket=next(key for wait, key in reversed(waits) if wait))
        for kind, key in buckets:
            kind.take(key)

    def succeeded(self, account: str, address: str, *, device: str | None = None) -> None:
        """Forgive the account where it was right; what counts more widely gets this attempt back."""
        narrow, *wider = self._buckets(account, address, device)
        if account:
            narrow[0].forgive(narrow[1])
        else:
            wider = [narrow, *wider]
        for kind, key in wider:
            kind.give_back(key)

    def give_back(self, account: str, address: str, *, device: str | None = None) -> None:
        """Return an attempt that was right but has not signed anybody in yet."""
        for kind, key in self._buckets(account, address, device):
            kind.give_back(key)

    def begin_second(self, user_id: str) -> None:
        """Take an attempt at a code, which is short: only who knows the password gets here, and from wherever.

        Raises:
            TooManyAttemptsError: there is none left.
        """
        wait_s = self._seconds.wait_s(user_id)
        if wait_s:
            raise TooManyAttemptsError(wait_s, bucket=user_id)
        self._seconds.take(user_id)

    def second_succeeded(self, user_id: str) -> None:
        """Forgive."""
        self._seconds.forgive(user_id)

    def _buckets(self, account: str, address: str, device: str | None) -> list[tuple[Attempts, str]]:
        if account and device is not None:
            return [(self._accounts, f"{account} by {device}")]
        network = network_of(address)
        if not account:
            return [(self._addresses, network)]
        return [(self._accounts, f"{account} at {network}"), (self._wide, account), (self._addresses, network)]


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that an IPv6 site has to itself."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return address
