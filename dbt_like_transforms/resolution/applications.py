"""The ladder for applications. A registration and its service principals share an appId and are never one node."""

from __future__ import annotations

from dbt_like_transforms.resolution.ladder import (
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

# Each step gives columns to the next, because a macro copies its argument; see `normalise`.
_NORM = r"""
WITH lowered AS (
    SELECT idx, room, lower(product) AS product, n_lower(application_type) AS type, n_lower(app_id) AS app_l,
        n_lower(tenant_id) AS tenant_l, n_lower(service_principal_id) AS principal_l, n_lower(object_id) AS object_l,
        n_lower(cmdb_id) AS cmdb_l, n_lower(entity_id) AS entity_l,
        list_transform(reply_urls, lambda u: n_lower(u)) AS reply_l,
        regexp_replace(n_lower(name), '\s+', ' ', 'g') AS title
    FROM _observed
), formed AS (
    SELECT idx, room, type, title,
        -- A number that counts entries is one of its own product's.
        CASE WHEN NOT seeded_record_id(cmdb_l) THEN CASE WHEN regexp_matches(cmdb_l, '^[0-9]{1,9}$')
            THEN cmdb_l || ' of ' || product ELSE l_object_key(cmdb_l) END END AS cmdb,
        CASE WHEN NOT seeded_record_id(app_l) THEN l_object_key(app_l) END AS app, app_l, object_l, principal_l, cmdb_l,
        -- Microsoft's sign-in writes a word where it asks whatever tenant the person is of.
        CASE WHEN NOT (seeded_record_id(tenant_l) OR tenant_l IN ('common', 'organizations', 'consumers'))
            THEN l_object_key(tenant_l) END AS tenant,
        CASE WHEN NOT seeded_record_id(principal_l) THEN l_object_key(principal_l) END AS principal,
        CASE WHEN NOT seeded_record_id(object_l) THEN l_object_key(object_l) END AS object, l_url(entity_l) AS entity_text,
        list_filter(list_transform(reply_l, lambda u: l_url(u)),
            lambda u: u IS NOT NULL AND NOT seeded_reply_url(u)) AS replies
    FROM lowered
), judged AS (
    SELECT *, seeded_entity_id(entity_text) AS entity_bad, seeded_app_name(title) AS title_bad FROM formed
)
SELECT * EXCLUDE (entity_text, entity_bad, title_bad, app_l, object_l, principal_l, cmdb_l),
    CASE WHEN app IS NULL THEN app_l END AS app_dropped, CASE WHEN cmdb IS NULL THEN cmdb_l END AS cmdb_dropped,
    [CASE WHEN object IS NULL THEN object_l END, CASE WHEN principal IS NULL THEN principal_l END] AS own_dropped,
    CASE WHEN NOT entity_bad THEN entity_text END AS entity,
    CASE WHEN entity_bad THEN entity_text END AS entity_dropped,
    coalesce(principal, object) AS own,
    -- Ids of Okta and GUIDs are of two directories and cannot disagree.
    CASE WHEN regexp_matches(own, '^[0-9a-f]{32}$') THEN own END AS own_guid,
    CASE WHEN NOT regexp_matches(own, '^[0-9a-f]{32}$') THEN own END AS own_other,
    CASE WHEN regexp_matches(app, '^[0-9a-f]{32}$') THEN app END AS app_guid,
    CASE WHEN NOT regexp_matches(app, '^[0-9a-f]{32}$') THEN app END AS app_other,
    CASE WHEN principal IS NOT NULL THEN 'principal' WHEN object IS NOT NULL THEN 'registration' ELSE '' END AS role,
    -- Only what does not say which object it is may be found by appId; the client id of an Okta application is that of the
    -- object itself.
    CASE WHEN principal IS NULL AND (object IS NULL OR object = app) THEN app END AS bare_app,
    CASE WHEN NOT title_bad THEN title END AS title_good,
    CASE WHEN title_bad THEN title END AS title_dropped
FROM judged
"""

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
