"""What a camera's HTTP answer says: the response element asked for, or the error it stands for.

The status line is not believed: a fault is a fault also under HTTP 200.
"""

import re
from dataclasses import dataclass

import structlog
from lxml import etree

from drivers.errors import (
    CameraAnswerError,
    CameraBusyError,
    CameraError,
    CameraFaultError,
    CameraNotOnvifError,
)
from drivers.onvif.proof import RefusedError
from drivers.onvif.quirks import Quirks
from drivers.onvif.reading import Node, read
from drivers.onvif.session import HttpAnswer

log = structlog.get_logger()

_UNAUTHORIZED = {"NotAuthorized", "FailedAuthentication", "InvalidSecurity", "InvalidSecurityToken", "Unauthorized"}
_UNAUTHORIZED_TEXT = re.compile(r"not authori[sz]ed|authori[sz]ation|authentication|wrong password", re.IGNORECASE)
_BUSY = re.compile(
    r"too ?many|max(imum)?[ _]?(number|num|users|sessions|subscri|pull)|no (more|free)|limit (is )?(reached|exceeded)"
    r"|insufficient ?resource|resource ?exhausted|\bbusy\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault; ``codes`` from the outermost to the innermost, local names."""

    codes: tuple[str, ...]
    reason: str

    @property
    def unauthorized(self) -> bool:
        """Say whether it is about who we are."""
        return bool(_UNAUTHORIZED.intersection(self.codes)) or (
            self.codes in {(), ("Sender",), ("Receiver",)} and bool(_UNAUTHORIZED_TEXT.search(self.reason))
        )

    def error(self, operation: str, url: str, status: int) -> CameraError:
        """Return it as an error of ours."""
        facts = {"address": url, "action": operation, "fault": self.codes[-1] if self.codes else "", "status": status}
        said = self.reason[:200].rstrip(".") or (self.codes[-1] if self.codes else "no reason given")
        if any(_BUSY.search(text) for text in (*self.codes, self.reason)):
            return CameraBusyError(
                f"The camera has no room for this: {said}.",
                cure="End other sessions and subscriptions with it, or try again later.",
                **facts,
            )
        return CameraFaultError(
            f"The camera refuses {operation}: {said}.", cure="Check whether it can do this, and its firmware.", **facts
        )


async def response(answer: HttpAnswer, operation: str, quirks: Quirks) -> Node:
    """Return the response element of ``operation``.

    Raises:
        RefusedError: the camera does not accept who we say we are.
        CameraFaultError, CameraBusyError: an orderly refusal.
        CameraNotOnvifError: a web page, or another protocol over HTTP.
        CameraAnswerError: what it sent cannot be used.
    """
    if answer.status in {429, 503}:
        raise CameraBusyError(
            f"The camera is too busy (HTTP {answer.status}).",
            cure="End other sessions with it, or try again later.",
            address=answer.url,
            status=answer.status,
        )
    if answer.status == 401:
        raise RefusedError(answer)
    content = await _content(answer, operation, quirks)
    if content is None:
        return _bodiless(answer, operation)
    if content.name == "Fault":
        fault = read_fault(content)
        if answer.status == 200:
            quirks.learn("fault-with-200")
        if fault.unauthorized:
            raise RefusedError(answer)
        raise fault.error(operation, answer.url, answer.status)
    if content.name != f"{operation}Response":
        raise CameraAnswerError(
            f"The camera answers {operation} with {content.name[:60]}.",
            cure="Check its firmware.",
            address=answer.url,
            action=operation,
        )
    return content


async def _content(answer: HttpAnswer, operation: str, quirks: Quirks) -> Node | None:
    """Return the first element of the SOAP body, None where there is none."""
    if not answer.body.strip():
        return None
    try:
        document = await read(answer.body, address=answer.url)
    except CameraAnswerError as error:
        if error.facts.get("cause") == "malformed" and (answer.status >= 400 or _is_page(answer)):
            raise _not_onvif(answer) from None
        raise
    for name in document.repairs:
        if name not in quirks:
            quirks.learn(name, f"First seen in its answer to {operation}.")
            log.info("camera.repaired", quirk=name, address=answer.url, action=operation)
    if document.root.name != "Envelope":
        raise _not_onvif(answer)
    body = document.root.one("Body")
    return next(iter(body), None) if body is not None else None


def _bodiless(answer: HttpAnswer, operation: str) -> Node:
    """Judge an empty answer: fine to a command, never to a question."""
    if answer.status < 300 and not operation.startswith(("Get", "Create", "Pull")):
        return Node(etree.Element(f"{operation}Response"))
    if answer.status >= 400:
        raise CameraFaultError(
            f"The camera refuses {operation} with HTTP {answer.status} and no reason.",
            cure="Check its firmware.",
            address=answer.url,
            action=operation,
            fault="",
            status=answer.status,
        )
    raise CameraAnswerError(
        f"The camera answers {operation} with nothing.",
        cure="Check its firmware.",
        address=answer.url,
        action=operation,
    )


def read_fault(node: Node) -> Fault:
    """Read a fault of SOAP 1.2 (Code, Subcode, Reason) or 1.1 (faultcode, faultstring)."""
    codes = []
    code = node.one("Code")
    while code is not None:
        codes.append(code.text("Value").rpartition(":")[2])
        code = code.one("Subcode")
    if not codes and node.one("faultcode") is not None:
        codes = [part.rpartition(":")[2] for part in node.text("faultcode").split(".")]
    reason = node.text("Reason/Text") or node.text("faultstring") or node.text("Detail/Text")
    return Fault(tuple(code for code in codes if code), " ".join(reason.split()))


def _is_page(answer: HttpAnswer) -> bool:
    return "html" in answer.headers.get("Content-Type", "").lower() or b"<html" in answer.body[:2000].lower()


def _not_onvif(answer: HttpAnswer) -> CameraNotOnvifError:
    return CameraNotOnvifError(
        f"Something answers there (HTTP {answer.status}), but it does not speak ONVIF.",
        cure="Check the address and the port, and that ONVIF is turned on in the camera.",
        address=answer.url,
        status=answer.status,
    )
