"""The ladder for identities: accounts, not persons. Two accounts of one person are linked and stay two."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.identity_forms import NORM
from dbt_like_transforms.resolution.forms.seeds import few, silent
from dbt_like_transforms.resolution.ladders.ladder import (
    RUNG_AGENT,
    RUNG_DIRECTORY,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    SHOWN_ID,
    Dropped,
    Identifier,
    Ladder,
    LongList,
    Rule,
    Special,
)

COLUMNS: dict[str, str] = {
    "identity_type": "VARCHAR",
    "entra_object_id": "VARCHAR",
    "entra_tenant_id": "VARCHAR",
    "ad_object_guid": "VARCHAR",
    "ad_sid": "VARCHAR",
    "sid_history": "VARCHAR[]",
    "immutable_id": "VARCHAR",
    "upn": "VARCHAR",
    "emails": "VARCHAR[]",
    "employee_id": "VARCHAR",
    "sam_account_name": "VARCHAR",
    "domain": "VARCHAR",
    "login_names": "VARCHAR[]",
    "okta_id": "VARCHAR",
    "app_id": "VARCHAR",
    "display_name": "VARCHAR",
    "is_enabled": "BOOLEAN",
    "is_privileged": "BOOLEAN",
    "mfa_registered": "BOOLEAN",
    "criticality": "INTEGER",
    "department": "VARCHAR",
    "job_title": "VARCHAR",
    "properties": "VARCHAR",
}

#: Texts that people write, and write a word for nothing into.
WRITTEN = ("department", "job_title")

#: Domains that every organisation may have inside: RFC 6762 names them, and a single label is none of the internet's.
_INSIDE = (
    "local|localdomain|lan|home|corp|internal|intern|intranet|intra|private|priv|loc|lcl|dom|test|invalid|localhost"
)
_PRIVATE = rf"@([^.]+|.*\.({_INSIDE}))$"


def _addresses(column: str) -> str:
    """SQL of a list of addresses, those in a private domain with the scope that they are of."""
    scoped = f"CASE WHEN regexp_matches(a, '{_PRIVATE}') THEN room || ' ' || a ELSE a END"
    return f"list_transform({few(column)}, lambda a: {scoped})"


_ADDRESS = "regexp_replace(value, '^[0-9]+ ', '')"
_STRONG = ("entra", "directory", "sid", "okta", "type")
#: More names to sign in with than one account has in its directory, its cloud and its products, and had before.
_MANY = 10
#: One company's Okta has one account of a directory's.
_BY_ID: tuple[Special, ...] = ("okta_other",)
_BY_NAME: tuple[Special, ...] = ("source_unlike", "employee_other", "time")

LADDER = Ladder(
    kind="identity",
    tables={"norm": NORM, "no_words": silent(WRITTEN)},
    identifiers=(
        Identifier("entra", "entra", "Entra object id", "entra_object_id", RUNG_DIRECTORY, shown="n_dashed(value)"),
        Identifier(
            "entraq",
            "entra || ' in ' || tenant",
            "Entra object id in its tenant",
            "entra_object_id",
            RUNG_DIRECTORY,
            shown=SHOWN_ID,
        ),
        Identifier(
            "directory",
            "directory",
            "AD objectGUID or immutableId",
            "ad_object_guid",
            RUNG_DIRECTORY,
            is_list=True,
            shown=SHOWN_ID,
        ),
        Identifier("objectguid", "objectguid", "AD objectGUID", "ad_object_guid", is_list=True, shown=SHOWN_ID),
        Identifier("anchor", "anchor", "immutableId", "immutable_id", RUNG_DIRECTORY, scoped=True),
        Identifier("sid", "sid", "SID", "ad_sid", RUNG_DIRECTORY),
        Identifier("sids", few("sids"), "SID or former SID", "sid_history", None, is_list=True, includes=("sid",)),
        Identifier("former", few("former"), "former SID", "sid_history", is_list=True),
        Identifier("sid_domain", "sid_domain", "domain of the SID", "ad_sid"),
        Identifier("okta", "okta", "Okta id", "okta_id", RUNG_DIRECTORY),
        Identifier("type", "type", "type of account", "identity_type"),
        Identifier("login", "login", "address to sign in with", "login_names"),
        Identifier("login_domain", "login_domain", "domain of the address to sign in with", "login_names"),
        Identifier("arn", few("arns"), "ARN", "login_names", is_list=True),
        Identifier("main", _addresses("main"), "main address", "emails", is_list=True),
        Identifier("own_upn", "upn", "user principal name", "upn"),
        Identifier("upn", _addresses("upns"), "user principal name", "upn", RUNG_AGENT, is_list=True, shown=_ADDRESS),
        Identifier(
            "claimed",
            _addresses("claimed"),
            "mail address = user principal name",
            "emails",
            None,
            is_list=True,
            shown=_ADDRESS,
        ),
        Identifier(
            "address",
            _addresses("addresses"),
            "mail or sign-in address",
            "emails",
            RUNG_NAME,
            is_list=True,
            shown=_ADDRESS,
        ),
        Identifier(
            "nbname",
            few("nbnames"),
            "logon name in its domain",
            "sam_account_name",
            RUNG_NAME,
            is_list=True,
            scoped=True,
        ),
        Identifier(
            "alike",
            few("alike"),
            "logon name and first part of the domain",
            "sam_account_name",
            is_list=True,
            scoped=True,
        ),
        Identifier(
            "host", few("sams"), "bare logon name", "sam_account_name", RUNG_SHORT_NAME, is_list=True, scoped=True
        ),
        Identifier("logon", few("logons"), "Windows logon name", "sam_account_name", is_list=True),
        Identifier(
            "signs_in",
            _addresses("signs_in"),
            "logon name in its domain = user principal name",
            "sam_account_name",
            is_list=True,
            shown=_ADDRESS,
        ),
        Identifier("realm", few("realm"), "domain", "domain", is_list=True),
        Identifier("netbios", few("netbios"), "NetBIOS name of the domain", "domain", is_list=True),
        Identifier(
            "marked",
            few("marked"),
            "mark of an administrator or service in the logon name",
            "login_names",
            is_list=True,
        ),
        Identifier(
            "marked_in",
            few("marked_in"),
            "domain of an account of administration or service",
            "sam_account_name",
            is_list=True,
        ),
        Identifier("employee", "employee", "employee id", "employee_id", RUNG_SHORT_NAME, scoped=True),
        Identifier("employee_form", "employee_form", "form of the employee id", "employee_id", scoped=True),
    ),
    rules=(
        # where it is told with two tenants, those of one of them are one account all the same
        Rule("entra_object_id+tenant", "entraq", special=_BY_ID, fan_out=_MANY),
        Rule("entra_object_id", "entra", ("entraq",), _BY_ID, contest=("entraq",), fan_out=_MANY),
        # An account that is deleted in the cloud and synchronised again gets another object id there.
        Rule(
            "ad_object_guid=immutable_id",
            "directory",
            ("entra",),
            _BY_ID,
            contest=("entra",),
            contest_at_work=True,
            fan_out=_MANY,
            # the anchor of a migrated account may be its former objectGUID; where each one's is that of the next, none is its own
            few=("objectguid",),
        ),
        Rule(
            "immutable_id",
            "anchor",
            ("entra", "sid"),
            _BY_ID,
            contest=("entra", "sid"),
            contest_at_work=True,
            fan_out=_MANY,
        ),
        # One SID in two domains is that of an account of machines made from one image.
        # The anchor of a migrated account may be its former objectGUID.
        Rule(
            "ad_sid",
            "sid",
            ("entra", "objectguid", "netbios"),
            _BY_ID,
            contest=("entra", "objectguid", "netbios"),
            contest_at_work=True,
            fan_out=_MANY,
        ),
        # A migrated account has a new SID and objectGUID and carries its old SID: neither is a disagreement.
        # What is nobody's former SID was decided by `ad_sid`.
        Rule(
            "sid_history",
            "sids",
            ("entra",),
            ("domain", *_BY_ID),
            contest=("entra",),
            contest_at_work=True,
            fan_out=_MANY,
            owned_as="former",
        ),
        Rule(
            "okta_id",
            "okta",
            ("entra", "objectguid"),
            contest=("entra", "objectguid"),
            contest_at_work=True,
            fan_out=_MANY,
        ),
        Rule("upn", "upn", _STRONG, _BY_NAME, contest=_STRONG, max_distinct=3),
        # An administrator's account carries the mail of the person: another logon name is another account.
        Rule(
            "mail=upn",
            "claimed",
            (*_STRONG, "own_upn", "arn", "netbios", "logon", "marked", "marked_in"),
            _BY_NAME,
            contest=_STRONG,
            max_distinct=3,
            owned_as="upn",
        ),
        # CORP stands for corp.example, but corp.eu.example is not corp.us.example
        Rule(
            "logon_name_in_domain", "nbname", (*_STRONG, "own_upn", "realm"), _BY_NAME, contest=_STRONG, max_distinct=3
        ),
        Rule(
            "logon_name_in_domain=upn",
            "signs_in",
            (*_STRONG, "own_upn", "realm", "logon"),
            _BY_NAME,
            contest=_STRONG,
            max_distinct=3,
        ),
        Rule(
            "mail",
            "address",
            (*_STRONG, "own_upn", "arn", "netbios", "logon", "marked", "marked_in"),
            (*_BY_NAME, "login_other", "main_other", "passed_on"),
            contest=_STRONG,
            contest_at_work=True,
        ),
    ),
    crowded={
        # what one tenant tells of it is one account all the same
        "entra": (),
        "directory": ("objectguid",),
        "anchor": (),
        "sid": ("sids", "sid_domain"),
        "sids": ("former",),
        "okta": (),
    },
    one_by=("entra", "objectguid"),
    fingerprint=("own_upn", "login", "host", "address", "sid"),
    reviewed=("address", "alike", "host"),
    one_sided={"alike": "nbname"},
    long_lists=(
        LongList("mail and sign-in addresses", "len(addresses)"),
        LongList("logon names", "len(logons)"),
        LongList("SIDs", "len(sids)"),
        LongList("ARNs", "len(arns)"),
    ),
    dropped=(
        Dropped("entra", "entra_dropped"),
        Dropped("directory", "directory_dropped", is_list=True),
        Dropped("sid", "sid_dropped", why="it names no single account"),
        Dropped(
            "sids",
            "history_dropped",
            is_list=True,
            why="no domain gives an account a former SID of its own, or one that each domain has",
        ),
        Dropped("okta", "okta_dropped"),
        Dropped("address", "mail_dropped", is_list=True),
        Dropped("address", "role_mails", is_list=True, why="the mailbox of a role, which several people read"),
        Dropped("host", "login_dropped", is_list=True),
        Dropped("employee", "employee_dropped"),
    ),
    review_conflicts=("entra", "directory", "sid", "okta", "type", "nbname", "logon", "marked", "marked_in"),
    rivals={"host": ("nbname", "own_upn", "address"), "address": ("own_upn", "employee"), "alike": ("own_upn",)},
)
