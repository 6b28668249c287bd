"""The XML APIs below /fo: lists that end in the address of their next part, and refusals that may be no more than "wait".

Qualys refuses with HTTP 409 both for a while (too many calls, too many at once) and for good (the account is not
registered, a permission is missing); only the code in the body tells them apart. The same body comes with HTTP 200 too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector_assets.kit import (
    Api,
    BadRequest,
    BrokenAnswer,
    ConnectorError,
    CursorGuard,
    FixCredentials,
    FixPermission,
    NotFound,
    RetryLater,
    UnexpectedContent,
)
from connector_assets.kit.hosts import masked
from connector_assets.kit.xml_records import Found

RATE, CONCURRENCY = "1965", "1960"
BAD_LOGIN = "2000"
#: Every list is called so, and an empty one says nothing else (not even its date, as some record it).
ROOT_ENDS = "_OUTPUT"
#: Times one call may be put off. The waits themselves are bounded by the budgets of the pull.
MOST_WAITS = 20
#: Seconds to wait when the vendor does not say: the end of another call cannot be foreseen.
WAITS = {RATE: 60.0, CONCURRENCY: 15.0}
#: Times an answer that breaks off is asked for again.
BROKEN_TRIES = 2
SECONDS_IN_TEXT = re.compile(r"another (\d+) second")
#: Newest first; a private platform may be behind the public ones.
VERSIONS = ("5.0", "4.0", "3.0", "2.0")
VERSION_IN_PATH = re.compile(r"^/api/(\d+\.\d+)/")
CODE_IN_TEXT = re.compile(r"<CODE>\s*(\d+)\s*</CODE>")
WORDS_IN_TEXT = re.compile(r"<TEXT>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</TEXT>", re.DOTALL)

#: Elements that are a list even where there is one of them.
LISTS = frozenset(
    "ATTRIBUTE CVE DETECTION DETECTION_SOURCE EXPLT EXPLT_SRC SOFTWARE TAG THREAT_INTEL VENDOR_REFERENCE".split()
)


def parts(
    api: Api,
    path: str,
    params: Mapping[str, Any],
    tag: str | tuple[str, ...],
    *,
    request: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str | None, Iterator[Any]]]:
    """The parts of a list, each as (its masked address, None for the first; what its elements `tag` hold, one or several).

    The next part is where a WARNING has a URL; a WARNING without one (an old version's end of support) says nothing
    about paging. Elements of a part must be read before the next one is asked for.
    """
    guard = CursorGuard(path)
    request = request or {}
    tags = (tag,) if isinstance(tag, str) else tag
    # the address of a next part is called as it is
    later = {name: value for name, value in request.items() if name in ("headers", "anonymous_hosts")}
    url: str | None = path
    while url:
        current, following = url, Following()
        first = current is path
        found = elements(api, current, params if first else None, (*tags, "WARNING"), request if first else later)
        yield None if first else masked(current), following.of(found)
        url = following.url
        if url:
            guard.follow(url)


class Following:
    """The address of the next part, known once the elements of this one were read."""

    url: str | None = None

    def of(self, found: Iterator[Found]) -> Iterator[Any]:
        for tag, value in found:
            if tag != "WARNING":
                yield value
            elif isinstance(value, dict):
                self.url = value.get("URL") or self.url


def elements(
    api: Api, path_or_url: str, params: Mapping[str, Any] | None, tags: tuple[str, ...], request: Mapping[str, Any]
) -> Iterator[Found]:
    """The elements of one answer, waiting where the vendor says so.

    An answer that breaks off is asked for again from its start: a record that comes twice is one record.
    Raises FixPermission and BadRequest for a refusal that no waiting helps against, RetryLater for one that lasts,
    UnexpectedContent for XML that is none of Qualys' answers.
    """
    waits = broken = 0
    path_or_url = spoken(api, path_or_url)
    refused: NotFound | None = None
    while True:
        try:
            answered = False
            looked_for = (*tags, "SIMPLE_RETURN")
            for tag, value in api.stream_xml_records(
                path_or_url, looked_for, LISTS, root_ends=ROOT_ENDS, params=params, **request
            ):
                answered = True
                if tag == "SIMPLE_RETURN":
                    raise refusal(api, word(value, "CODE"), word(value, "TEXT"), path_or_url)
                if not tag.endswith(ROOT_ENDS):
                    yield tag, value
            if not answered:
                raise UnexpectedContent(
                    "the XML is no answer of this API: it has neither records nor the name of a list",
                    url=api.client.where(path_or_url),
                    hint=api.client.advice("404"),
                )
            if refused:
                api.shared[unversioned(path_or_url)] = path_or_url
            return
        except (BadRequest, RetryLater) as error:
            trouble = told(api, error, path_or_url)
            waits += 1
            if not isinstance(trouble, Throttled) or waits > MOST_WAITS:
                raise trouble from None
            api.progress(f"Qualys asks to wait {trouble.seconds:.0f} s")
            api.wait(trouble.seconds)
        except BrokenAnswer:
            broken += 1
            if broken > BROKEN_TRIES:
                raise
        except NotFound as error:
            refused = refused or error
            older = older_version(path_or_url)
            if not older:
                raise refused from None
            path_or_url = older


def spoken(api: Api, path_or_url: str) -> str:
    """The path in the version that the platform answered in before; an address of the vendor as it is."""
    return str(api.shared.get(unversioned(path_or_url), path_or_url))


def unversioned(path: str) -> str:
    return VERSION_IN_PATH.sub("/api/", path)


def older_version(path: str) -> str | None:
    """The same path in the next older version of the API, None for the oldest and for an address of the vendor."""
    told = VERSION_IN_PATH.match(path)
    older = next((version for version in VERSIONS if told and float(version) < float(told[1])), None)
    return VERSION_IN_PATH.sub(f"/api/{older}/", path) if older else None


class Throttled(RetryLater):
    """The vendor refuses for a while. seconds: how long it asks, or we think, to wait."""

    seconds: float = 0.0


def told(api: Api, error: ConnectorError, path: str) -> ConnectorError:
    """The error as the code in its body says it; itself where there is none."""
    if error.status != 409 or not isinstance(error.answer, str):
        return error
    code, text = CODE_IN_TEXT.search(error.answer), WORDS_IN_TEXT.search(error.answer)
    if not code:
        return error
    return refusal(api, code[1], text[1] if text else "", path, status=409, retry_after=error.retry_after)


def refusal(
    api: Api, code: str, text: str, path: str, *, status: int = 200, retry_after: float | None = None
) -> ConnectorError:
    """The error of a SIMPLE_RETURN: 1960 and 1965 pass, 2000 is the password, other 20xx are faults of the account."""
    words = api.mask(text)[:300]
    message = f"HTTP {status}: {code or 'no code'} {words}".rstrip()
    where = api.client.where(path)
    if code in WAITS:
        error = Throttled(message, status=status, url=where, hint=api.client.advice("409"), retry_after=retry_after)
        told_in_text = SECONDS_IN_TEXT.search(words)
        error.seconds = retry_after or (float(told_in_text[1]) if told_in_text else 0.0) or WAITS[code]
        return error
    if code == BAD_LOGIN:
        return FixCredentials(message, status=status, url=where, hint=api.client.advice("401"))
    if code.startswith("20") or status == 409:
        return FixPermission(message, status=status, url=where, hint=api.client.advice("403"))
    return BadRequest(message, status=status, url=where, hint=api.client.advice("400"))


def word(returned: Any, name: str) -> str:
    """A word of a SIMPLE_RETURN."""
    return str(next(iter(inside(returned, "RESPONSE", name) or inside(returned, name)), ""))


def inside(value: Any, *names: str) -> list[Any]:
    """What lies at a path in a record, through lists: nothing, one value or several."""
    found = value if isinstance(value, list) else [] if value is None else [value]
    for name in names:
        below = [one[name] for one in found if isinstance(one, dict) and one.get(name) is not None]
        found = [one for value in below for one in (value if isinstance(value, list) else (value,))]
    return found


def batches(records: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most `size`; none for no record."""
    batch: list[Any] = []
    for record in records:
        batch.append(record)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
