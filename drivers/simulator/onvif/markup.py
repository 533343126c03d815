"""Building and reading the XML of SOAP messages, in the few ways that a camera needs.

Elements are written with the prefixes of ``NAMESPACES``, which the root declares. What is read is matched by
local name: clients differ in their prefixes and agree on their names.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

NAMESPACES = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wsrf": "http://docs.oasis-open.org/wsrf/r-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "tt": "http://www.onvif.org/ver10/schema",
    "ter": "http://www.onvif.org/ver10/error",
    "tns1": "http://www.onvif.org/ver10/topics",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tmd": "http://www.onvif.org/ver10/deviceIO/wsdl",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "sim": "urn:sightline:simulator",
}
LARGEST_REQUEST_BYTES = 256 * 1024
_DEEPEST = 64
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Scalar = str | int | float


@dataclass(frozen=True, slots=True)
class Element:
    """One element to be written."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple["Element | str", ...]

    def render(self, namespaces: Mapping[str, str] | None = None) -> str:
        """Return it as text; the root declares its ``namespaces``: prefix -> URI."""
        spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in (namespaces or {}).items())
        attributes = "".join(f" {name}={quoteattr(_NOT_XML.sub('', value))}" for name, value in self.attributes)
        inner = "".join(
            child.render() if isinstance(child, Element) else escape(_NOT_XML.sub("", child)) for child in self.children
        )
        opening = f"<{self.name}{spaces}{attributes}"
        return f"{opening}>{inner}</{self.name}>" if inner else f"{opening}/>"


def el(name: str, *content: "Element | Scalar | Iterable[Element] | None", **attributes: Scalar | None) -> Element:
    """Return an element. Lists are spliced in; ``None``, as content or attribute, is left out."""
    children: list[Element | str] = []
    for part in content:
        if part is None:
            continue
        if isinstance(part, Element):
            children.append(part)
        elif isinstance(part, (str, int, float)):
            children.append(text_of(part))
        else:
            children.extend(part)
    named = tuple((key.replace("__", ":"), text_of(value)) for key, value in attributes.items() if value is not None)
    return Element(name, named, tuple(children))


def text_of(value: Scalar) -> str:
    """Return a value as XML Schema writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value)


class UnreadableError(ValueError):
    """Not a document that a camera would read."""


def parse(body: bytes) -> ET.Element:
    """Return the root of a request.

    Raises:
        UnreadableError: it is too large, too deep, not UTF-8, carries a DTD, or is not XML.
    """
    if len(body) > LARGEST_REQUEST_BYTES:
        raise UnreadableError("The request is too large.")
    try:
        # Decoded here, so that no encoding declaration can hide a document type from the next line.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("The request is not UTF-8.") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableError("The request carries a document type.")
    try:
        root = ET.fromstring(text)  # noqa: S314 - capped and without a document type, so there is nothing to expand
    except (ET.ParseError, ValueError):
        raise UnreadableError("The request is not well-formed XML.") from None
    level = [root]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in node]
    if level:
        raise UnreadableError("The request is nested too deeply.")
    return root


def local(node: ET.Element) -> str:
    """Return an element's name without its namespace."""
    return str(node.tag).rpartition("}")[2]


def namespace(node: ET.Element) -> str:
    """Return an element's namespace, or the empty string."""
    return str(node.tag)[1:].partition("}")[0] if str(node.tag).startswith("{") else ""


def find(node: ET.Element, path: str) -> ET.Element | None:
    """Return the first descendant at ``path`` (``Velocity/PanTilt``), by local names."""
    return next(iter(find_all(node, path)), None)


def find_all(node: ET.Element, path: str) -> list[ET.Element]:
    """Return every descendant at ``path``, by local names."""
    found = [node]
    for step in path.split("/"):
        found = [child for parent in found for child in parent if local(child) == step]
    return found


def text_at(node: ET.Element, path: str) -> str | None:
    """Return the text at ``path``, ``None`` where there is no such element."""
    hit = find(node, path)
    return None if hit is None else (hit.text or "").strip()


def leaves(node: ET.Element, path: str = "") -> dict[str, str]:
    """Return every text and attribute below ``node``: ``{"Velocity/PanTilt@x": "0.5"}``."""
    told = {f"{path}@{key.rpartition('}')[2]}": value for key, value in node.attrib.items()}
    children = list(node)
    if not children and path and (node.text or "").strip():
        told[path] = (node.text or "").strip()
    for child in children:
        told |= leaves(child, f"{path}/{local(child)}" if path else local(child))
    return told
