"""What anybody would write: requests, orjson, and for XML the standard library's own parser, over the same requests.

It knows the requests beforehand and looks at nothing but the records: no paging, no credentials, no retries, nothing kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any
from xml.parsers import expat

import orjson
import requests

from benchmarks.replayed import Asked

CHUNK = 256 * 1024
#: Elements that are records, of all products that answer in XML.
XML_RECORDS = frozenset({"HOST", "VULN"})
#: Lists of findings inside assets (Rapid7).
INSIDE = ("same", "new", "remediated")
SENT = frozenset({"accept", "authorization", "content-type", "x-requested-with", "x-apikeys", "x-api-key"})


def bare(address: str, asked: Iterable[Asked]) -> int:
    """Bytes of the answers, after each was parsed."""
    session, size = requests.Session(), 0
    session.trust_env = False
    for one in asked:
        headers = {name: value for name, value in one.headers.items() if name in SENT}
        with session.request(
            one.method, address + one.target, data=one.body or None, headers=headers, stream=True, timeout=60
        ) as response:
            kind = response.headers.get("Content-Type", "")
            if "xml" in kind:
                size += parsed_xml(response)
            elif "octet-stream" in kind:
                size += parsed_export(response.content)
            elif response.content and "json" in kind:
                try:
                    exploded(orjson.loads(response.content))
                except orjson.JSONDecodeError:  # lines of JSON, under the name of JSON
                    for line in filter(None, response.content.splitlines()):
                        orjson.loads(line)
                size += len(response.content)
    return size


def exploded(answer: Any) -> list[Any]:
    """Records inside records, which a connector gives as records of their own."""
    assets = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(assets, list):
        return []
    return [{**finding, "asset": asset["id"]} for asset in assets for name in INSIDE for finding in asset.get(name, ())]


def parsed_export(body: bytes) -> int:
    """JSON lines in gzip, or JSON as a file to be saved."""
    if body[:2] == b"\x1f\x8b":
        body = zlib.decompress(body, zlib.MAX_WBITS | 16)
        for line in body.splitlines():
            orjson.loads(line)
    else:
        orjson.loads(body)
    return len(body)


def parsed_xml(response: requests.Response) -> int:
    """Each record as a dict, of a stream, built while expat reads it: faster than ElementTree with its events or as a whole."""
    parser, size = expat.ParserCreate(), 0
    parser.buffer_text = True
    above: list[dict[str, Any]] = []
    text: str | None = None

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal text
        above.append({})
        text = None

    def data(more: str) -> None:
        nonlocal text
        text = more

    def end(tag: str) -> None:
        nonlocal text
        value: Any = above.pop() or text
        text = None
        if above and tag not in XML_RECORDS:
            record = above[-1]
            if tag in record:
                known = record[tag]
                record[tag] = [*known, value] if isinstance(known, list) else [known, value]
            else:
                record[tag] = value

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    for chunk in response.iter_content(CHUNK):
        size += len(chunk)
        parser.Parse(chunk)
    return size
