"""A viewer as the port knows one, and the connectivity checks that anybody may send to a port."""

import socket

from aioice import stun

from gateway.live.seats import Path
from gateway.live.udp import Address

PASSWORD = "p" * 24


class FakeGuest:
    """Satisfies ``gateway.live.seats.Guest``. ``believes``: whether it takes checks for true."""

    def __init__(self, *, believes: bool = True) -> None:
        self.believes = believes
        self.requests: list[tuple[bytes, Path, Address]] = []
        self.responses: list[tuple[bytes, Path, Address]] = []
        self.packets: list[bytes] = []
        self.gone: list[Path] = []
        self.used: Path | None = None

    def request(self, data: bytes, path: Path, address: Address) -> bool:
        """Note a check."""
        self.requests.append((data, path, address))
        return self.believes

    def response(self, data: bytes, path: Path, address: Address) -> None:
        """Note an answer."""
        self.responses.append((data, path, address))

    def packet(self, data: bytes) -> None:
        """Note a packet."""
        self.packets.append(data)

    def lost(self, path: Path) -> None:
        """Note a connection that is closed."""
        self.gone.append(path)

    def uses(self, path: Path) -> bool:
        """Tell whether ``used`` is it."""
        return path is self.used


def check(fragment: str, *, password: str = PASSWORD, remote: str = "them", nominate: bool = False) -> bytes:
    """Return a connectivity check for the viewer that was given ``fragment`` and ``password``."""
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{fragment}:{remote}"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return bytes(message)


def answer(transaction: bytes) -> bytes:
    """Return a success response of the right form."""
    return b"\x01\x01\x00\x00\x21\x12\xa4\x42" + transaction


class Stranger:
    """A UDP socket of somebody's. It asks nobody's leave."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._socket.bind((host, 0))

    @property
    def address(self) -> Address:
        """Return where it is."""
        host, port, *_ = self._socket.getsockname()
        return host, port

    def send(self, data: bytes, to: Address) -> None:
        """Send one datagram."""
        self._socket.sendto(data, to)

    def heard(self) -> list[bytes]:
        """Return what has come since the last time."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(2048))
            except BlockingIOError:
                return found

    def close(self) -> None:
        """Be gone."""
        self._socket.close()
