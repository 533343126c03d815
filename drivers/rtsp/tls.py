"""RTSPS: the camera's certificate is verified, pinned, or waived by name."""

import hashlib
import hmac
import ssl
from functools import cache

from drivers.errors import CameraFaultError
from drivers.rtsp.source import RtspSource


@cache
def _context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def context(source: RtspSource) -> ssl.SSLContext:
    """Return the context to connect with; a pinned certificate is checked by :func:`check_pin` instead."""
    return _context(verify=source.tls_verify and source.tls_fingerprint_sha256 is None)


def check_pin(source: RtspSource, certificate: bytes | None) -> None:
    """Return if the certificate (DER) is the pinned one, or none is pinned.

    Raises:
        CameraFaultError: it is another one; nothing has been sent yet.
    """
    pin = source.tls_fingerprint_sha256
    if pin is None:
        return
    found = hashlib.sha256(certificate or b"").hexdigest()
    if not hmac.compare_digest(found, pin.replace(":", "").strip().lower()):
        raise CameraFaultError(
            "The camera shows another certificate than the pinned one.",
            cure=f"If it was renewed, pin {found}; if not, somebody may stand between.",
            fault="certificate",
        )


def untrusted(error: ssl.SSLError) -> CameraFaultError:
    """Return what a failed handshake means."""
    reason = getattr(error, "verify_message", "") or error.reason or "handshake failed"
    return CameraFaultError(
        f"The camera's certificate or TLS is not acceptable ({reason}).",
        cure="Pin the certificate's fingerprint, or waive verification for this camera.",
        fault="tls",
    )
