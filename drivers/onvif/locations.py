"""Addresses that cameras give, made into addresses that reach them.

A camera often names its own private address. Its port and path are kept (ports through ``port_map``), its host is
replaced by the one that reached it, so that no answer of a camera can send us to another machine. Credentials in
URLs are dropped; ours are put in at the last moment, by who connects.
"""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from drivers.errors import CameraAnswerError, CameraNotOnvifError
from drivers.model import CameraTarget
from drivers.onvif.quirks import Quirks

DEVICE_PATH = "/onvif/device_service"
USUAL_PORTS = (("http", 80), ("https", 443), ("http", 2020), ("http", 8000), ("http", 8080), ("http", 8899))
"""Where device services are found when no port is given: 2020 is Tapo's, 8000 Hikvision's and Reolink's, 8899
Xiongmai's."""
DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


def candidates(target: CameraTarget) -> tuple[str, ...]:
    """Return the device service URLs to try for what the operator typed.

    Raises:
        CameraNotOnvifError: it is no address at all.
    """
    text = target.address.strip()
    if "://" not in text:
        if text.count(":") > 1 and not text.startswith("["):
            text = f"[{text}]"
        text = f"//{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in {"", "http", "https"} or any(one.isspace() for one in host):
        raise CameraNotOnvifError(
            f"{target.address!r} is not the address of a camera.",
            cure="Give a host name or IP address, host:port, or the http:// URL of its device service.",
            address=target.address,
        )
    path = parts.path if parts.path not in {"", "/"} else DEVICE_PATH
    bare = _bracketed(host)
    if port is None and not parts.scheme:
        return tuple(_join(scheme, bare, number, path) for scheme, number in USUAL_PORTS)
    scheme = parts.scheme or ("https" if port in {443, 8443} else "http")
    return (_join(scheme, bare, port or DEFAULT_PORTS[scheme], path),)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _join(scheme: str, host: str, port: int, path: str) -> str:
    at = host if DEFAULT_PORTS.get(scheme) == port else f"{host}:{port}"
    return urlunsplit((scheme, at, path, "", ""))


@dataclass(slots=True, kw_only=True)
class Locations:
    """The addresses of one camera, as we reach them."""

    device_url: str
    port_map: dict[int, int] = field(default_factory=dict)
    quirks: Quirks

    @property
    def host(self) -> str:
        """Return the host that reaches it, without brackets."""
        return urlsplit(self.device_url).hostname or ""

    def reach(self, url: str) -> str:
        """Return ``url``, as the camera gave it, in the form that reaches it and without credentials.

        Raises:
            CameraAnswerError: it is no URL.
        """
        parts = self._split(url)
        host = parts.hostname or ""
        try:
            port = parts.port
        except ValueError:
            raise self._senseless(url) from None
        if host != self.host and _is_ip(host) and _is_ip(self.host):
            self.quirks.learn("private-addresses")
        port = self.port_map.get(port or DEFAULT_PORTS.get(parts.scheme, 0), port)
        at = _bracketed(self.host) + (f":{port}" if port else "")
        return urlunsplit((parts.scheme, at, parts.path, parts.query, ""))

    def _split(self, url: str) -> SplitResult:
        text = url.strip()
        if not text:
            raise self._senseless(url)
        try:
            parts = urlsplit(text if "://" in text else urljoin(self.device_url, text))
        except ValueError:
            raise self._senseless(url) from None
        at = parts.netloc.rpartition("@")[2]
        if not at.startswith("[") and at.count(":") > 1:
            self.quirks.learn("double-port")
            at = ":".join(at.split(":")[:2])
        parts = parts._replace(netloc=at)
        if not at or parts.scheme not in DEFAULT_PORTS:
            raise self._senseless(url)
        return parts

    def _senseless(self, url: str) -> CameraAnswerError:
        return CameraAnswerError(
            "The camera gave an address that is none.",
            cure="Check its network settings and its firmware.",
            address=self.device_url,
            given=without_credentials(url)[:200],
        )


def without_credentials(url: str) -> str:
    """Return ``url`` without user name and password."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    at, slash, path = rest.partition("/")
    return scheme + mark + at.rpartition("@")[2] + slash + path


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
