from __future__ import annotations

from pathlib import Path

import pytest

from dbt_like_transforms import MODELS_DIR
from dbt_like_transforms.engine.lineage import parse_text, referenced_relations
from dbt_like_transforms.engine.references import NotOneSelect, scan

SQL_MODELS = sorted(MODELS_DIR.rglob("*.sql"))
TRICKY = [
    "select extract(year from seen) from t",
    "select a is not distinct from b from t join u on t.x is distinct from u.x",
    "select trim(both 'x' from name) from t, u as v, landed.acme__hosts w",
    "with recursive a(n) as (select 1 union all select n + 1 from a), b as (select * from t) select * from a, b",
    "select * from (t join u using (id)) left join (select * from v where x in (select y from w)) as s on true",
    "select 'from nothing' as x, \"from\" -- from nowhere\nfrom t /* join never */ order by x, y",
    "select * from t, unnest(t.list) as u(x), lateral (select * from v) as l, range(5) r",
    "select x, row_number() over (partition by a order by b) from t group by x, y having x > 1 qualify true limit 3",
    "select * from t union all select * from u except select * from v",
    "(select * from t) union all (select * from u)",
    "with a as materialized (select * from t) select (select max(x) from u), list_filter(l, lambda e: e > 1) from a",
    "select t.values, t.limit from t join u on t.values = u.limit join v on true",
    "select count(*) filter (where x > 1), {'a': 1, 'from': y} from t tablesample reservoir(20)",
    'select * exclude (a, b) from previous.devices p anti join "Mixed" m on m.a = p.a',
    "select x from t where exists (select 1 from u where u.x = t.x) and y in (select z from v, w)",
    "select case when a then b end, interval 1 day, x::varchar[] from t cross join run.context",
    "from t select x",
]


@pytest.mark.parametrize("sql", TRICKY)
def test_the_fast_scan_finds_what_the_full_parser_finds(sql: str) -> None:
    assert {reference.name for reference in scan(sql)} == referenced_relations(parse_text(sql))


@pytest.mark.parametrize("file", SQL_MODELS, ids=lambda file: file.stem)
def test_the_fast_scan_agrees_with_the_full_parser_on_every_model(file: Path) -> None:
    sql = file.read_text(encoding="utf-8")
    assert {reference.name for reference in scan(sql)} == referenced_relations(parse_text(sql))


def test_references_carry_the_line_of_their_name() -> None:
    assert [(r.name, r.line) for r in scan("-- one\nselect 1\nfrom a\njoin landed.\n  b on true")] == [
        ("a", 3),
        ("landed.b", 4),
    ]


@pytest.mark.parametrize(
    "sql", ["", "  -- nothing\n", "copy t to 'x'", "select 1; select 2", "create table t as select 1"]
)
def test_only_one_select_is_a_model(sql: str) -> None:
    with pytest.raises(NotOneSelect):
        scan(sql)
