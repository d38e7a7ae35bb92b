"""Reading and writing XML: what the service sends, what nobody should read, and bombs."""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.errors import DecodeError
from cloudreel.flixcloud.xml import (
    DEEPEST,
    LARGEST_BODY,
    LONGEST_TAG,
    MOST_ATTRIBUTES,
    MOST_ELEMENTS,
    Element,
    forbidden,
    read_xml,
    write_xml,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# -- reading ---------------------------------------------------------------------------------------------

JOB = b"""<?xml version="1.0" encoding="UTF-8"?>
<job>
  <id type="integer"> 3254 </id>
  <task><state>success</state><state type="float">100.0</state></task>
  <empty/>
</job>
"""


def test_elements_know_their_own_children() -> None:
    job = read_xml(JOB)
    assert (job.name, [child.name for child in job.children]) == ("job", ["id", "task", "empty"])
    assert (job.value("id"), job.value("empty"), job.value("state"), job.child("state")) == (
        "3254",
        "",
        None,
        None,
    )
    task = job.child("task")
    assert task is not None
    assert [state.text for state in task.all("state")] == ["success", "100.0"]
    assert [state.attributes for state in task.all("state")] == [{}, {"type": "float"}]
    assert task.value("state") == "success"
    assert job.all("nothing") == []


def test_an_element_is_a_value_that_shows_no_text() -> None:
    one, same = read_xml("<password>s3cret</password>"), read_xml(b"<password>s3cret</password>")
    assert one == same
    assert hash(one) == hash(same)
    assert repr(one) == "<Element password, 0 children>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<a>x</a>", "x"),
        (b" \r\n\t<a>x</a>\n", "x"),
        (b"\xef\xbb\xbf<a>x</a>", "x"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><a>x</a>", "x"),
        ("\n<?xml version='1.0'?><a>é☃𝄞</a>".encode(), "é☃𝄞"),
        ("<?xml version='1.0' encoding='utf-8'?><a>é</a>".encode(), "é"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>".encode("latin-1"), "é"),
        ("<?xml version='1.0' encoding='utf-16'?><a>é</a>".encode("utf-16"), "é"),
        ("<?xml version='1.0' encoding='utf-16'?><a>é</a>", "é"),  # text, as another client's tests have it
        ("<?xml version='1.0' encoding='no-such'?><a>é</a>", "é"),
        ("\ufeff<a>é</a>", "é"),
        (b"<a>&lt;&amp;&gt;&quot;&apos;&#233;&#x2603;</a>", "<&>\"'é☃"),
        (b"<a><![CDATA[<b>&amp;</b>]]></a>", "<b>&amp;</b>"),
        (b"<a>x<!-- <!DOCTYPE a> --><b>y</b><?p q?>z</a>", "xz"),
        (b"<a>\r\n</a>", "\n"),
        (b"<a>" + b"x" * (LARGEST_BODY - 7) + b"</a>", "x" * (LARGEST_BODY - 7)),
        (f"<a>{'é' * 30_000}</a>".encode("utf-16"), "é" * 30_000),
    ],
    ids=range(17),
)
def test_well_formed_documents_are_read(body: bytes | str, text: str) -> None:
    assert read_xml(body).text == text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no element found"),
        (b"   ", "no element found"),
        (b"event=video-created", "no well-formed XML"),
        (b"<a", "no well-formed XML"),
        (b"<a></b>", "mismatched tag"),
        (b"<a/><b/>", "junk after document element"),
        (b"<a/>x", "junk after document element"),
        (b"<a b='1' b='2'/>", "duplicate attribute"),
        (b"<a>&nbsp;</a>", "undefined entity"),
        (b"<a>\x00</a>", "no well-formed XML"),
        (b"<a>&#0;</a>", "no well-formed XML"),
        (b"<a>\xff</a>", "no well-formed XML"),
        (b"<a>\xed\xa0\x80</a>", "no well-formed XML"),
        ("<a>\ud800</a>", "no well-formed XML"),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", "no well-formed XML"),
        ("<a>x</a>".encode("utf-16-le") + b"\x00\xd8", "no well-formed XML"),
        ("<a>x</a>".encode("utf-32"), "no well-formed XML"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "'utf-7'"),
        (b"<?xml version='1.0' encoding='unicode_escape'?><a>\\]</a>", "'unicode_escape'"),
        (b"<?xml version='1.0' encoding='zlib'?><a/>", "'zlib'"),
        (b"<?xml version='1.0' encoding='idna'?><a/>", "'idna'"),
        (b"<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>", "'windows-1252'"),
        (b"<?xml version='1.0' encoding='" + b"x" * 5000 + b"'?><a/>", "'xxxx"),
    ],
    ids=range(23),
)
def test_what_is_no_document_is_refused(body: bytes | str, why: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_xml(body)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_limit_can_be_given() -> None:
    assert read_xml(b"<a/>", largest=4).name == "a"
    with pytest.raises(DecodeError, match="5 bytes is larger than the 4"):
        read_xml(b"<aa/>", largest=4)


@pytest.mark.parametrize(
    ("allowed", "refused", "why"),
    [
        (b"<a>" * DEEPEST + b"</a>" * DEEPEST, b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1), "32 levels"),
        (
            b"<a>" + b"<b/>" * (MOST_ELEMENTS - 1) + b"</a>",
            b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
            "20000 elements",
        ),
        (
            b"<a " + b" ".join(b"b%d=''" % n for n in range(MOST_ATTRIBUTES)) + b"/>",
            b"<a " + b" ".join(b"b%d=''" % n for n in range(MOST_ATTRIBUTES + 1)) + b"/>",
            "100 attributes",
        ),
        (
            b"<a b='" + b"x" * (LONGEST_TAG // 2) + b"'/>",
            b"<a b='" + b"x" * (LONGEST_TAG * 2) + b"'/>",
            "65536 bytes",
        ),
    ],
    ids=["levels", "elements", "attributes", "tag"],
)
def test_documents_are_bounded(allowed: bytes, refused: bytes, why: str) -> None:
    assert read_xml(allowed).name == "a"
    with pytest.raises(DecodeError, match=why):
        read_xml(refused)


# -- bombs -----------------------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
BOMBS = {  # made where they are needed: some are large
    "billion laughs": lambda: f'<!DOCTYPE l [<!ENTITY a "lol">{LAUGHS}]><l>&k;</l>'.encode(),
    "quadratic blow-up": lambda: (
        f'<!DOCTYPE l [<!ENTITY a "{"x" * 50_000}">]><l>{"&a;" * 20_000}</l>'.encode()
    ),
    "external entity": lambda: b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>',
    "parameter entity": lambda: b'<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:1/a"> %a;]><l/>',
    "external subset": lambda: b'<!DOCTYPE l SYSTEM "http://127.0.0.1:1/a.dtd"><l/>',
    "doctype in utf-16": lambda: '<!DOCTYPE l [<!ENTITY a "lol">]><l>&a;</l>'.encode("utf-16"),
    "100 MB": lambda: b"<l>" + b"x" * 100_000_000 + b"</l>",
    "100 MB of white space": lambda: b" " * 100_000_000 + b"<l/>",
    "10,000 levels": lambda: b"<l>" * 10_000 + b"</l>" * 10_000,
    "1,000,000 siblings": lambda: b"<l>" + b"<a/>" * 1_000_000 + b"</l>",
    "siblings below the size": lambda: b"<l>" + b"<a/>" * 260_000 + b"</l>",
    "huge attribute": lambda: b"<l a='" + b"x" * 1_000_000 + b"'/>",
    "110,000 attributes": lambda: b"<l " + b" ".join(b"a%x=''" % n for n in range(110_000)) + b"/>",
    "huge name": lambda: b"<" + b"l" * 1_000_000 + b"/>",
    "huge comment": lambda: b"<l><!--" + b"x" * 1_000_000 + b"--></l>",
}


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_no_time_and_space(make: Callable[[], bytes]) -> None:
    bomb = make()
    began = time.process_time()
    with pytest.raises(DecodeError):
        read_xml(bomb)
    assert time.process_time() - began < 1
    tracemalloc.start()  # it sees what expat takes, too
    try:
        with pytest.raises(DecodeError):
            read_xml(bomb)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "document",
    [
        b"<l>" + b"<a/>" * (MOST_ELEMENTS - 1) + b"</l>",
        b"<l>" + b"".join(b"<a%d/>" % n for n in range(MOST_ELEMENTS - 1)) + b"</l>",
        b"<l>" + b"x<!---->" * 130_000 + b"</l>",
        b"<l>" + b"&lt;" * 260_000 + b"</l>",
        b"<l>" + "é".encode() * 500_000 + b"</l>",
    ],
    ids=["elements", "names", "comments", "references", "text"],
)
def test_the_largest_document_takes_little_space(document: bytes) -> None:
    tracemalloc.start()
    try:
        read_xml(document)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


# -- writing ---------------------------------------------------------------------------------------------


def test_a_document_is_written_in_one_way() -> None:
    login = Element("parameters", children=(Element("user", "bob"), Element("password", 's3cret & "m<o>re"')))
    root = Element(
        "output", children=(Element("url", "sftp://files.example/é"), login), attributes={"a": '"\n'}
    )
    assert write_xml(root).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<output a="&quot;&#10;"><url>sftp://files.example/é</url><parameters><user>bob</user>'
        '<password>s3cret &amp; "m&lt;o&gt;re"</password></parameters></output>'
    )


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_refused(character: str) -> None:
    name = f"U+{ord(character):04X}"
    assert forbidden(f"a{character}b") == name
    for element in (Element("a", character), Element("a", attributes={"b": character})):
        with pytest.raises(ValueError, match=rf"<a> has U\+{name[2:]}, a character that XML cannot hold"):
            write_xml(Element("root", children=(element,)))


@pytest.mark.parametrize("name", ["", "a b", "1a", "a>", "é", "a/"])
def test_names_are_names(name: str) -> None:
    for element in (Element(name), Element("a", attributes={name: ""})):
        with pytest.raises(ValueError, match="is no name"):
            write_xml(element)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]).filter(lambda character: forbidden(character) is None),
    max_size=20,
)
ELEMENTS = st.recursive(
    st.builds(Element, NAMES, TEXTS, attributes=st.dictionaries(NAMES, TEXTS, max_size=3)),
    lambda inner: st.builds(Element, NAMES, TEXTS, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


@given(ELEMENTS)
def test_what_is_written_is_read_again(element: Element) -> None:
    body = write_xml(element)
    assert read_xml(body) == element
    assert same(ElementTree.fromstring(body), element)  # as others read it


def same(theirs: ElementTree.Element, ours: Element) -> bool:
    return (
        theirs.tag == ours.name
        and theirs.attrib == ours.attributes
        and (theirs.text or "") == ours.text
        and len(theirs) == len(ours.children)
        and all(map(same, theirs, ours.children))
    )


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda body: b"<a>" + body + b"</a>"))
def test_any_bytes_are_a_document_or_refused(body: bytes) -> None:
    try:
        assert read_xml(body).name
    except DecodeError as error:
        assert len(str(error)) < 200  # noqa: PT017
