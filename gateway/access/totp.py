"""Codes of an authenticator application (RFC 6238): 6 digits, 30 s, SHA-1, which is what every application knows."""

import hmac

import pyotp
import segno

STEP_S = 30
DRIFT_STEPS = 1
"""A phone's clock may be off by a step either way (RFC 6238 section 5.2)."""
ISSUER = "Sightline"


def new_secret() -> str:
    """Return 160 random bits in base32 (RFC 4226 section 4, R6)."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, *, at_s: int) -> int | None:
    """Return the step whose code this is, among those near ``at_s`` (seconds since 1970), or ``None``."""
    typed = "".join(code.split())
    now = at_s // STEP_S
    generator = pyotp.TOTP(secret, interval=STEP_S)
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(generator.generate_otp(step).encode(), typed.encode()):
            found = step
    return found


def address(secret: str, *, username: str) -> str:
    """Return the ``otpauth:`` address that an application takes."""
    return str(pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=username, issuer_name=ISSUER))


def picture(uri: str) -> str:
    """Return an address as a QR code: an SVG in a ``data:`` URL. Takes some milliseconds; call it in a thread."""
    return str(segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="#fff", dark="#000"))
