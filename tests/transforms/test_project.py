from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dbt_like_transforms.engine import ProjectError

from .small import THINGS, contract, project


def test_a_new_products_staging_file_joins_its_union_without_touching_any_list(tmp_path: Path) -> None:
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "marts/sizes.sql": "select sum(size)::bigint as total from stg__things",
        "marts/_marts.yml": contract("sizes", total="BIGINT"),
    }
    assert project(tmp_path, files).model("sizes").depends_on == ("stg_acme__things",)
    files["staging/zeta/stg_zeta__things_extra.sql"] = "select 'z' as record, 1 as size, ['a'] as tags"
    loaded = project(tmp_path, files)
    assert loaded.model("sizes").depends_on == ("stg_acme__things", "stg_zeta__things_extra")
    assert loaded.model("stg_zeta__things_extra").observation == "things"
    assert list(loaded.models)[-1] == "sizes"


def test_a_union_that_no_product_feeds_still_has_its_columns(tmp_path: Path) -> None:
    loaded = project(
        tmp_path, {"marts/a.sql": "select record from stg__things", "marts/_m.yml": contract("a", record="VARCHAR")}
    )
    assert loaded.unions == {"stg__things": ()}
    assert [c.name for c in loaded.columns_of("stg__things")] == ["record", "size", "tags"]


def test_models_that_read_each_other_are_named_with_file_and_line(tmp_path: Path) -> None:
    files = {
        "marts/a.sql": "select x\nfrom b",
        "marts/b.sql": "select x from c",
        "marts/c.sql": "-- why\n\nselect x from a",
        "marts/_m.yml": contract("a", x="BIGINT") + contract("b", x="BIGINT").removeprefix("models:\n"),
        "marts/_n.yml": contract("c", x="BIGINT"),
    }
    with pytest.raises(ProjectError) as raised:
        project(tmp_path, files)
    message = str(raised.value)
    for step in (
        "a (models/marts/a.sql:2) reads b",
        "b (models/marts/b.sql:1) reads c",
        "c (models/marts/c.sql:3) reads a",
    ):
        assert step in message


def test_an_unknown_reference_names_file_line_and_the_nearest_model(tmp_path: Path) -> None:
    files = {
        "marts/devices.sql": "select 1 as x",
        "marts/other.sql": "select x\nfrom device",
        "marts/_m.yml": contract("devices", x="INTEGER") + contract("other", x="INTEGER").removeprefix("models:\n"),
    }
    with pytest.raises(ProjectError, match=r"models/marts/other.sql:2: device is no model; did you mean devices\?"):
        project(tmp_path, files)


@pytest.mark.parametrize(
    ("path", "sql", "message"),
    [
        (
            "staging/acme/stg_acme__things.sql",
            "select 1 from landed.acme__host",
            "landed.acme__host is unknown; did you",
        ),
        ("staging/zeta/stg_zeta__things.sql", "select 1 from landed.acme__hosts", "reads its own product only"),
        ("staging/acme/stg_acme__things.sql", "select 1 from stg__things", "staging reads one product"),
        ("staging/acme/stg_other__things.sql", "select 1", "must start with stg_acme__"),
        ("staging/stg_acme__things.sql", "select 1", "stand directly in staging/<product>/"),
        ("marts/x.sql", "select 1 from landed.acme__hosts", "only staging reads landed.acme__hosts"),
        ("marts/x.sql", "select 1 from previous.nothing", "there is no model nothing"),
        ("marts/x.sql", "select 1 from secret.nothing", "secret.nothing is unknown; schemas are"),
        ("marts/x.sql", "delete from y", "a model is one SELECT"),
        ("marts/x.sql", "select 1; select 2", "several statements"),
        ("marts/X.sql", "select 1", "lower-case words"),
        ("marts/stg_x.sql", "select 1", "belongs in staging"),
        ("staging/acme/stg_acme__thing.sql", "select 1", "name it after a kind of observation"),
        (
            "marts/x.py",
            "OUTPUTS = tuple(['x'])\nINPUTS = ('y',)\ndef build(con, context): ...",
            "x.py:1: OUTPUTS must be",
        ),
        ("marts/x.py", "OUTPUTS = ('x',)\ndef build(con, context): ...", "needs a literal INPUTS"),
        ("marts/x.py", "OUTPUTS = INPUTS = ('x',)", "def build"),
    ],
)
def test_what_a_model_must_not_do_is_refused_with_its_place(tmp_path: Path, path: str, sql: str, message: str) -> None:
    name, folder = Path(path).stem, Path(path).parent
    described = {} if folder.parts[0] == "staging" else {f"{folder}/_x.yml": contract(name, a="INTEGER")}
    with pytest.raises(ProjectError) as raised:
        project(tmp_path, {path: sql, **described})
    assert message in str(raised.value)
    assert Path(path).name in str(raised.value)


def test_intermediate_must_not_read_marts(tmp_path: Path) -> None:
    files = {
        "marts/m.sql": "select 1 as x",
        "intermediate/i.sql": "select x from m",
        "marts/_m.yml": contract("m", x="INTEGER"),
        "intermediate/_i.yml": contract("i", x="INTEGER"),
    }
    with pytest.raises(ProjectError, match=r"i.sql:1: intermediate must not read m, which is in marts"):
        project(tmp_path, files)


def test_a_python_models_outputs_are_models_with_one_file(tmp_path: Path) -> None:
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "intermediate/both.py": (
            "import nothing_that_is_installed\n"
            "INPUTS = ('stg__things', 'previous.last', 'run.context')\nOUTPUTS: tuple[str, ...] = ('one', 'two')\n"
            "def build(con, context): return {}\n"
        ),
        "intermediate/_i.yml": contract("one", x="BIGINT") + contract("two", x="BIGINT").removeprefix("models:\n"),
        "marts/last.sql": "select x from two",
        "marts/_m.yml": contract("last", x="BIGINT"),
    }
    loaded = project(tmp_path, files)
    one = loaded.model("one")
    assert (one.language, one.group, one.previous, one.sources) == ("python", "both", ("last",), ("run.context",))
    assert loaded.siblings("two") == ("one", "two")
    assert loaded.upstream(["last"]) == {"two", "stg_acme__things"}
    assert loaded.downstream(["stg_acme__things"]) == {"one", "two", "last"}


def test_the_code_version_follows_sql_and_types_only(tmp_path: Path) -> None:
    files = {"marts/a.sql": "select 1 as x", "marts/_m.yml": contract("a", x="INTEGER")}
    before = project(tmp_path, files).model("a").code_version
    files["marts/_m.yml"] = contract("a", x="INTEGER").replace("description: a", "description: said better")
    assert project(tmp_path, files).model("a").code_version == before
    files["marts/_m.yml"] = contract("a", x="BIGINT")
    with_other_type = project(tmp_path, files).model("a").code_version
    files["marts/a.sql"] = "select 2 as x"
    assert len({before, with_other_type, project(tmp_path, files).model("a").code_version}) == 3


def test_a_staging_model_has_the_columns_of_its_kind_and_may_only_add_words_and_tests(tmp_path: Path) -> None:
    yml = """
models:
  - name: stg_acme__things
    description: Hosts.
    columns:
      - {name: size, description: In metres., data_tests: [not_null]}
"""
    files = {"staging/acme/stg_acme__things.sql": THINGS, "staging/acme/_acme.yml": yml}
    model = project(tmp_path, files).model("stg_acme__things")
    assert [c.name for c in model.columns] == ["record", "size", "tags"]
    assert model.column("size").description == "In metres."
    assert [test.name for test in model.tests] == ["not_null_record", "unique_record", "not_null_size"]
    for wrong, message in (
        ("colour", "'colour' is none of them"),
        ("size, data_type: DOUBLE", "is BIGINT in every model"),
    ):
        files["staging/acme/_acme.yml"] = yml.replace("name: size", f"name: {wrong}")
        with pytest.raises(ProjectError, match=message):
            project(tmp_path, files)


def test_yaml_mistakes_are_all_told_with_their_lines(tmp_path: Path) -> None:
    yml = """models:
  - name: a
    columns:
      - name: x
        data_type: BIGINT
        bogus: 1
        data_tests: [unik]
    data_tests:
      - accepted_values: {values: [1]}
"""
    with pytest.raises(ProjectError) as raised:
        project(tmp_path, {"marts/a.sql": "select 1 as x", "marts/_m.yml": yml})
    message = str(raised.value)
    assert "models/marts/_m.yml:6" in message
    assert "models/marts/_m.yml:7" in message
    with pytest.raises(ProjectError, match=r"_m.yml:\d+ is not valid YAML"):
        project(tmp_path, {"marts/_m.yml": "models: [\n"})
    with pytest.raises(ProjectError, match="describes aa, which no file makes; did you mean a"):
        project(tmp_path, {"marts/_m.yml": contract("aa", x="BIGINT")})


def test_a_relationships_test_orders_the_models_it_looks_into(tmp_path: Path) -> None:
    yml = """
models:
  - name: a
    description: a
    columns:
      - {name: x, data_type: INTEGER, data_tests: [{relationships: {to: z, field: x}}]}
  - name: z
    description: z
    columns:
      - {name: x, data_type: INTEGER}
"""
    files = {"marts/a.sql": "select 1 as x", "marts/z.sql": "select 1 as x", "marts/_m.yml": yml}
    loaded = project(tmp_path, files)
    assert list(loaded.models) == ["z", "a"]
    assert loaded.model("a").depends_on == ()


def test_importing_the_engine_loads_neither_duckdb_nor_the_parser() -> None:
    code = (
        "import sys, dbt_like_transforms.engine\n"
        "print([m for m in ('duckdb', 'pandas', 'pyarrow', 'sqlglot', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
