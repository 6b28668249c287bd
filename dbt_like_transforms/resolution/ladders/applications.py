"""The ladder for applications. A registration and its service principals share an appId and are never one node."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.application_forms import NORM
from dbt_like_transforms.resolution.forms.seeds import few, silent
from dbt_like_transforms.resolution.ladders.ladder import (
    RUNG_DIRECTORY,
    RUNG_HARDWARE,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    SHOWN_ID,
    Dropped,
    Identifier,
    Ladder,
    LongList,
    Rule,
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
    "cpe": "VARCHAR",
    "owner": "VARCHAR",
    "vendor": "VARCHAR",
    "version": "VARCHAR",
    "environment": "VARCHAR",
    "criticality": "INTEGER",
    "properties": "VARCHAR",
}

#: Texts that people write, and write a word for nothing into.
WRITTEN = ("owner", "vendor", "version", "environment")

_OWN, _APP = ("own_guid", "own_other"), ("app_guid", "app_other")
#: More names than one application has.
_MANY = 10
_STRONG = (*_OWN, *_APP, "appq", "cmdb", "type")

LADDER = Ladder(
    kind="application",
    tables={"norm": NORM, "no_words": silent(WRITTEN)},
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
        Identifier("cpe", "product_cpe", "CPE name", "cpe", RUNG_HARDWARE),
        Identifier("reply", few("replies"), "reply URL", "reply_urls", RUNG_NAME, is_list=True),
        # What runs on a machine is there, though others call another product so: no rule joins by it, and nothing waits.
        Identifier("listed", "listed", "name of software", "name", RUNG_HARDWARE),
        Identifier("published", "published", "publisher and name", "name", RUNG_NAME),
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
            fan_out=_MANY,
        ),
        Rule("cmdb_id", "cmdb", (*_OWN, *_APP), contest=(*_OWN, *_APP), contest_at_work=True, fan_out=_MANY),
        Rule("app_id+tenant", "bareq", (*_OWN, "cmdb", "type"), contest=("cmdb",), contest_at_work=True, fan_out=_MANY),
        Rule(
            "app_id",
            "bare",
            (*_OWN, "cmdb", "bareq", "type"),
            contest=("bareq", "cmdb"),
            contest_at_work=True,
            fan_out=_MANY,
        ),
        Rule("entity_id", "entity", _STRONG, ("source_any",), contest=_STRONG, contest_at_work=True),
        # What one product lists twice under one name it tells apart more finely than the name does.
        Rule("cpe", "cpe", (*_STRONG, "entity"), ("source_any",)),
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
        Rule(
            "publisher+name",
            "published",
            (*_STRONG, "entity", "cpe"),
            ("source_any",),
            contest=("cpe",),
            contest_at_work=True,
        ),
    ),
    crowded={
        "own": _OWN,
        "cmdb": (),
        "bareq": (),
        "bare": ("app", *_APP, "appq", "bareq"),
        "entity": (),
    },
    fingerprint=("host", "entity"),
    reviewed=("host",),
    dropped=(
        Dropped("own", "own_dropped", is_list=True),
        Dropped("app", "app_dropped"),
        Dropped("cmdb", "cmdb_dropped"),
        Dropped("entity", "entity_dropped"),
        Dropped("host", "title_dropped"),
    ),
    not_alone=("reply",),
    long_lists=(LongList("reply URLs", "len(replies)"),),
    review_conflicts=(*_OWN, "cmdb", "type", "cpe", "title"),
)
