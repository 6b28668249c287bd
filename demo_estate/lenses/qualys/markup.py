"""XML as Qualys writes it: text in CDATA, comments before the root and between elements, no list where nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

#: Elements whose text the vendor writes as CDATA.
CDATA = frozenset(
    "OS DNS HOSTNAME DOMAIN FQDN NETBIOS QG_HOSTID CLOUD_RESOURCE_ID NAME VALUE RESULTS TITLE SOLUTION DIAGNOSIS "
    "CONSEQUENCE URL THREAT_INTEL VENDOR PRODUCT TEXT".split()
)
PROLOG = '<?xml version="1.0" encoding="UTF-8" ?>\n'
#: Written before the root by accounts on trial; it must not be taken for the end of anything.
COMMENT = "<!-- This report was generated with an evaluation version of Qualys //-->\n"
FOOTER = "\n<!-- CONFIDENTIAL AND PROPRIETARY INFORMATION. -->"


def tag(name: str, value: Any) -> str:
    """An element, or one for each item of a list; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(tag(name, item) for item in value)
    if isinstance(value, Mapping):
        attributes = "".join(f' {key[1:]}="{text}"' for key, text in value.items() if key.startswith("@"))
        if "#text" in value:
            return f"<{name}{attributes}>{text_of(name, value['#text'])}</{name}>"
        inner = "".join(tag(key, item) for key, item in value.items() if not key.startswith("@"))
        return f"<{name}{attributes}>{inner}</{name}>"
    return f"<{name}>{text_of(name, value)}</{name}>"


def text_of(name: str, value: Any) -> str:
    return f"<![CDATA[{value}]]>" if name in CDATA and value != "" else escape(str(value))


def output(root: str, now: datetime, list_tag: str, items: Iterable[str], warnings: Iterable[str] = ()) -> str:
    """A whole answer. Without items there is no list either. A keep-alive comment comes every few items."""
    body = [
        line
        for number, item in enumerate(items)
        for line in ((f"<!-- keep-alive {number} -->\n", item) if number % 100 == 0 else (item,))
    ]
    listed = f"<{list_tag}>{''.join(body)}</{list_tag}>" if body else ""
    return (
        f'{PROLOG}<!DOCTYPE {root} SYSTEM "https://qualysapi.example/dtd/output.dtd">\n{COMMENT}'
        f"<{root}><RESPONSE><DATETIME>{now:%Y-%m-%dT%H:%M:%SZ}</DATETIME>{listed}{''.join(warnings)}</RESPONSE></{root}>"
        f"{FOOTER}"
    )


def warning(code: int, text: str, url: str = "") -> str:
    return tag("WARNING", {"CODE": code, "TEXT": text, **({"URL": url} if url else {})})


def simple_return(now: datetime, code: int, text: str) -> str:
    """A refusal, without the prolog's DOCTYPE."""
    return (
        f"{PROLOG}<SIMPLE_RETURN><RESPONSE><DATETIME>{now:%Y-%m-%dT%H:%M:%SZ}</DATETIME>"
        f"<CODE>{code}</CODE><TEXT>{escape(text)}</TEXT></RESPONSE></SIMPLE_RETURN>"
    )
