"""Which network addresses a camera may have: the guard against being sent to ourselves or to the cloud's metadata.

Loopback, link-local, multicast, unspecified and metadata addresses are refused unless the configuration allows them.
A name is resolved once, every A and AAAA record of it is checked, and the caller connects to the checked address
(never to the name again): so an answer that changes between the check and the connection (DNS rebinding) is harmless.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass, field

from drivers.errors import CameraRefusedAddressError, CameraUnreachableError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack
        "169.254.170.2",  # AWS ECS credentials
        "fd00:ec2::254",  # AWS over IPv6
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """What the configuration allows. Networks are CIDR; an allowed network wins over every refusal.

    Raises:
        ValueError: an entry of ``allow_networks`` is not a network.
    """

    allow_loopback: bool = False
    allow_networks: tuple[str, ...] = ()
    _networks: tuple[Network, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        networks = tuple(ipaddress.ip_network(text, strict=False) for text in self.allow_networks)
        object.__setattr__(self, "_networks", networks)

    def check_ip(self, ip: str | Address) -> None:
        """Return if a connection to ``ip`` is allowed.

        Raises:
            CameraRefusedAddressError: it is not, or ``ip`` is no address at all.
        """
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            raise CameraRefusedAddressError(
                f"{ip!r} is not a network address.",
                cure="Give an IPv4 or IPv6 address or a host name.",
                address=str(ip),
            ) from None
        cause = self._refusal(address)
        if cause is not None:
            setting = "allow_loopback" if cause == "loopback" else "allow_networks"
            raise CameraRefusedAddressError(
                f"{address} is a {cause} address, and cameras may not be there.",
                cure=f"If it is meant, allow it in the configuration (cameras.{setting}).",
                address=str(address),
                cause=cause,
            )

    def allows(self, ip: str | Address) -> bool:
        """Say whether :meth:`check_ip` would return."""
        try:
            self.check_ip(ip)
        except CameraRefusedAddressError:
            return False
        return True

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of ``host``, each of them checked; connect to these, not to the name.

        Raises:
            CameraRefusedAddressError: any of its addresses is refused (one bad record taints the name).
            CameraUnreachableError: the name has no address.
        """
        bare = host.strip("[]")
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            found = await _look_up(bare, port)
        else:
            found = [bare]
        for ip in found:
            self.check_ip(ip)
        return found

    def _refusal(self, address: Address) -> str | None:
        inner = _embedded(address)
        candidates = (address,) if inner is None else (address, inner)
        if any(one in network for one in candidates for network in self._networks):
            return None
        for one in candidates:
            cause = _cause(one)
            if cause is not None and not (cause == "loopback" and self.allow_loopback):
                return cause
        return None


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to (mapped, 6to4, NAT64, IPv4-compatible)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _cause(address: Address) -> str | None:
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        address = ipaddress.IPv6Address(int(address))
    checks = (
        ("metadata", address in METADATA),
        ("loopback", address.is_loopback),
        ("link-local", address.is_link_local),
        ("multicast", address.is_multicast),
        ("unspecified", address.is_unspecified or int(address) >> 24 == 0),
        ("broadcast", int(address) == 0xFFFF_FFFF),
    )
    return next((name for name, hit in checks if hit), None)


async def _look_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CameraUnreachableError(
            f"The name {host!r} has no address.", cure="Check its spelling and the DNS server.", address=host
        ) from error
    found = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))
    if not found:
        raise CameraUnreachableError(
            f"The name {host!r} has no address.", cure="Check its spelling and the DNS server.", address=host
        )
    return found
