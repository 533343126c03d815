"""Reading XML as cameras write it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import CameraAnswerError
from drivers.onvif.reading import IN_THREAD_BYTES, MAX_DEPTH, MAX_ELEMENTS, Node, as_flag, as_number, parse, read

AT = "http://camera/onvif"


def root(text: str | bytes) -> Node:
    """Parse."""
    return parse(text if isinstance(text, bytes) else text.encode(), address=AT).root


def repairs(text: str | bytes) -> list[str]:
    """Return what had to be repaired."""
    return parse(text if isinstance(text, bytes) else text.encode(), address=AT).repairs


def test_good_xml_is_not_touched() -> None:
    """A document in order needs no repair."""
    assert repairs('<?xml version="1.0" encoding="UTF-8"?>\n<a x="1"><b>é</b></a>\n') == []


def test_elements_are_found_whatever_their_namespace_and_order() -> None:
    """Paths go by local names; all, one and descendants see every such element."""
    node = root('<e xmlns:x="urn:x"><x:b>1</x:b><c/><b>2</b><d><b>3</b></d></e>')
    assert [one.text() for one in node.all("b")] == ["1", "2"]
    assert node.text("d/b") == "3"
    assert len(node.descendants("b")) == 3
    assert node.one("missing/b") is None
    assert node.text("missing", "none") == "none"
    assert next(iter(node)).namespace == "urn:x"


def test_attributes_are_found_by_local_name() -> None:
    """An attribute may carry a namespace; an absent one gives the default."""
    node = root('<a xmlns:x="urn:x" x:token="t" other="o"/>')
    assert (node.get("token"), node.get("other"), node.get("none", "d")) == ("t", "o", "d")


def test_unquoted_attributes_are_quoted() -> None:
    """Attributes without quotes (TP-Link) are read, URLs among them."""
    text = '<a x=1 y="2 = 3" z=http://h/p?q w=v/><b/>'.replace("<b/>", "")
    node = root(text)
    assert (node.get("x"), node.get("y"), node.get("z"), node.get("w")) == ("1", "2 = 3", "http://h/p?q", "v")
    assert repairs(text) == ["unquoted-attributes"]


def test_undeclared_prefixes_are_declared() -> None:
    """A prefix of ONVIF gets its namespace, an unknown one a namespace of its own."""
    node = root('<s:Envelope><ptz:Status own:x="1"/></s:Envelope>')
    assert node.namespace == "http://www.w3.org/2003/05/soap-envelope"
    assert next(iter(node)).namespace == "http://www.onvif.org/ver20/ptz/wsdl"
    assert next(iter(node)).get("x") == "1"


def test_several_faults_at_once() -> None:
    """Unquoted attributes, undeclared prefixes and bad UTF-8 in one document are all repaired and all named."""
    text = "<tt:a x=1><tt:b>Caméra & co</tt:b></tt:a>\x00".encode("latin-1")
    assert root(text).text("b") == "Caméra & co"
    assert repairs(text) == ["bad-utf8", "stray-markup", "unquoted-attributes", "undeclared-prefixes"]


def test_text_around_the_document_is_dropped() -> None:
    """Rubbish before the first and after the last tag is cut off."""
    assert root("OK\r\n<a>1</a>\x00\x00 end").text() == "1"


def test_declared_encodings_and_marks_are_honoured() -> None:
    """Latin-1 that is declared is no fault; UTF-16 goes by its mark; an unknown encoding falls back to UTF-8."""
    assert root('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1")).text() == "é"
    assert root("<a>é</a>".encode("utf-16")).text() == "é"
    assert root('<?xml version="1.0" encoding="klingon"?><a>é</a>').text() == "é"
    assert repairs(b"\xef\xbb\xbf<a/>") == []


@pytest.mark.parametrize("text", ["", "hello", "<a><b></a>", "<a", "<a></a><b></b>", "{}", "<a>&undefined</a"])
def test_what_is_no_xml_is_an_error_and_never_empty(text: str) -> None:
    """What cannot be repaired with certainty is refused whole."""
    with pytest.raises(CameraAnswerError) as caught:
        root(text)
    assert caught.value.facts["cause"] == "malformed"


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        '<?xml version="1.0"?>\n<! doctype a SYSTEM "http://x/">\n<a/>',
        '<!ENTITY e SYSTEM "file:///etc/passwd"><a/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused(text: str, encoding: str) -> None:
    """A DTD or an entity is refused before it is parsed, in whatever encoding."""
    with pytest.raises(CameraAnswerError, match="document type") as caught:
        root(text.encode(encoding))
    assert caught.value.facts["cause"] == "dtd"


def test_depth_and_number_are_bounded() -> None:
    """Too deep and too many elements are refused; the limits themselves are fine."""
    fine = "<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH
    assert root(fine).name == "a"
    for text in ("<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1), "<a>" * 5000 + "</a>" * 5000):
        with pytest.raises(CameraAnswerError):
            root(text)
    with pytest.raises(CameraAnswerError, match="too many"):
        root("<a>" + "<b/>" * MAX_ELEMENTS + "</a>")


async def test_large_documents_are_read_as_well() -> None:
    """A document large enough for a thread gives the same."""
    text = "<a>" + "<b/>" * IN_THREAD_BYTES + "</a>"
    assert len((await read(text.encode(), address=AT)).root.all("b")) == IN_THREAD_BYTES
    assert (await read(b"<a/>", address=AT)).root.name == "a"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_our_error(body: bytes) -> None:
    """Whatever a camera sends, nothing but CameraAnswerError comes out."""
    with suppress(CameraAnswerError):
        parse(body, address=AT)


@given(st.text(alphabet="<>/=\"'&;:! abx1?[]-", max_size=80))
def test_any_markup_gives_a_document_or_our_error(text: str) -> None:
    """The repairs themselves never fail on odd markup."""
    with suppress(CameraAnswerError):
        parse(text.encode(), address=AT)


def test_numbers_and_flags() -> None:
    """Numbers and truth values are read leniently, and anything else is unknown."""
    assert [as_number(text) for text in ("1.5", " 2 ", "0,5", "x", "", "nan", "inf", "{{x}}")] == [
        1.5, 2.0, 0.5, None, None, None, None, None,
    ]  # fmt: skip
    assert [as_flag(text) for text in ("true", "1", "FALSE", "0", "", "maybe")] == [
        True,
        True,
        False,
        False,
        None,
        None,
    ]
    assert root("<a><b>1</b></a>").flag("b") is True
    assert root("<a/>").number("b") is None
