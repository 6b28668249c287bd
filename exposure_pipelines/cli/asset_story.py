"""Everything known about one asset: its records down to the landed page, the decisions, the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from exposure_pipelines.errors import ConfigurationError, WorkFailed

if TYPE_CHECKING:
    import duckdb

    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake

AssetKind = Literal["device", "identity", "application", "cloud_resource"]
RESOLUTION = ("asset_records", "asset_fields", "resolution_decisions", "resolution_changes")
#: Reasons told about a record that makes no asset.
REASONS_SHOWN = 10
NOTHING_TOLD = "nothing that it tells identifies anything, or its source only adds to what others know"
TABLES = {
    "device": ("devices", "device_id"),
    "identity": ("identities", "identity_id"),
    "application": ("applications", "application_id"),
    "cloud_resource": ("cloud_resources", "resource_id"),
}
#: Columns whose text a person may give instead of an id.
NAMES = {
    "device": ("display_name", "fqdn"),
    "identity": ("display_name", "upn", "email"),
    "application": ("display_name",),
    "cloud_resource": ("display_name", "native_id"),
}
#: Assets named when a name is that of several.
SEVERAL_SHOWN = 20


def asset_story(home: Home, kind: AssetKind, asset: str, date: str | None) -> dict[str, Any]:
    """The asset of an id, of one that was merged into it, of a source record, or of a name. Raises WorkFailed when the
    snapshot holds none of them, and says why where it is a record that makes no asset."""
    from exposure_pipelines.cli import asset_exposure
    from exposure_pipelines.cli.field_reasons import with_reasons
    from exposure_pipelines.frames import mart_path
    from exposure_pipelines.lake import Lake, duckdb_connection

    table, key = TABLES[kind]
    lake = Lake.of(home)
    with duckdb_connection(home, lake) as database:
        for name in (table, *RESOLUTION, *asset_exposure.MARTS):
            path = mart_path(home, name, date).replace("'", "''")
            database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}', hive_partitioning = false)")
        show_contradictions(database, home, date)
        asset_id = find_asset(database, kind, table, key, asset)
        head = rows(database, f"SELECT display_name, lifecycle_state FROM {table} WHERE {key} = $id", {"id": asset_id})[
            0
        ]
        records = rows(
            database,
            "SELECT * FROM asset_records WHERE asset_kind = $kind AND asset_id = $id ORDER BY product, instance, record_id",
            {"kind": kind, "id": asset_id},
        )
        for record in records:
            record["landed"] = landed_place(lake, record)
        names = [f"{r['product']}:{r['instance']}:{r['record_id']}" for r in records]
        return {
            "kind": kind,
            "asset_id": asset_id,
            "ids_before": [
                name
                for (name,) in database.execute(
                    "SELECT asset_before FROM resolution_changes "
                    "WHERE asset_kind = $kind AND change = 'alias' AND asset_after = $id ORDER BY ALL",
                    {"kind": kind, "id": asset_id},
                ).fetchall()
            ],
            **head,
            "records": records,
            "decisions": rows(
                database,
                "SELECT * FROM resolution_decisions WHERE asset_kind = $kind "
                "AND (list_contains($names, record) OR list_contains($names, other_record)) ORDER BY ALL",
                {"kind": kind, "names": names},
            ),
            "contradictions": rows(
                database,
                "SELECT * FROM contradictions WHERE asset_kind = $kind AND asset_id = $id ORDER BY record",
                {"kind": kind, "id": asset_id},
            ),
            # of a cloud resource the newest record that tells a value gives it
            "fields": []
            if kind == "cloud_resource"
            else with_reasons(
                kind,
                rows(
                    database,
                    "SELECT * FROM asset_fields WHERE asset_kind = $kind AND asset_id = $id "
                    "ORDER BY field, chosen DESC, product, record_id, value",
                    {"kind": kind, "id": asset_id},
                ),
                records,
            ),
            "exposure": asset_exposure.asset_exposure(database, home, asset_id),
        }


def show_contradictions(database: duckdb.DuckDBPyConnection, home: Home, date: str | None) -> None:
    """Makes the view `contradictions`; snapshots that were built before there was such a table have none."""
    from exposure_pipelines.frames import mart_path

    try:
        path = mart_path(home, "contradictions", date).replace("'", "''")
        relation = f"read_parquet('{path}', hive_partitioning = false)"
    except WorkFailed:
        relation = "(SELECT NULL AS asset_kind, NULL AS asset_id, NULL AS record) WHERE false"
    database.execute(f"CREATE VIEW contradictions AS SELECT * FROM {relation}")


def landed_place(lake: Lake, record: Mapping[str, Any]) -> str:
    """Where a source record lies, and, where a later sync carried it over, which one got it from the vendor."""
    from exposure_pipelines.landing.trace import landed_page, origin_of

    sync, row = record["sync"], record["row_number"]
    place = f"{record['instance']}/{record['stream']}/{sync} page {record['page']} row {row}"
    if row is None:
        return place
    try:
        origin = origin_of(landed_page(lake, record["instance"], record["stream"], sync, row))
    except ConfigurationError:
        return f"{place} (removed by retention)"
    return f"{place} (carried over; got by {origin.sync} page {origin.page})" if origin else place


def find_asset(database: duckdb.DuckDBPyConnection, kind: str, table: str, key: str, wanted: str) -> str:
    """The asset of an id, of a source record, of an id that was merged away, or of a name that one asset alone has.

    Raises ConfigurationError where several are meant, WorkFailed where none is.
    """
    named = " OR ".join(f"lower({column}) = lower($wanted)" for column in NAMES[kind])
    record = "SELECT DISTINCT asset_id FROM asset_records WHERE asset_kind = $kind AND"
    for query in (
        f"SELECT {key} FROM {table} WHERE {key} = $wanted",
        f"{record} concat_ws(':', product, instance, record_id) = $wanted",
        "SELECT asset_after FROM resolution_changes "
        "WHERE asset_kind = $kind AND change = 'alias' AND asset_before = $wanted",
        f"{record} record_id = $wanted",
        f"SELECT {key} FROM {table} WHERE {named}",
    ):
        given = {"kind": kind, "wanted": wanted}
        parameters = {name: value for name, value in given.items() if f"${name}" in query}
        found = [str(asset) for (asset,) in database.execute(query, parameters).fetchall()]
        if len(found) > 1:
            raise ConfigurationError(several(database, kind, table, key, wanted, found))
        if found:
            return found[0]
    raise WorkFailed(
        held_back(database, kind, wanted)
        or f"No {kind.replace('_', ' ')} has the id, source record or name {wanted!r}; `exposure export {table}` lists them."
    )


def several(database: duckdb.DuckDBPyConnection, kind: str, table: str, key: str, wanted: str, found: list[str]) -> str:
    """Which assets a name or a bare record id may mean, each with its name and its records."""
    told = database.execute(
        f"SELECT {key}, any_value(display_name), "
        "array_to_string(list_sort(list(DISTINCT concat_ws(':', product, instance, record_id))), ', ') "
        f"FROM {table} LEFT JOIN asset_records ON asset_kind = $kind AND asset_id = {key} "
        f"WHERE list_contains($found, {key}) GROUP BY ALL ORDER BY ALL",
        {"kind": kind, "found": found},
    ).fetchall()
    lines = [f"  {asset}  {name or 'without a name'}: {records}" for asset, name, records in told[:SEVERAL_SHOWN]]
    more = [f"  and {len(told) - SEVERAL_SHOWN} more"] if len(told) > SEVERAL_SHOWN else []
    plural = table.replace("_", " ")
    return "\n".join([f"{wanted!r} may be each of {len(found)} {plural}; give the id of one:", *lines, *more])


def held_back(database: duckdb.DuckDBPyConnection, kind: str, record: str) -> str:
    """What to say of a record that waits, '' when it does not."""
    waits = "SELECT 1 FROM resolution_changes WHERE asset_kind = $kind AND change = 'held' AND record = $record"
    if database.execute(waits, {"kind": kind, "record": record}).fetchone() is None:
        return ""
    told = database.execute(
        "SELECT DISTINCT record || ': ' || sentence FROM resolution_decisions WHERE asset_kind = $kind "
        "AND (record = $record OR other_record = $record) AND verdict <> 'joined' ORDER BY ALL LIMIT $limit",
        {"kind": kind, "record": record, "limit": REASONS_SHOWN},
    ).fetchall()
    reasons = [f"  {sentence}" for (sentence,) in told] or [f"  {NOTHING_TOLD}"]
    return "\n".join([f"{record} makes no {kind.replace('_', ' ')} of its own and belongs to none for sure:", *reasons])


def rows(database: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = database.execute(query, parameters)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
