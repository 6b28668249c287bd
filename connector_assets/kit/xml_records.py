"""XML records as plain values, out of small trees that the parser builds without a call into Python for any element.

Handlers in Python, even as few and short as they can be, took half as long again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html.entities import html5
from itertools import compress
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from connector_assets.kit.errors import BrokenAnswer, UnexpectedContent

XML_DEPTH = 200
#: The prologue is looked at in pieces of this size: it ends with the first element.
PROLOGUE_PIECE = 4096
#: What a text may name without declaring it, as the external definition that is never fetched might.
ENTITIES = {name.rstrip(";"): text for name, text in html5.items()}

Found = tuple[str, Any]
"""Name of an element, and what is in it."""


def xml_records(
    chunks: Iterable[bytes],
    tags: Iterable[str],
    url: str,
    lists: frozenset[str] = frozenset(),
    root_ends: str | None = None,
) -> Iterator[Found]:
    """Each outermost element with one of the tags, complete, one at a time, as JSON would have it.

    An element is its text, None for an empty one, or an object of its children. An attribute stands beside its element,
    as 'QDS@severity', so that an element with one keeps its type. What is repeated becomes a list; what is in `lists`
    always is one. An outermost element of the whole whose name ends with `root_ends` is told as well, as (its name, None):
    an empty list says nothing else. Raises as `xml_elements`.
    """
    wanted = frozenset(tags)
    builder = ElementTree.TreeBuilder()
    # around the document, to see its elements before it is whole
    around = builder.start("", {})
    parser = ElementTree.XMLParser(target=builder)
    parser.entity.update(ENTITIES)
    prologue: Prologue | None = Prologue(url)
    try:
        for chunk in chunks:
            if prologue is not None and prologue.ends_in(chunk):
                prologue = None
            parser.feed(chunk)
            if root_ends and len(around):
                if around[0].tag.endswith(root_ends):
                    yield around[0].tag, None
                root_ends = None
            for element, depth in closed(around, wanted, url):
                yield element.tag, value_of(element, lists, XML_DEPTH - depth, url)
        parser.close()
    except ElementTree.ParseError as error:
        raise broken(error, url) from None
    for element, depth in outermost(around, wanted, 0, url):
        yield element.tag, value_of(element, lists, XML_DEPTH - depth, url)


def closed(around: Element, wanted: frozenset[str], url: str) -> Iterator[tuple[Element, int]]:
    """The outermost wanted elements that are whole, with their depth; they and all else that is whole are taken out.

    What is open yet is the last child of what is open.
    """
    parent, depth, is_wanted = around, 0, False
    while len(parent):
        depth += 1
        if depth > XML_DEPTH:
            raise too_deep(url)
        if not is_wanted:
            whole = parent[:-1]
            del parent[:-1]
            for element in whole:
                if element.tag in wanted:
                    yield element, depth
                else:
                    yield from outermost(element, wanted, depth, url)
        parent = parent[-1]
        is_wanted = is_wanted or parent.tag in wanted


def outermost(parent: Element, wanted: frozenset[str], depth: int, url: str) -> Iterator[tuple[Element, int]]:
    """The outermost wanted elements below one at a depth."""
    if depth > XML_DEPTH:
        raise too_deep(url)
    for element in parent:
        if element.tag in wanted:
            yield element, depth + 1
        elif len(element):
            yield from outermost(element, wanted, depth + 1, url)


def value_of(element: Element, lists: frozenset[str], deepest: int, url: str) -> Any:
    """What JSON would have of an element. deepest: levels there may be below it."""
    children = [*element]
    if not children:
        text = element.text
        return (text.strip() or None) if text else None
    if deepest <= 0:
        raise too_deep(url)
    found: dict[str, Any] = {}
    if not any(map(len, children)):
        found = {child.tag: (text.strip() or None) if (text := child.text) else None for child in children}
        if len(found) == len(children) and lists.isdisjoint(found):
            for child in compress(children, map(Element.keys, children)):
                for name, word in child.items():
                    found[f"{child.tag}@{name}"] = word
            return found
        found = {}
    for child in children:
        tag, value = child.tag, value_of(child, lists, deepest - 1, url)
        for name, word in child.items():
            found[f"{tag}@{name}"] = word
        if tag not in found:
            found[tag] = [value] if tag in lists else value
        elif isinstance(known := found[tag], list):
            known.append(value)
        else:
            found[tag] = [known, value]
    return found


class Prologue:
    """What stands before the first element: a DOCTYPE in it may only name itself, as some vendors' do."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._has_ended = False
        self._parser = guarded_parser(url)
        self._parser.StartElementHandler = self._start

    def ends_in(self, chunk: bytes) -> bool:
        """Whether the first element begins in the next piece of the text. Raises UnexpectedContent."""
        for start in range(0, len(chunk), PROLOGUE_PIECE):
            feed(self._parser, chunk[start : start + PROLOGUE_PIECE], False, self._url)
            if self._has_ended:
                return True
        return False

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._has_ended:
            refuse_web_page(tag, 1, self._url)
        self._has_ended = True


def guarded_parser(url: str) -> expat.XMLParserType:
    """A parser that fetches nothing; a DOCTYPE may only name itself, as some vendors' do."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    if hasattr(parser, "SetReparseDeferralEnabled"):
        # from expat 2.6 on, what comes in pieces is read later, which for a prologue is too late
        parser.SetReparseDeferralEnabled(False)

    def doctype(name: str, system_id: str | None, public_id: str | None, has_internal_subset: int) -> None:
        refuse_web_page(name, 1, url)
        if has_internal_subset:
            raise UnexpectedContent("the XML declares entities of its own, which is refused", url=url)

    parser.StartDoctypeDeclHandler = doctype
    return parser


def refuse_web_page(tag: str, depth: int, url: str) -> None:
    """Raise for an outermost <html>, and for what is nested too deep."""
    if depth == 1 and tag.lower() == "html":
        raise UnexpectedContent("a web page where XML was asked for", url=url, hint="check base_url")
    if depth > XML_DEPTH:
        raise too_deep(url)


def too_deep(url: str) -> BrokenAnswer:
    return BrokenAnswer(f"the XML is nested deeper than {XML_DEPTH} levels", url=url)


def feed(parser: expat.XMLParserType, chunk: bytes, is_last: bool, url: str) -> None:
    try:
        parser.Parse(chunk, is_last)
    except expat.ExpatError as error:
        raise broken(error, url) from None


def broken(error: Exception, url: str) -> BrokenAnswer:
    return BrokenAnswer(f"the answer is not whole XML ({error})", url=url, hint="the next sync tries again")
