"""From a request to whoever makes it: address, browser, the cookies by which it is known again."""

import ipaddress
import re
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.requests import HTTPConnection

from gateway.access.entrance import Opened, Visitor
from gateway.access.passkeys import Site
from gateway.api.rooms import Rooms, address_of, rooms_of

_DAY_S = 86_400
_BROWSERS = (
    (re.compile(r"Edg\w*/(\d+)"), "Edge"),
    (re.compile(r"Firefox/(\d+)"), "Firefox"),
    (re.compile(r"FxiOS/(\d+)"), "Firefox"),
    (re.compile(r"CriOS/(\d+)"), "Chrome"),
    (re.compile(r"Chrom(?:e|ium)/(\d+)"), "Chrome"),
    (re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\w+ )?Safari"), "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def visitor_of(request: HTTPConnection) -> Visitor:
    """Return where a request comes from. The guard has checked its Origin."""
    return Visitor(
        address=address_of(request),
        browser=browser_name(request.headers.get("user-agent", "")),
        device=request.cookies.get(device_cookie(rooms_of(request))),
        site=site_of(request.headers.get("origin", "")),
    )


def site_here(request: HTTPConnection) -> Site | None:
    """Return where a browser is whose request carries no Origin, as a GET of its own page's does not."""
    host = request.headers.get("host", "").lower()
    known = rooms_of(request).settings.server.public_urls
    scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
    origin = next((url for url in known if urlsplit(url).netloc == host), f"{scheme}://{host}")
    return site_of(origin)


def site_of(origin: str) -> Site | None:
    """Return where a browser is, or ``None`` where it could not use a passkey: at an IP address, or without TLS."""
    parts = urlsplit(origin.lower())
    host = parts.hostname
    if not host or (parts.scheme != "https" and host != "localhost"):
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return Site(rp_id=host, origin=f"{parts.scheme}://{parts.netloc}")
    return None


def browser_name(user_agent: str) -> str:
    """Return a name by which a person recognises their browser, as in "Firefox 140 on Windows"."""
    browser = next((f"{name} {found[1]}" for pattern, name in _BROWSERS if (found := pattern.search(user_agent))), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if not browser:
        return user_agent.partition("/")[0][:40]
    return f"{browser} on {system}" if system else browser


def device_cookie(the: Rooms) -> str:
    """Return the name of the cookie by which a browser is known again."""
    return f"{the.cookie}-device"


def set_cookies(response: Response, the: Rooms, opened: Opened) -> None:
    """Give the browser its session, and what it is known by afterwards."""
    set_session(response, the, opened.secret)
    _set(response, the, device_cookie(the), opened.device, the.settings.access.device_known_days * _DAY_S)


def set_session(response: Response, the: Rooms, secret: str) -> None:
    """Give the browser its session."""
    _set(response, the, the.cookie, secret, the.settings.access.session_absolute_s)


def clear_session(response: Response, the: Rooms, *, outside: bool) -> None:
    """Take the session's cookie back, and have the browser forget what it kept (W3C Clear Site Data).

    Not all cookies: that would clear those of every other site under the same registered domain, which is the
    borough's, and the one by which the desk's browser is known. What a desk in the room stores is where its tiles
    stand, which the next shift goes on with; a browser ``outside`` of it forgets that too.
    """
    response.delete_cookie(the.cookie, path="/", secure=the.settings.server.behind_tls, httponly=True)
    response.headers["Clear-Site-Data"] = '"cache", "storage"' if outside else '"cache"'


def visitor(request: Request) -> Visitor:
    """Return who makes a request, as a dependency."""
    return visitor_of(request)


def _set(response: Response, the: Rooms, name: str, value: str, max_age_s: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=the.settings.server.behind_tls,
        httponly=True,
        samesite="strict",
    )
