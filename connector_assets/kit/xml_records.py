"""XML records as plain values, built while they are read: no tree in between, half of the time of one that is walked through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from xml.parsers import expat

from connector_assets.kit.errors import BrokenAnswer, UnexpectedContent

XML_DEPTH = 200

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
    ready: list[Found] = []
    parser = guarded_parser(url)
    depth = deepest = 0
    # inside of a wanted element: what the innermost one that has children holds so far, and those around it
    children: dict[str, Any] | None = None
    above: list[dict[str, Any] | None] = []
    # whether the element that was opened last is open and has no child yet: most never get one, and cost little so
    is_leaf = False
    attributes: dict[int, dict[str, str]] = {}
    text = ""

    def look_for(tag: str, given: dict[str, str]) -> None:
        nonlocal depth, deepest, children, text, is_leaf
        depth += 1
        refuse_web_page(tag, depth, url)
        if depth == 1 and root_ends and tag.endswith(root_ends):
            ready.append((tag, None))
        if tag in wanted:
            deepest, children, text, is_leaf = XML_DEPTH - depth, None, "", True
            parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data

    def leave(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def start(tag: str, given: dict[str, str]) -> None:
        nonlocal children, text, is_leaf
        if is_leaf:
            above.append(children)
            children = {}
            if len(above) > deepest:
                raise too_deep(url)
        else:
            is_leaf = True
        text = ""
        if given:
            attributes[len(above)] = given

    def data(more: str) -> None:
        nonlocal text
        text = text + more if text else more

    def end(tag: str) -> None:
        nonlocal depth, children, text, is_leaf
        value: Any
        if is_leaf:
            is_leaf = False
            value = text.strip() or None
            text = ""
        else:
            value = children
            children = above.pop()
        if children is None:
            ready.append((tag, value))
            depth -= 1
            parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = look_for, leave, None
            return
        if attributes and (given := attributes.pop(len(above), None)):
            for name, word in given.items():
                children[f"{tag}@{name}"] = word
        if tag not in children:
            children[tag] = [value] if tag in lists else value
        elif isinstance(known := children[tag], list):
            known.append(value)
        else:
            children[tag] = [known, value]

    parser.StartElementHandler, parser.EndElementHandler = look_for, leave
    for chunk in chunks:
        feed(parser, chunk, False, url)
        yield from ready
        ready.clear()
    feed(parser, b"", True, url)
    yield from ready


def guarded_parser(url: str) -> expat.XMLParserType:
    """A parser that fetches nothing; a DOCTYPE may only name itself, as some vendors' do."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

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
        raise BrokenAnswer(
            f"the answer is not whole XML ({error})", url=url, hint="the next sync tries again"
        ) from None
