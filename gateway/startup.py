"""What must be right before the gateway runs: its directory, key, certificate and port, each with a plain error.

StartError (kernel.errors.SightlineError)
├── DataDirError      the data directory cannot be used
├── SocketDirError    nor the directory of the camera hosts' sockets
├── CertificateError  the TLS files cannot be used
└── PortError         the address or port cannot be listened on
"""

import errno
import os
import socket
from pathlib import Path

from config.server import ServerSettings
from kernel.errors import SightlineError


class StartError(SightlineError):
    """Root of this tree. ``exit_code`` is what the command ends with."""

    code = "start.error"
    exit_code = 2


class DataDirError(StartError):
    """The data directory cannot be used."""

    code = "start.data-dir"


class SocketDirError(StartError):
    """The directory of the camera hosts' sockets cannot be used."""

    code = "start.socket-dir"


class CertificateError(StartError):
    """The TLS files cannot be used."""

    code = "start.certificate"
    exit_code = 78


class PortError(StartError):
    """The address or port cannot be listened on."""

    code = "start.port"


def prepare_data_dir(path: Path) -> None:
    """Make the data directory and prove that it can be written.

    Raises:
        DataDirError: it cannot.
    """
    probe = path / ".writable"
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(b"\0" * 65_536)
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
    except OSError as error:
        cure = f"Let the user who runs Sightline write {path}, or set server.data_dir."
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            cure = f"Make room on the disk of {path}, or set server.data_dir to another one."
        raise DataDirError(f"The data directory {path} cannot be used: {error.strerror}.", cure=cure) from None


def listen(settings: ServerSettings) -> socket.socket:
    """Return a socket that is bound and listens.

    Raises:
        PortError: the port is taken, not allowed, or the address is not one of this machine.
    """
    where = f"{settings.host} port {settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortError(
            f"{settings.host} is not an address: {error.strerror}.", cure="Set server.host to one of this machine's."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(
                f"{where} is taken by another program.", cure="Stop that program, or choose another server.port."
            ) from None
        if error.errno == errno.EACCES:
            raise PortError(
                f"This user may not listen on {where}.", cure="Choose a server.port of 1024 or above."
            ) from None
        raise PortError(
            f"Cannot listen on {where}: {error.strerror}.", cure="Set server.host and server.port."
        ) from None
    listening.settimeout(0.0)
    return listening
