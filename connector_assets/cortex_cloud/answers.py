"""What Cortex Cloud answers: a `reply`, which may hold an error whatever the HTTP status was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from connector_assets.kit import (
    BadRequest,
    BrokenAnswer,
    ConnectorError,
    CursorExpired,
    FixCredentials,
    FixPermission,
    NotFound,
    RetryLater,
)

if TYPE_CHECKING:
    from connector_assets.kit import Api

WORDS_LIMIT = 300
LICENCE = 402
#: Error code, as HTTP status or in the answer -> what to do. Any other one is a refusal of the request itself.
KINDS: Mapping[int, type[ConnectorError]] = {
    401: FixCredentials,
    LICENCE: FixPermission,
    403: FixPermission,
    404: NotFound,
    429: RetryLater,
    **dict.fromkeys((500, 502, 503, 504), RetryLater),
}
LISTS = ("data", "issues")
UNKNOWN = "check the role of the API key and the options of the connection"


def reply_of(api: Api, answer: Any, where: str) -> Mapping[str, Any]:
    """The reply in an answer. Raises by what to do for an error in it, BrokenAnswer where there is none."""
    reply = answer.get("reply") if isinstance(answer, Mapping) else None
    if isinstance(reply, list):
        return {"data": reply}
    if not isinstance(reply, Mapping):
        raise BrokenAnswer(f"{where}: the answer holds no object 'reply'", hint="the next sync tries again")
    raise_for_error(api, reply, where)
    return reply


def raise_for_error(api: Api, reply: Mapping[str, Any], where: str) -> None:
    code = reply.get(member(reply, "err_code"))
    if code in (None, "", 0):
        return
    status = int(str(code)) if str(code).isdecimal() else None
    raise refusal(api, status, said_in(reply), f"{where}: the tenant refuses with {api.mask(str(code))[:50]}")


def refusal(api: Api, status: int | None, said: str, begin: str) -> ConnectorError:
    """The error for an error code, with the tenant's own words."""
    words = api.mask(said)[:WORDS_LIMIT]
    hint = api.client.advice(str(status), UNKNOWN)
    kind = KINDS.get(status or 0, BadRequest)
    if kind is BadRequest and "token" in words.lower() and "expired" in words.lower():
        kind, hint = CursorExpired, "the findings are read again from their start by the next sync"
    return kind(f"{begin}: {words}" if words else begin, status=status, hint=hint)


def said_in(reply: Mapping[str, Any]) -> str:
    """Message and details of an error; details may be a text, an object or null."""
    return " ".join(str(found) for name in ("err_msg", "err_extra") if (found := reply.get(member(reply, name))))


@contextmanager
def explained(api: Api, where: str, *, optional: bool = False) -> Iterator[None]:
    """Errors inside say what the tenant said. What an optional stream has no licence for is skipped."""
    try:
        yield
    except ConnectorError as error:
        found = error
        reply = error.answer.get("reply") if isinstance(error.answer, Mapping) else None
        if isinstance(reply, Mapping) and error.status is not None:
            begin = f"{where}: HTTP {error.status}"
            found = refusal(api, error.status, said_in(reply), begin)
            found.url, found.answer, found.retry_after = error.url, error.answer, error.retry_after
        elif error.status == LICENCE and not isinstance(error, FixPermission):
            found = refusal(api, error.status, "", error.message)
        if optional and found.status == LICENCE:
            api.skip(str(found))
        if found is error:
            raise
        raise found from None


def member(found: Mapping[str, Any], name: str) -> str:
    """The name as this answer spells it: one search says data, the other DATA."""
    return name if name in found else next((key for key in found if str(key).lower() == name), name)


def list_name(reply: Mapping[str, Any]) -> str:
    """The name of the list in a reply: data, or, as issues are documented, issues."""
    names = (member(reply, name) for name in LISTS)
    return next((name for name in names if isinstance(reply.get(name), list)), member(reply, "data"))


def count(found: Any, name: str) -> int | None:
    """A number of records that the answer claims; None where it claims none."""
    value = found.get(member(found, name)) if isinstance(found, Mapping) else None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def claimed(reply: Mapping[str, Any], *, filtered: bool) -> int | None:
    """How many records fit the request. filter_count is the number of those; total_count counts beyond the filter."""
    metadata = reply.get(member(reply, "metadata"))
    for place in (metadata, reply):
        for name in ("filter_count",) if filtered else ("filter_count", "total_count"):
            if (found := count(place, name)) is not None:
                return found
    return None


#: Paths of members whose names are remembered: every record has the same ones.
PATHS = 4096
#: Members that hold what the cloud or a scanner wrote down word for word, start scripts, variables and found secrets
#: among it. The types of assets have more names than anybody lists, so that these go by how a name ends.
SECRET = re.compile(
    r"(raw_fields|normalized_fields|custom_fields|environment_variables|env_vars|user_data|startup_script|connection_string"
    r"|password|passphrase|secrets?|private_key|access_keys?|api_keys?|tokens?|credentials?)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=PATHS)
def is_secret(path: str) -> bool:
    return SECRET.search(path) is not None


def flattener(prefixes: tuple[str, ...], fields: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Records whose names are paths, under names a column can have: type_category for xdm.asset.type.category.

    Cortex writes a path as one name with dots in it; a record that nests it means the same. What may hold a secret is
    left out. What is no object stays as it is, for quarantine.
    """
    branches = {
        leaf[:end] for leaf in fields for end in range(len(leaf)) if leaf[end] == "_" and leaf[:end] not in fields
    }
    roots = {".".join(parts[:end]) for parts in (prefix[:-1].split(".") for prefix in prefixes) for end in range(1, 9)}

    @lru_cache(maxsize=PATHS)
    def named(path: str) -> str:
        prefix = next((one for one in prefixes if path.startswith(one)), "")
        return path[len(prefix) :].replace(".", "_")

    def walk(record: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
        for key, value in record.items():
            path = f"{above}{key}"
            if isinstance(value, dict) and (path in roots or named(path) in branches):
                yield from walk(value, f"{path}.")
            elif not is_secret(path):
                yield named(path), value

    @lru_cache(maxsize=PATHS)
    def plan(shape: tuple[str, ...]) -> tuple[list[str | None], list[int]]:
        """What the members of a record are called here, None for a secret; and the places where one may be nested."""
        places = [place for place, key in enumerate(shape) if key in roots or named(key) in branches]
        return [None if is_secret(key) else named(key) for key in shape], places

    def flat(record: Any) -> Any:
        if not isinstance(record, Mapping):
            return record
        # records of a sort all have the same members, so that nearly every one is of a shape that is known
        names, places = plan(tuple(record))
        values = [*record.values()]
        if any(isinstance(values[place], dict) for place in places):
            return dict(walk(record, ""))
        found = dict(zip(names, values, strict=True))
        found.pop(None, None)
        return found

    return flat
