"""What stood against a merge, and what is doubted, in words."""

from __future__ import annotations

from dbt_like_transforms.resolution.clustering.notes import COPIED
from dbt_like_transforms.resolution.ladders.ladder import Ladder

#: What stood against a merge. Identifiers are worded by their label.
AGAINST_WORDS = {
    "mac": "their MAC addresses differ",
    "fqdn": "their fully qualified names differ",
    "names": "their names differ, and one has network cards that the other lacks",
    "source": "one product holds both at the same time as two devices",
    "source_any": "one product holds both as two different records",
    "source_unlike": "one product holds both as two records with different names or employee ids",
    "okta_other": "one product holds both as two records with different Okta ids",
    "main_other": "one product holds both as two records with different main addresses",
    "agent": "two installations of one agent were at work at the same time",
    "domain": "their SIDs are those of two accounts of one domain",
    "employee_other": "their employee ids differ",
    "login_other": "they sign in with two addresses of one domain",
    "passed_on": "one of them is retired, and it is no main address of both: mail is passed on to a colleague",
    "marked": "one of them has the mark of an administrator or service, or another addition, in its logon name",
    "guest": "the one is a guest account, the other its home account",
    "time": "one was gone before the other appeared: the name was probably used again",
    "clone": "names differ, and cards or boards do: the agent was probably cloned with its image",
    "clone_agents": "their names differ, and two other installations of one agent were at work at the same time",
    "clone_unnamed": "one product holds both at the same time with different MAC addresses and no name in common",
    "clone_same_source": "one product holds both at the same time with different names, and other cards or boards: a clone",
    "counted": "it is a number of a scanner, which may have seen another machine at the address, and their names differ",
    "clone_image": "one product holds both at the same time, names differ, and cards or boards do: one image on two machines",
    "clone_blade": "it may be that of the chassis: one is a blade, names differ, and cards or boards do",
    "enclosed": "it is that of the chassis, and their names differ",
    "retired": "one of them is retired, and another one with this value is at work",
    "several": "others that agree with them differ from one another, so a person has to decide",
    "apart": "a person decided that they are different",
}
#: Identifiers that travel with a copied disk: the same value on two machines means a clone.
_COPIED_WITH_DISK = {"sid": "image cloned", "agent": "agent cloned"}
#: What keeps two apart and tells of no copy.
_NO_COPY = frozenset({"apart", "retired", "counted", "several"})
#: What joins nothing by itself, by identifier.
_ALONE_WORDS = {
    "mac": "a MAC address alone",
    "host": "a name alone",
    "alike": "a name alone",
    "ip": "an address alone",
    "reply": "a reply URL alone",
}


def against_words(ladder: Ladder, identifier: str, against: str) -> str:
    """Why two that agree on the identifier were not joined: what stood against it, and that it tells of a copy."""
    words = AGAINST_WORDS.get(against) or f"their {ladder.identifier(against).label} differs"
    if against == "host":
        words = f"it is seen with too many different {ladder.fingerprint_label}"
    copied = copied_words(ladder, identifier, against)
    return f"{copied}: {words}" if copied else words


def doubt_words(rule: str, identifier: str) -> str:
    """Why two that agree on the identifier were not joined though nothing stood against it."""
    if rule == "guest_home":
        return "both were invited by one address, so a person has to decide whether they are one"
    if rule.endswith("_alone") and identifier in _ALONE_WORDS:
        return f"{_ALONE_WORDS[identifier]} joins nothing"
    if rule.endswith("_alone"):
        return "not all that is told of them agrees, so a person has to decide"
    return "it could belong to several different ones, so a person has to decide"


def counted_words(ladder: Ladder, against: str) -> str:
    """What shows a value to be no identifier when there are several of it."""
    if against == "asset":
        return "assets that are known by something better,"
    return ladder.fingerprint_label if against == "host" else f"values of {ladder.identifier(against).label}"


def copied_words(ladder: Ladder, identifier: str, against: str) -> str:
    """What a value on two machines that differ tells, '' for nothing; a directory gives one to two accounts by mistake."""
    told = (ladder.kind == "device" or against in COPIED) and against not in _NO_COPY
    return _COPIED_WITH_DISK.get(identifier, "") if told else ""
