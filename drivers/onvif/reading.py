"""Reading a camera's XML: capped, repaired where a repair is certain, refused where not, never read as empty.

zeep's own reading is not used. In its lenient mode it parses with libxml2's recovery, which drops what it cannot read,
and passes over elements that come out of order or in another namespace: a camera with such an error then seems to have
no profiles. Here a document either parses whole, if need be after a named repair, or it is an error; and elements are
found by their local names, so order and namespace do not matter.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from drivers.errors import CameraAnswerError
from drivers.onvif.catalogue import Service

MAX_DEPTH = 48
"""ONVIF's own answers stay below 20."""
MAX_ELEMENTS = 100_000
IN_THREAD_BYTES = 32_768
"""Larger documents are parsed in a thread, so that one camera does not hold up the others."""

PREFIXES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "SOAP-ENV": "http://www.w3.org/2003/05/soap-envelope",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": Service.DEVICE.value,
    "trt": Service.MEDIA.value,
    "tr2": Service.MEDIA2.value,
    "tptz": Service.PTZ.value,
    "ptz": Service.PTZ.value,
    "timg": Service.IMAGING.value,
    "tmd": Service.DEVICE_IO.value,
    "tev": Service.EVENTS.value,
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsa5": "http://www.w3.org/2005/08/addressing",
    "tns1": "http://www.onvif.org/ver10/topics",
    "ter": "http://www.onvif.org/ver10/error",
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}

_TAG = re.compile(r"<[A-Za-z_][^<>]*>")
_UNQUOTED = re.compile(r"""(\s[\w.:-]+\s*=\s*)("[^"]*"|'[^']*'|[^\s"'<>=/]+(?:/(?!>)[^\s"'<>=/]*)*)""")
_PREFIX = re.compile(r"</?([A-Za-z_][\w.-]*):[A-Za-z_]")
_ATTRIBUTE_PREFIX = re.compile(r"""\s([A-Za-z_][\w.-]*):[\w.-]+\s*=\s*["']""")
_DECLARED = re.compile(r"""\sxmlns:([A-Za-z_][\w.-]*)\s*=""")
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|&#(?:0*(?:[0-8]|1[124-9]|2\\d|3[01])|x0*(?:[0-8bcef]|1[\\da-f]));"
)
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
_DOCTYPE = re.compile(r"<!\s*(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST)", re.IGNORECASE)
_ENCODING = re.compile(rb"""^[^<]{0,8}<\?xml[^>]{0,80}encoding=["']([\w.-]{1,20})["']""")
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")


@dataclass(slots=True)
class Document:
    """A parsed document and the names of the quirks that had to be repaired."""

    root: "Node"
    repairs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Node:
    """One element; children are found by local name, paths are ``A/B/C``."""

    element: etree._Element

    @property
    def name(self) -> str:
        """Return its local name."""
        return etree.QName(self.element).localname

    @property
    def namespace(self) -> str:
        """Return its namespace."""
        return etree.QName(self.element).namespace or ""

    def __iter__(self) -> Iterator["Node"]:
        return (Node(child) for child in self.element if isinstance(child.tag, str))

    def all(self, path: str) -> list["Node"]:
        """Return every element at ``path``, in document order."""
        found = [self]
        for step in path.split("/"):
            found = [child for node in found for child in node if child.name == step]
        return found

    def one(self, path: str) -> "Node | None":
        """Return the first element at ``path``."""
        found = self.all(path)
        return found[0] if found else None

    def descendants(self, name: str) -> list["Node"]:
        """Return every element of that local name below this one."""
        return [Node(child) for child in self.element.iter() if isinstance(child.tag, str) and Node(child).name == name]

    def text(self, path: str = "", default: str = "") -> str:
        """Return the text at ``path`` (or here), white space around it removed; ``default`` if empty or absent."""
        node = self.one(path) if path else self
        return ((node.element.text or "").strip() if node is not None else "") or default

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute by its local name."""
        value = self.element.get(name)
        if value is not None:
            return str(value)
        for key, other in self.element.attrib.items():
            if etree.QName(key).localname == name:
                return str(other)
        return default

    def number(self, path: str = "", attribute: str | None = None) -> float | None:
        """Return a finite number, or None where there is none."""
        node = self.one(path) if path else self
        if node is None:
            return None
        return as_number(node.get(attribute) if attribute else node.text())

    def flag(self, path: str) -> bool | None:
        """Return a truth value, or None where there is none."""
        return as_flag(self.text(path))


def as_number(text: str) -> float | None:
    """Return a finite number, or None; decimal commas are taken as points."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def as_flag(text: str) -> bool | None:
    """Return the truth value that ``text`` names, or None."""
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.strip().lower())


async def read(body: bytes, *, address: str) -> Document:
    """Parse a camera's answer, off the event loop where it is large.

    Raises:
        CameraAnswerError: not XML even after repair, a DTD or entities, too deep, too many elements.
    """
    if len(body) < IN_THREAD_BYTES:
        return parse(body, address=address)
    return await asyncio.to_thread(parse, body, address=address)


def parse(body: bytes, *, address: str) -> Document:
    """Parse a camera's answer.

    Raises:
        CameraAnswerError: see :func:`read`.
    """
    repairs: list[str] = []
    text = _decode(body, repairs)
    if _DOCTYPE.search(text):
        raise CameraAnswerError(
            "The camera sent a document type definition, which may hide an entity bomb; it was not read.",
            cure="Check that this is a camera, and its firmware.",
            address=address,
            cause="dtd",
        )
    text = _DECLARATION.sub("", text, count=1).strip()
    if "<" not in text:
        raise _unreadable(address, "there is no XML in it")
    root = _repaired(text, repairs, address)
    _measure(root, address)
    return Document(Node(root), repairs)


def _decode(body: bytes, repairs: list[str]) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace")
    declared = _ENCODING.match(body)
    encodings = [declared.group(1).decode("ascii")] if declared else []
    for encoding in [*encodings, "utf-8"]:
        try:
            return body.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    repairs.append("bad-utf8")
    # Windows-1252 leaves five bytes undefined; they become U+FFFD rather than an error.
    return body.decode("cp1252", errors="replace")


def _unreadable(address: str, why: str) -> CameraAnswerError:
    return CameraAnswerError(
        f"The camera's answer is not XML: {why}.",
        cure="Check that the address is a camera's ONVIF service, and its firmware.",
        address=address,
        cause="malformed",
    )


def _repaired(text: str, repairs: list[str], address: str) -> etree._Element:
    """Parse, and after each failure repair one kind of error more; no repair guesses at content."""
    steps: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("stray-markup", _without_strays),
        ("unquoted-attributes", _quoted),
        ("undeclared-prefixes", _declared),
    )
    try:
        return _strict(text)
    except etree.XMLSyntaxError as first:
        error = first
    for name, repair in steps:
        better = repair(text)
        if better == text:
            continue
        text = better
        repairs.append(name)
        try:
            return _strict(text)
        except etree.XMLSyntaxError as next_error:
            error = next_error
    raise _unreadable(address, (error.msg or "it cannot be parsed").rstrip("."))


def _strict(text: str) -> etree._Element:
    # huge_tree stays off: libxml2 then bounds depth, text length and entity growth by itself.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(text.encode("utf-8", errors="replace"), parser)


def _without_strays(text: str) -> str:
    start, end = text.find("<"), text.rfind(">")
    text = text[start : end + 1]
    return _AMPERSAND.sub("&amp;", _FORBIDDEN.sub("", text))


def _quoted(text: str) -> str:
    def quote(found: re.Match[str]) -> str:
        value = found.group(2)
        return found.group(0) if value[0] in "\"'" else f'{found.group(1)}"{value}"'

    return _TAG.sub(lambda tag: _UNQUOTED.sub(quote, tag.group(0)), text)


def _declared(text: str) -> str:
    used = set(_PREFIX.findall(text))
    for tag in _TAG.findall(text):
        used.update(_ATTRIBUTE_PREFIX.findall(tag))
    missing = sorted(used - set(_DECLARED.findall(text)) - {"xml", "xmlns"})
    if not missing:
        return text
    names = "".join(f' xmlns:{prefix}="{PREFIXES.get(prefix, "urn:undeclared:" + prefix)}"' for prefix in missing)
    return re.sub(r"(<[A-Za-z_][\w.:-]*)", lambda tag: tag.group(1) + names, text, count=1)


def _measure(root: etree._Element, address: str) -> None:
    depth = deepest = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
        count += event == "start"
        if deepest > MAX_DEPTH or count > MAX_ELEMENTS:
            raise CameraAnswerError(
                "The camera's answer is nested too deeply or has too many elements; it was not read.",
                cure="Check that this is a camera, and its firmware.",
                address=address,
                cause="too-deep" if deepest > MAX_DEPTH else "too-many",
            )
