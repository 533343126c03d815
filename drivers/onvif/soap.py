"""Calling one camera's services: envelope, header, proof of who we are, answer."""

import copy
import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from drivers.errors import CameraFaultError
from drivers.model import Credentials
from drivers.onvif.answers import response
from drivers.onvif.authentication import SOAP_12, Scheme
from drivers.onvif.catalogue import Catalogue, Service
from drivers.onvif.proof import ClockOffset, Proof, RefusedError, wrong
from drivers.onvif.quirks import Quirks
from drivers.onvif.reading import Node
from drivers.onvif.session import HttpAnswer, HttpRequest, Session
from kernel.clock import Clock

WSA = "http://www.w3.org/2005/08/addressing"
_REPEATABLE = re.compile(r"Get|Stop$|PullMessages|Renew")


class Caller:
    """Calls the services of one camera."""

    def __init__(
        self, session: Session, catalogue: Catalogue, credentials: Credentials, *, quirks: Quirks, clock: Clock
    ) -> None:
        self.session = session
        self.quirks = quirks
        self.offset = ClockOffset(clock)
        self.home = ""
        """Where its device service is, as people enrolled it or a rule leads there; empty until it is known."""
        self.services = Proof(credentials, quirks=quirks, offset=self.offset, tokens=True, proven=self._proven)
        # A camera may want a token for its services and digest for its pages; the one must not spoil the other.
        self._pages = Proof(credentials, quirks=quirks, offset=self.offset, tokens=False, proven=self._proven)
        self._catalogue = catalogue

    def _proven(self, asked: str, answered: str) -> bool:
        """Return whether TLS proves that the camera answered at ``answered`` where ``asked`` was asked.

        Only where its device service itself is at https: an address that whoever answers at http names, or redirects
        to, has a certificate of their own choice.
        """
        home, first, last = urlsplit(self.home), urlsplit(asked), urlsplit(answered)
        return (
            self.session.vouched
            and home.scheme == first.scheme == last.scheme == "https"
            and home.hostname == first.hostname
            and first.netloc == last.netloc
        )

    async def call(  # noqa: PLR0913 - each is a separate matter of one call
        self,
        url: str,
        service: Service,
        operation: str,
        fields: dict[str, Any] | None = None,
        *,
        anonymous: bool = False,
        reference: Sequence[etree._Element] = (),
        timeout_s: float | None = None,
    ) -> Node:
        """Return the response element of ``operation``; ``reference`` are WS-Addressing reference parameters to echo.

        Raises:
            CameraAuthenticationError: the password is wrong (or, ``anonymous``, one is wanted).
            CameraFaultError, CameraBusyError: an orderly refusal.
            CameraNotOnvifError: a web page, or another protocol over HTTP.
            CameraUnreachableError, CameraAnswerError, CameraRefusedAddressError: see Session.request.
        """
        request = self._catalogue.request(service, operation, fields or {})

        async def attempt(at: str, scheme: Scheme | None) -> Node:
            envelope = copy.deepcopy(request.envelope)
            header = etree.Element(etree.QName(SOAP_12, "Header"))
            if service.addressed:
                header.extend(_addressing(request.action, at, reference))
            if scheme is Scheme.WSSE:
                header.append(self.services.token())
            if len(header):
                envelope.insert(0, header)
            headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{request.action}"'}
            answer = await self.session.request(
                HttpRequest(
                    method="POST",
                    url=at,
                    headers=headers | self.services.authorization("POST", at, scheme),
                    body=etree.tostring(envelope, xml_declaration=True, encoding="utf-8"),
                    max_bytes=self.session.limits.soap_bytes,
                    timeout_s=timeout_s or self.session.limits.request_s,
                    repeatable=bool(_REPEATABLE.match(operation)),
                    urgent=service is Service.PTZ,
                )
            )
            return await response(answer, operation, self.quirks)

        if not anonymous:
            return await self.services.run(url, attempt)
        try:
            return await attempt(url, None)
        except RefusedError as refusal:
            self.offset.guess(refusal.answer)
            raise wrong(url) from None

    async def fetch(self, url: str, *, max_bytes: int) -> HttpAnswer:
        """GET a page of the camera beside its services (the snapshot), by HTTP authentication.

        Raises:
            CameraAuthenticationError: refused, or it offers nothing but Basic over plain HTTP.
            CameraFaultError: an HTTP status that is an error, or nothing in the answer.
        """

        async def attempt(at: str, scheme: Scheme | None) -> HttpAnswer:
            answer = await self.session.request(
                HttpRequest(
                    method="GET",
                    url=at,
                    headers=self._pages.authorization("GET", at, scheme),
                    max_bytes=max_bytes,
                    timeout_s=self.session.limits.request_s,
                    repeatable=True,
                )
            )
            if answer.status == 401:
                raise RefusedError(answer)
            return answer

        answer = await self._pages.run(url, attempt)
        if answer.status >= 400 or not answer.body:
            raise CameraFaultError(
                f"The camera answers {urlsplit(url).path} with HTTP {answer.status} and no picture.",
                cure="Try again later; check its web page.",
                address=url,
                status=answer.status,
            )
        return answer


def _addressing(action: str, url: str, reference: Iterable[etree._Element]) -> list[etree._Element]:
    def element(name: str, text: str) -> etree._Element:
        made = etree.Element(etree.QName(WSA, name), nsmap={"wsa": WSA})
        made.text = text
        return made

    headers = [element("Action", action), element("MessageID", f"urn:uuid:{uuid.uuid4()}"), element("To", url)]
    for parameter in reference:
        echoed = copy.deepcopy(parameter)
        echoed.tail = None
        echoed.set(etree.QName(WSA, "IsReferenceParameter"), "true")
        headers.append(echoed)
    return headers
