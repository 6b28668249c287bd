"""Stands in for resolution in tests of the marts: devices agree on serial number, every other record is an own asset."""

from __future__ import annotations

from typing import Any

INPUTS = (
    "stg__devices",
    "stg__identities",
    "stg__applications",
    "previous.int_devices_state",
    "previous.int_identities_state",
    "previous.int_applications_state",
)
OUTPUTS = (
    "int_devices_assignments",
    "int_devices_winners",
    "int_devices_links",
    "int_devices_fields",
    "int_devices_state",
    "int_identities_assignments",
    "int_identities_winners",
    "int_identities_links",
    "int_identities_fields",
    "int_identities_state",
    "int_applications_assignments",
    "int_applications_winners",
    "int_applications_links",
    "int_applications_fields",
    "int_applications_state",
)
KEYS = {"devices": "coalesce(serial_number, record)", "identities": "record", "applications": "record"}
PREFIX = "record, product, instance, stream, record_id, scope, observed_at, first_seen, last_seen, state, authority"


def build(con: Any, context: Any) -> dict[str, Any]:
    made = {}
    for kind, key in KEYS.items():
        # a record of a source that only adds to others joins theirs, and waits where there are none
        is_named = f"bool_or(authority = 'create') over (partition by {key})"
        made[f"int_{kind}_assignments"] = con.sql(f"""
            select record, product, instance, stream, record_id,
                case when {is_named} then md5('{kind}:' || {key}) end as asset_id,
                case when {is_named} then 'resolved' else 'held' end as state,
                first_seen, last_seen, state as record_state, sync, page, row_number
            from stg__{kind}""")
        made[f"int_{kind}_state"] = con.sql(f"""
            with told as (
                select record, md5('{kind}:' || {key}) as asset_id, coalesce(first_seen, observed_at) as born
                from stg__{kind}),
            births as (
                select asset_id, min(born) as born from (
                    select asset_id, born from told
                    union all select asset_id, born from previous.int_{kind}_state
                    union all select home_id, home_born from previous.int_{kind}_state)
                group by asset_id)
            select t.record, t.asset_id, b.born, coalesce(p.home_id, t.asset_id) as home_id,
                coalesce(p.home_born, b.born) as home_born
            from told t join births b using (asset_id) left join previous.int_{kind}_state p using (record)
            union all from previous.int_{kind}_state where record not in (select record from told)""")
        columns = [row[0] for row in con.execute(f"describe stg__{kind}").fetchall()]
        values = [c for c in columns if c not in (*PREFIX.split(", "), "sync", "page", "row_number")]
        survivors = ", ".join(
            f"arg_max({c}, observed_at) filter (where state = 'active' and {c} is not null) as {c}" for c in values
        )
        made[f"int_{kind}_winners"] = con.sql(f"""
            select md5('{kind}:' || {key}) as asset_id, {survivors},
                min(first_seen) as first_seen, max(last_seen) as last_seen,
                list_sort(array_agg(distinct product)) as discovery_sources,
                list_sort(array_agg(distinct record)) as source_records
            from stg__{kind} group by {key} having bool_or(authority = 'create')""")
        made[f"int_{kind}_links"] = con.sql("""
            select null::varchar as source_record, null::varchar as target_record, null::varchar as relationship,
                null::varchar as reason where false""")
        told = " union all ".join(
            f"select md5('{kind}:' || {key}) as asset_id, '{column}' as field, cast({column} as varchar) as value, product, "
            f"instance, record_id, observed_at, true as chosen from stg__{kind} where {column} is not null"
            for column in values
            if column in ("criticality", "is_internet_facing")
        )
        made[f"int_{kind}_fields"] = con.sql(told)
    return made
