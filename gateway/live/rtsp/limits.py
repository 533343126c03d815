"""What strangers may cost: failures of one address, and how long it is not spoken to."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from kernel.allowance import Allowance
from kernel.clock import NS_PER_S, Clock

FAILURES_PER_S, FAILURES_BURST = 1 / 6, 10
"""Wrong credentials, broken handshakes and garbage: ten at once, then ten a minute."""
SHUT_OUT_S = 60.0
ADDRESSES_KEPT = 4096
"""The longest unheard are forgotten first."""
_SUBSCRIBER_BITS = 64
"""One IPv6 subscriber has 2^64 addresses, and counts as one."""


@dataclass(slots=True)
class _Record:
    allowance: Allowance
    shut_until_ns: int = 0


def address_of(peer: object) -> str:
    """Return the address of a socket's peer name, an IPv4 one as such even where it came to an IPv6 socket."""
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])  # type: ignore[index]
    except (ValueError, TypeError, IndexError):
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


class Failures:
    """Counts failures by address. Views that are going on from an address that is shut out go on."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def note(self, address: str) -> None:
        """Note a failure."""
        key, now_ns = _subscriber(address), self._clock.monotonic_ns()
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = _Record(Allowance(FAILURES_PER_S, FAILURES_BURST))
            if len(self._records) > ADDRESSES_KEPT:
                self._records.popitem(last=False)
        self._records.move_to_end(key)
        if not record.allowance.take(now_ns):
            record.shut_until_ns = now_ns + round(SHUT_OUT_S * NS_PER_S)

    def shut_out(self, address: str) -> bool:
        """Tell whether an address has failed too often to be spoken to now."""
        record = self._records.get(_subscriber(address))
        return record is not None and self._clock.monotonic_ns() < record.shut_until_ns


def _subscriber(address: str) -> str:
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False))
