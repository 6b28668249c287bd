"""Write the generated documentation: the README's connector table, a page a connector, the page of tables.

    python docs/generate.py            # writes what changed
    python docs/generate.py --check    # says what would change, exit code 1 when anything would

Everything comes from the connectors' declarations and the models' contracts; a test runs --check.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from graph_page import graph_page
from resolution_page import resolution_page

from connector_assets import registry
from connector_assets.kit.declaration import Connector
from exposure_pipelines.building import project

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- connectors -->", "<!-- end of connectors -->"

EVIDENCE = {
    "recorded": "recorded answers of the real product",
    "documented": "the vendor's documentation",
    "client_code": "clients that ship against the product",
    "unverified": "not verified against the product",
}


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text it should have."""
    connectors = registry.load_all()
    readme = ROOT / "README.md"
    yield readme, with_table(readme.read_text(encoding="utf-8"), connectors)
    for connector in connectors:
        yield ROOT / "docs" / "connectors" / f"{connector.product}.md", connector_page(connector)
    yield ROOT / "docs" / "tables.md", tables_page()
    yield ROOT / "docs" / "graph.md", graph_page()
    yield ROOT / "docs" / "resolution.md", resolution_page()


def with_table(readme: str, connectors: tuple[Connector, ...]) -> str:
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = ["| product | reports | streams | built on |", "|---|---|---|---|"]
    rows += [
        f"| [{c.title}](docs/connectors/{c.product}.md) | {', '.join(c.asset_kinds)} | {len(c.streams)} | {EVIDENCE[c.evidence]} |"
        for c in connectors
    ]
    return before + BEGIN + "\n" + "\n".join(rows) + "\n" + END + after


def connector_page(connector: Connector) -> str:
    lines = [
        f"# {connector.title}",
        "",
        f"`{connector.product}` · {connector.description}",
        "",
        f"Built on {EVIDENCE[connector.evidence]}."
        + (f" Vendor's documentation: <{connector.documentation_url}>" if connector.documentation_url else ""),
        "",
        "```console",
        f"exposure connectors add {connector.product}",
        f"exposure connectors check {connector.product}",
        "```",
        "",
        "## Credentials and permissions",
        "",
        "| credential | what | |",
        "|---|---|---|",
        *(f"| `{c.name}` | {c.description} | {'optional' if c.optional else ''} |" for c in connector.credentials),
        "",
        "| permission | what it gives | |",
        "|---|---|---|",
        *(f"| {p.name} | {p.grants} | {'optional' if p.optional else ''} |" for p in connector.permissions),
        "",
        f"Default address: `{connector.base_url or 'none: every customer has an own one'}`.",
        "",
        "## Streams",
        "",
        "| stream | what | key | built on | |",
        "|---|---|---|---|---|",
    ]
    for stream in connector.streams:
        key = stream.key if isinstance(stream.key, str) else " + ".join(stream.key)
        lines.append(
            f"| `{stream.name}` | {stream.description} | `{key}` | {EVIDENCE[stream.evidence]} | "
            f"{'optional' if stream.optional else ''} |"
        )
    lines += ["", *upkeep(connector)]
    fields = connector.options.model_fields
    if fields:
        lines += ["", "## Options", "", "| option | default | what |", "|---|---|---|"]
        for name, field in fields.items():
            default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
            lines.append(f"| `{name}` | {default} | {field.description or ''} |")
    if connector.troubleshooting:
        lines += ["", "## When it fails", "", "| answer | what to do |", "|---|---|"]
        lines += [f"| {answer} | {text} |" for answer, text in sorted(connector.troubleshooting.items())]
    return "\n".join(lines) + "\n"


GONE = {
    "absence": "it is absent from a complete pull",
    "marked": "the record says so",
    "never": "told by other streams, or by age",
}


def upkeep(connector: Connector) -> list[str]:
    """What the window, deletions and incremental pulls go by."""
    lines = [
        "## Windows, deletions, changes",
        "",
        f"Billed kinds: {', '.join(connector.billable_kinds) or 'none'}. {connector.changes} "
        "Changes alone are only asked for where the connection sets `full_every_hours`.",
        "",
        "| stream | active by | gone when | changes alone |",
        "|---|---|---|---|",
    ]
    for stream in connector.streams:
        active = f"`{stream.activity_field}`" if stream.activity_field else "being listed"
        lines.append(f"| `{stream.name}` | {active} | {GONE[stream.deletes]} | {'yes' if stream.incremental else ''} |")
    return lines


def tables_page() -> str:
    about = "One row an entity and snapshot date. Lists are lists in Parquet and DuckDB, JSON text in SQL."
    lines = ["# The tables", "", about, ""]
    for model in sorted(project().models.values(), key=lambda model: model.name):
        if model.layer != "marts":
            continue
        lines += [f"## {model.name}", "", model.description.strip(), "", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{c.name}` | {c.type} | {' '.join(c.description.split())} |" for c in model.columns]
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when something would change")
    check = parser.parse_args().check
    changed = [(path, text) for path, text in pages() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in changed:
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
