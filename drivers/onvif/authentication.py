"""Proving who we are: HTTP digest (RFC 7616) ahead of every request, and WS-UsernameToken (WSS 1.1).

The password is never sent in the clear: PasswordText is never used, and Basic only in TLS that proves who answers.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from lxml import etree

from kernel.clock import NS_PER_S, utc

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PASSWORD_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"  # noqa: S105 - a type, not a password
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

_SCHEME = re.compile(r"(?:^|,)\s*(Digest|Basic|Bearer|Negotiate|NTLM)\b", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_PARAMETER = re.compile(r"""([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))""")


class Scheme(StrEnum):
    """How a camera wants us to prove ourselves; the values are those of ``CameraDescription.authentication``."""

    NONE = "none"
    DIGEST_SHA256 = "digest-sha256"
    DIGEST_MD5 = "digest-md5"
    WSSE = "wsse"
    BASIC = "basic"
    """Over TLS only, for pages beside the SOAP services."""


@dataclass(slots=True)
class Challenge:
    """One Digest challenge, and how often its nonce was used."""

    realm: str
    nonce: str
    algorithm: str
    """As the camera wrote it; empty if it did not."""
    qop: str
    """What is offered: empty, ``auth``, ``auth,auth-int``."""
    opaque: str | None = None
    stale: bool = False
    uses: int = field(default=0)

    @property
    def scheme(self) -> Scheme | None:
        """Return which scheme it belongs to, None for an algorithm we do not speak."""
        name = self.algorithm.upper().removesuffix("-SESS")
        return {"": Scheme.DIGEST_MD5, "MD5": Scheme.DIGEST_MD5, "SHA-256": Scheme.DIGEST_SHA256}.get(name)

    def answer(self, *, method: str, url: str, username: str, password: str, cnonce: str | None = None) -> str:
        """Return the Authorization header for one request (RFC 7616 section 3.4); counts the nonce's use."""
        hashed = hashlib.sha256 if self.scheme is Scheme.DIGEST_SHA256 else hashlib.md5

        def digest(text: str) -> str:
            return hashed(text.encode()).hexdigest()

        self.uses += 1
        parts = urlsplit(url)
        uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        cnonce = cnonce or secrets.token_hex(8)
        count = f"{self.uses:08x}"
        secret = digest(f"{username}:{self.realm}:{password}")
        if self.algorithm.upper().endswith("-SESS"):
            secret = digest(f"{secret}:{self.nonce}:{cnonce}")
        request = digest(f"{method}:{uri}")
        offered = {one.strip().lower() for one in self.qop.split(",")}
        fields = [f'username="{_quoted(username)}"', f'realm="{_quoted(self.realm)}"', f'nonce="{_quoted(self.nonce)}"']
        fields.append(f'uri="{uri}"')
        if "auth" in offered:
            fields.append(f'response="{digest(f"{secret}:{self.nonce}:{count}:{cnonce}:auth:{request}")}"')
            fields += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
        else:
            fields.append(f'response="{digest(f"{secret}:{self.nonce}:{request}")}"')
        if self.algorithm:
            fields.append(f"algorithm={self.algorithm}")
        if self.opaque is not None:
            fields.append(f'opaque="{_quoted(self.opaque)}"')
        return "Digest " + ", ".join(fields)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def challenges(headers: list[str]) -> tuple[list[Challenge], bool]:
    """Read WWW-Authenticate headers; several may come in one, or one in several.

    Returns the digest challenges we can answer, strongest first, and whether Basic was offered.
    """
    found: list[Challenge] = []
    basic = False
    for header in headers:
        # Schemes are looked for outside quoted strings: a realm may hold anything.
        marks = list(_SCHEME.finditer(_STRING.sub(lambda found: "." * len(found.group(0)), header)))
        for number, mark in enumerate(marks):
            following = marks[number + 1] if number + 1 < len(marks) else None
            name = mark.group(1).lower()
            basic = basic or name == "basic"
            if name != "digest":
                continue
            text = header[mark.end() : following.start() if following else None]
            values = {
                key.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for key, quoted, bare in _PARAMETER.findall(text)
            }
            challenge = Challenge(
                realm=values.get("realm", ""),
                nonce=values.get("nonce", ""),
                algorithm=values.get("algorithm", ""),
                qop=values.get("qop", ""),
                opaque=values.get("opaque"),
                stale=values.get("stale", "").lower() == "true",
            )
            if challenge.scheme is not None:
                found.append(challenge)
    found.sort(key=lambda one: one.scheme is not Scheme.DIGEST_SHA256)
    return found, basic


def basic(username: str, password: str) -> str:
    """Return an Authorization header for Basic (RFC 7617): over TLS only."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def username_token(*, username: str, password: str, created_ns: int, nonce: bytes | None = None) -> etree._Element:
    """Return a Security header with a UsernameToken; ``created_ns`` is the time by the camera's clock.

    Digest = Base64(SHA-1(nonce + created + password)), WSS UsernameToken Profile 1.1 section 3.1.
    """
    nonce = secrets.token_bytes(16) if nonce is None else nonce
    moment = utc(created_ns // NS_PER_S * NS_PER_S + created_ns % NS_PER_S // 1_000_000 * 1_000_000)
    created = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    digest = hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324 - as the profile says
    security = etree.Element(etree.QName(WSSE, "Security"), nsmap={"wsse": WSSE, "wsu": WSU})
    security.set(etree.QName(SOAP_12, "mustUnderstand"), "1")
    token = etree.SubElement(security, etree.QName(WSSE, "UsernameToken"))
    etree.SubElement(token, etree.QName(WSSE, "Username")).text = username
    secret = etree.SubElement(token, etree.QName(WSSE, "Password"), {"Type": PASSWORD_DIGEST})
    secret.text = base64.b64encode(digest).decode()
    one_time = etree.SubElement(token, etree.QName(WSSE, "Nonce"), {"EncodingType": BASE64})
    one_time.text = base64.b64encode(nonce).decode()
    etree.SubElement(token, etree.QName(WSU, "Created")).text = created
    return security
