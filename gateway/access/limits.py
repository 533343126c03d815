"""How often one may guess: a bucket of attempts per account and per address, refilled slowly.

An attempt is taken when it begins, so that a hundred at once are a hundred, and given back when it was right.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from gateway.access.errors import TooManyAttemptsError
from kernel.clock import NS_PER_S, Clock

KEPT_MAX = 10_000
"""Buckets kept; the one untouched for longest makes room."""


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
    """The limits of signing in, per account and per address."""

    __slots__ = ("_accounts", "_addresses")

    def __init__(self, *, accounts: Attempts, addresses: Attempts) -> None:
        self._accounts = accounts
        self._addresses = addresses

    def begin(self, account: str, address: str) -> None:
        """Take an attempt for both.

        Raises:
            TooManyAttemptsError: one of them has none left. Nothing is taken then.
        """
        network = network_of(address)
        wait_s = max(self._accounts.wait_s(account), self._addresses.wait_s(network))
        if wait_s:
            raise TooManyAttemptsError(wait_s)
        self._accounts.take(account)
        self._addresses.take(network)

    def succeeded(self, account: str, address: str) -> None:
        """Forgive the account; the address gets this attempt back."""
        self._accounts.forgive(account)
        self._addresses.give_back(network_of(address))


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
