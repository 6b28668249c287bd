from __future__ import annotations

from pathlib import Path

import pytest

from dbt_like_transforms.engine import ProjectError

from .small import THINGS, contract, project


def test_lineage_goes_through_ctes_unions_stars_and_subqueries(tmp_path: Path) -> None:
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "staging/zeta/stg_zeta__things.sql": "select 'z' as record, 1 as size, ['a'] as tags",
        "marts/m.sql": """
            with a as (select *, size * 2 as twice from stg__things),
            b as (select record, twice from a union all select name, n from other)
            select b.record as key, b.twice, (select max(snapshot_date) from run.context) as d, 1 as one
            from b
        """,
        "marts/other.sql": "select 'x' as name, 1::bigint as n",
        "marts/_m.yml": contract("m", key="VARCHAR", twice="BIGINT", d="DATE", one="INTEGER")
        + contract("other", name="VARCHAR", n="BIGINT").removeprefix("models:\n"),
    }
    loaded = project(tmp_path, files)
    lineage = loaded.lineage("m")
    assert lineage["key"] == (("stg_acme__things", "record"), ("stg_zeta__things", "record"), ("other", "name"))
    assert set(lineage["twice"]) == {("stg_acme__things", "size"), ("stg_zeta__things", "size"), ("other", "n")}
    assert lineage["d"] == (("run.context", "snapshot_date"),)
    assert "one" not in lineage
    assert loaded.lineage("stg_acme__things")["size"] == (("landed.acme__hosts", "n"),)
    assert loaded.lineage("m") is lineage


def test_lineage_of_sql_that_does_not_parse_names_file_and_line(tmp_path: Path) -> None:
    files = {"marts/m.sql": "select x\nfrom run.context where )", "marts/_m.yml": contract("m", x="BIGINT")}
    with pytest.raises(ProjectError, match=r"models/marts/m.sql:2"):
        project(tmp_path, files).lineage("m")
