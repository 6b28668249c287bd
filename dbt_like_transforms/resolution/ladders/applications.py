"""The ladder for applications. A registration and its service principals share an appId and are never one node."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.derived import Derived
from dbt_like_transforms.resolution.ladders.ladder import (
    RUNG_DIRECTORY,
    RUNG_HARDWARE,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    SHOWN_ID,
    Dropped,
    Identifier,
    Ladder,
    Rule,
    few,
    silent,
)

COLUMNS: dict[str, str] = {
    "application_type": "VARCHAR",
    "app_id": "VARCHAR",
    "tenant_id": "VARCHAR",
    "object_id": "VARCHAR",
    "service_principal_id": "VARCHAR",
    "entity_id": "VARCHAR",
    "reply_urls": "VARCHAR[]",
    "name": "VARCHAR",
    "cmdb_id": "VARCHAR",
    "owner": "VARCHAR",
    "vendor": "VARCHAR",
    "version": "VARCHAR",
    "environment": "VARCHAR",
    "criticality": "INTEGER",
    "properties": "VARCHAR",
}

#: Texts that people write, and write a word for nothing into.
WRITTEN = ("owner", "vendor", "version", "environment")

_NORM = Derived(
    "_observed",
    always=("product",),
    columns={
        "type": "n_lower(application_type)",
        "_cmdb_l": "n_lower(cmdb_id)",
        # A number that counts entries is one of its own product's.
        "cmdb": "CASE WHEN NOT seeded_record_id(_cmdb_l) THEN CASE WHEN regexp_matches(_cmdb_l, '^[0-9]{1,9}$') "
        "THEN _cmdb_l || ' of ' || lower(product) ELSE l_object_key(_cmdb_l) END END",
        "cmdb_dropped": "CASE WHEN cmdb IS NULL THEN _cmdb_l END",
        "_tenant_l": "n_lower(tenant_id)",
        # Microsoft's sign-in writes a word where it asks whatever tenant the person is of.
        "tenant": "CASE WHEN NOT (seeded_record_id(_tenant_l) OR _tenant_l IN ('common', 'organizations', 'consumers')) "
        "THEN l_object_key(_tenant_l) END",
        "_app_l": "n_lower(app_id)",
        "app": "CASE WHEN NOT seeded_record_id(_app_l) THEN l_object_key(_app_l) END",
        "app_dropped": "CASE WHEN app IS NULL THEN _app_l END",
        # Ids of Okta and GUIDs are of two directories and cannot disagree.
        "app_guid": "CASE WHEN regexp_matches(app, '^[0-9a-f]{32}$') THEN app END",
        "app_other": "CASE WHEN NOT regexp_matches(app, '^[0-9a-f]{32}$') THEN app END",
        "_principal_l": "n_lower(service_principal_id)",
        "principal": "CASE WHEN NOT seeded_record_id(_principal_l) THEN l_object_key(_principal_l) END",
        "_object_l": "n_lower(object_id)",
        "object": "CASE WHEN NOT seeded_record_id(_object_l) THEN l_object_key(_object_l) END",
        "own": "coalesce(principal, object)",
        "own_guid": "CASE WHEN regexp_matches(own, '^[0-9a-f]{32}$') THEN own END",
        "own_other": "CASE WHEN NOT regexp_matches(own, '^[0-9a-f]{32}$') THEN own END",
        "own_dropped": "[CASE WHEN object IS NULL THEN _object_l END, CASE WHEN principal IS NULL THEN _principal_l END]",
        "role": "CASE WHEN principal IS NOT NULL THEN 'principal' WHEN object IS NOT NULL THEN 'registration' ELSE '' END",
        # Only what does not say which object it is may be found by appId; the client id of an Okta application is that of the
        # object itself.
        "bare_app": "CASE WHEN principal IS NULL AND (object IS NULL OR object = app) THEN app END",
        "_entity_l": "n_lower(entity_id)",
        "_entity": "l_url(_entity_l)",
        "_entity_bad": "seeded_entity_id(_entity)",
        "entity": "CASE WHEN NOT _entity_bad THEN _entity END",
        "entity_dropped": "CASE WHEN _entity_bad THEN _entity END",
        "_replies_l": "list_transform(reply_urls, lambda u: n_lower(u))",
        "replies": "list_filter(list_transform(_replies_l, lambda u: l_url(u)), "
        "lambda u: u IS NOT NULL AND NOT seeded_reply_url(u))",
        "title": r"regexp_replace(n_lower(name), '\s+', ' ', 'g')",
        "_title_bad": "seeded_app_name(title)",
        "title_good": "CASE WHEN NOT _title_bad THEN title END",
        "title_dropped": "CASE WHEN _title_bad THEN title END",
    },
    lists=frozenset({"own_dropped", "_replies_l", "replies"}),
    untold={"role": "''"},
)

_OWN, _APP = ("own_guid", "own_other"), ("app_guid", "app_other")
_STRONG = (*_OWN, *_APP, "appq", "cmdb", "type")

LADDER = Ladder(
    kind="application",
    tables={"norm": _NORM, "no_words": silent(WRITTEN)},
    identifiers=(
        Identifier("own", "own", "object id", "object_id", RUNG_DIRECTORY, shown=SHOWN_ID),
        Identifier("cmdb", "cmdb", "CMDB id", "cmdb_id", RUNG_DIRECTORY, scoped=True),
        Identifier("app", "app", "application id", "app_id", RUNG_DIRECTORY, shown=SHOWN_ID),
        Identifier("bare", "bare_app", "application id", "app_id", shown=SHOWN_ID),
        Identifier("bareq", "bare_app || ' in ' || tenant", "application id in its tenant", "app_id", shown=SHOWN_ID),
        *(Identifier(name, name, "object id", "object_id", shown=SHOWN_ID) for name in _OWN),
        *(Identifier(name, name, "application id", "app_id", shown=SHOWN_ID) for name in _APP),
        # A tenant has several domains: the name of one may be that of any.
        Identifier(
            "appq",
            "CASE WHEN NOT contains(tenant, '.') THEN app_guid || ' in ' || tenant END",
            "application id in its tenant",
            "app_id",
            shown=SHOWN_ID,
        ),
        Identifier("type", "type", "type of application", "application_type"),
        Identifier("entity", "entity", "SAML entity id", "entity_id", RUNG_HARDWARE),
        Identifier("reply", few("replies"), "reply URL", "reply_urls", RUNG_NAME, is_list=True),
        Identifier("host", "title_good", "name", "name", RUNG_SHORT_NAME, scoped=True),
        # the same, which tells apart what only a reply URL has in common
        Identifier("title", "title_good", "name", "name", scoped=True),
    ),
    rules=(
        Rule(
            "object_id",
            "own",
            (*_APP, "appq", "cmdb"),
            contest=(*_APP, "appq", "cmdb"),
            contest_at_work=True,
        ),
        Rule("cmdb_id", "cmdb", (*_OWN, *_APP), contest=(*_OWN, *_APP), contest_at_work=True),
        Rule("app_id+tenant", "bareq", (*_OWN, "cmdb", "type"), contest=("cmdb",), contest_at_work=True),
        Rule("app_id", "bare", (*_OWN, "cmdb", "bareq", "type"), contest=("bareq", "cmdb"), contest_at_work=True),
        Rule("entity_id", "entity", _STRONG, ("source_any",), contest=_STRONG, contest_at_work=True),
        # An application that was registered again has another id, its old entry is retired.
        Rule(
            "reply_url",
            "reply",
            (*_STRONG, "entity"),
            ("source_any",),
            contest=_STRONG,
            contest_at_work=True,
            with_agreement=("host",),
        ),
    ),
    reviewed=("host",),
    dropped=(
        Dropped("own", "own_dropped", is_list=True),
        Dropped("app", "app_dropped"),
        Dropped("cmdb", "cmdb_dropped"),
        Dropped("entity", "entity_dropped"),
        Dropped("host", "title_dropped"),
    ),
    not_alone=("reply",),
    review_conflicts=(*_OWN, "cmdb", "type", "title"),
)
