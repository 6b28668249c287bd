"""Normal forms of the identifiers of applications, as SQL of the table that the ladder reads: see `Ladder.tables`."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.derived import Derived

NORM = Derived(
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
        # Vendor and product of cpe:/a:vendor:product:version or cpe:2.3:a:vendor:product:*, which may write signs as %2b or
        # \+, or of vendor:product alone. What is no text once decoded (%e9) stays as it is written.
        "_cpe_bare": "regexp_replace(n_lower(cpe), '^cpe:(?:/|2[.]3:)[aoh]:', '')",
        "_cpe_parts": r"string_split(regexp_replace(replace(_cpe_bare, '\:', '%3a'), '\\(.)', '\1', 'g'), ':')",
        "_cpe_product": "_cpe_parts[1] || ':' || _cpe_parts[2]",
        "product_cpe": "CASE WHEN NOT (coalesce(_cpe_parts[1], '') IN ('', '*', '-') "
        "OR coalesce(_cpe_parts[2], '') IN ('', '*', '-')) "
        "THEN replace(coalesce(TRY(url_decode(_cpe_product)), _cpe_product), ' ', '_') END",
        # Software is what its publisher calls by that name.
        "_vendor_l": "n_lower(vendor)",
        "_vendor_word": "CASE WHEN NOT seeded_manufacturer(_vendor_l) THEN l_maker_word(_vendor_l) END",
        "listed": "CASE WHEN type = 'software' THEN title_good END",
        "published": "w_maker(_vendor_word) || ' ' || listed",
    },
    lists=frozenset({"own_dropped", "_replies_l", "replies"}),
    untold={"role": "''"},
)
