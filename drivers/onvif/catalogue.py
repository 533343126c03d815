"""The services' descriptions, parsed once in a process, off the event loop, and shared by every camera.

They come with onvif-zeep-async. One root document (``descriptions/services.wsdl``) imports them all, so that the large
common schema is parsed once instead of once a service; Media2, which the library lacks, stands beside it. From a
description we take the *request* of an operation, checked against its schema. Answers are read by ``reading.py``.
"""

import asyncio
import logging
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from lxml import etree
from zeep import Settings
from zeep.transports import Transport
from zeep.wsdl import Document

_OWN = Path(__file__).parent / "descriptions"


class Service(Enum):
    """An ONVIF service by its namespace; the names are those of the ports in ``descriptions/services.wsdl``."""

    DEVICE = "http://www.onvif.org/ver10/device/wsdl"
    MEDIA = "http://www.onvif.org/ver10/media/wsdl"
    MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
    PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
    IMAGING = "http://www.onvif.org/ver20/imaging/wsdl"
    DEVICE_IO = "http://www.onvif.org/ver10/deviceIO/wsdl"
    EVENTS = "http://www.onvif.org/ver10/events/wsdl"
    EVENT_BROKER = "http://www.onvif.org/ver10/events/wsdl#EventBroker"
    PULL_POINT = "http://www.onvif.org/ver10/events/wsdl#PullPointSubscription"
    SUBSCRIPTION = "http://docs.oasis-open.org/wsn/bw-2#SubscriptionManager"

    @property
    def addressed(self) -> bool:
        """Say whether its calls carry WS-Addressing headers: event calls do, and nothing else may."""
        return self in {Service.EVENTS, Service.EVENT_BROKER, Service.PULL_POINT, Service.SUBSCRIPTION}


@dataclass(frozen=True, slots=True)
class Request:
    """An envelope to fill a header into, and the action it asks for."""

    envelope: etree._Element
    operation: str
    action: str


class Catalogue:
    """Every operation of every service."""

    def __init__(self, document: Document) -> None:
        ports = next(iter(document.services.values())).ports
        self._bindings = {service: ports[service.name].binding for service in Service}

    def request(self, service: Service, operation: str, fields: dict[str, Any]) -> Request:
        """Return the request envelope of ``operation``; ``fields`` follow its schema (dicts for nested elements).

        Raises:
            ValueError: the service has no such operation.
            TypeError: a field is not in the schema.
        """
        found = self._bindings[service].get(operation)
        serialized = found.create(**fields)
        return Request(serialized.content, operation, found.abstract.wsa_action or found.soapaction)


class _LocalOnly(Transport):
    """Loads descriptions from the library's folder or ours, and never from the network."""

    def load(self, url: str) -> bytes:
        """Return the document that ``url``, a path in the library's folder, names.

        Raises:
            FileNotFoundError: neither folder has it.
        """
        own = _OWN / Path(url).name
        return (own if own.is_file() else Path(url)).read_bytes()


def _parse() -> Catalogue:
    # Importing the library sets up the root logger; ours to undo, since logging is the application's to arrange.
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import onvif  # noqa: PLC0415 - see above

    root.handlers[:] = handlers
    root.setLevel(level)
    folder = Path(onvif.__file__).parent / "wsdl"
    settings = Settings(strict=False, forbid_external=True)
    transport: Any = _LocalOnly()  # type: ignore[no-untyped-call]
    return Catalogue(Document(str(folder / "services.wsdl"), transport, settings=settings))


_parsing = threading.Lock()
_parsed: list[Catalogue] = []


def _shared() -> Catalogue:
    with _parsing:
        if not _parsed:
            _parsed.append(_parse())
        return _parsed[0]


async def catalogue() -> Catalogue:
    """Return the process's catalogue; the first call parses it in a thread."""
    return await asyncio.to_thread(_shared)
