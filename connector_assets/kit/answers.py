"""Reading answers: JSON that is JSON, and the vendor's own words where it refuses."""

from __future__ import annotations

import gc
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import orjson

from connector_assets.kit.errors import BrokenAnswer, UnexpectedContent

log = logging.getLogger("exposure.connector")

#: The vendor's message is repeated up to this length, in characters.
WORDS_LIMIT = 300
#: From this size on, in bytes, an answer is parsed beside the collector of cycles, see `parsed`.
LARGE = 64 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
XML_WORDS = re.compile(rb"<(?:code|message|text)>\s*(?:<!\[CDATA\[)?([^<\]]{1,200})", re.IGNORECASE)
ENVELOPE = (
    *("code", "error", "errors", "error_description", "title", "message", "detail", "failure_reason", "reason"),
    *("i18nKey", "subject"),
)


def parse_json(body: bytes, url: str) -> Any:
    """The JSON value; BrokenAnswer for empty, truncated, malformed or bottomless text."""
    try:
        return parsed(body) if len(body) >= LARGE else orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if body.startswith(BYTE_ORDER_MARK):
            return parse_json(body[len(BYTE_ORDER_MARK) :], url)
        try:
            return lenient_json(body)
        except (ValueError, RecursionError):
            log.debug("%s: the answer is no JSON in the wider sense either", url)
        what = f"is not whole JSON ({error.msg} at {error.pos} of {len(body)})" if body.strip() else "is empty"
        raise BrokenAnswer(
            f"the answer {what}", url=url, hint="the vendor cut or garbled the answer; the next sync tries again"
        ) from None


def lenient_json(body: bytes) -> Any:
    """The value of whole JSON that is not strict: raw line breaks in texts, NaN, half a character pair, bytes beside UTF-8.

    Texts that people typed come so; one of them must not cost the page. Raises ValueError, RecursionError.
    """
    return json.loads(body.decode("utf-8", "replace"), strict=False)


def parsed(body: bytes) -> Any:
    """The value of a large answer, which the collector of cycles does not walk through as it does through all that is new.

    What a parser makes has no cycles, and looking for them took three quarters of the time of reading an answer of small
    objects (83 ms of 30,000 records, 22 without). Freezing and thawing counts everything there is as old, at no cost.
    """
    if not gc.isenabled():
        return orjson.loads(body)
    gc.disable()
    try:
        return orjson.loads(body)
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()


def require_json(status: int, content_type: str, body: bytes, url: str) -> None:
    """Raise UnexpectedContent for markup where JSON was asked for: a sign-in page is no empty estate."""
    kind = content_type.partition(";")[0].strip().lower()
    if "html" in kind or body[:64].lstrip(BYTE_ORDER_MARK + b" \t\r\n")[:1] == b"<":
        raise UnexpectedContent(
            f"HTTP {status} with {kind or 'markup'} where JSON was asked for",
            status=status,
            url=url,
            hint="a sign-in page, a sleeping instance or a proxy answers instead of the API: "
            "open the address in a browser and check base_url",
        )


def vendor_words(body: bytes, content_type: str) -> str:
    """The vendor's own message out of an error body, at most 300 characters; '' for a web page and for silence."""
    start = body[:64].lstrip()
    if (
        "html" in content_type.lower()
        or start[:9].lower() in (b"<!doctype", b"<html>")
        or start[:5].lower() == b"<html"
    ):
        return ""
    if start[:1] == b"<":
        return " ".join(part.decode("utf-8", "replace").strip() for part in XML_WORDS.findall(body)[:4])[:WORDS_LIMIT]
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return " ".join(body[:WORDS_LIMIT].decode("utf-8", "replace").split())
    return said_in(found)


def said_in(answer: Any) -> str:
    """Codes and messages of a parsed error envelope, without repetition, at most 300 characters."""
    return " ".join(dict.fromkeys(words_in(answer)))[:WORDS_LIMIT]


def words_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Codes and messages of the usual error envelopes, outermost first."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, list) and depth < 4:
        for item in value[:3]:
            yield from words_in(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for key in ENVELOPE:
            if value.get(key):
                yield from words_in(value[key], depth + 1)


def error_body(text: str) -> Any:
    """An error body for code that reads a job id or a code out of it: parsed where it is JSON, the text otherwise."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
