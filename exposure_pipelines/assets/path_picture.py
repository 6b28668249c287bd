"""The worst attack path as a small picture that Markdown can hold."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

BOX, GAP, HEIGHT = 190, 130, 92
#: Characters that fit into a box, and onto an arrow.
NAME, LABEL = 24, 20
FILLS = {"identity": "#dff5ea", "cloud_resource": "#faf0c8", "application": "#efdcfa", "device": "#dceafc"}


def top_path_markdown(paths: str, database: duckdb.DuckDBPyConnection) -> str | None:
    """Markdown with a picture of the path of highest risk in a Parquet file of attack_paths, and the path in words.

    Reads exposure_graph_nodes and exposure_graph_edges of the connection. None where there is no path.
    """
    source = "read_parquet('" + paths.replace("'", "''") + "', hive_partitioning = false)"
    rows = database.execute(
        f"SELECT node_ids, edge_ids, scenario, risk_score, risk_level, explanation FROM {source} "
        "ORDER BY risk_score DESC, length, path_id LIMIT 1"
    ).fetchall()
    if not rows:
        return None
    nodes, edges, scenario, score, level, words = rows[0]
    named = database.execute(
        "SELECT NodeId, NodeName, asset_kind FROM exposure_graph_nodes WHERE NodeId IN (SELECT unnest(?::VARCHAR[]))",
        [nodes],
    ).fetchall()
    labelled = database.execute(
        "SELECT EdgeId, EdgeLabel FROM exposure_graph_edges WHERE EdgeId IN (SELECT unnest(?::VARCHAR[]))", [edges]
    ).fetchall()
    known, labels = {row[0]: (row[1], row[2]) for row in named}, dict(labelled)
    drawn = svg([known[node] for node in nodes], [labels[edge] for edge in edges])
    return (
        f"**{text(scenario)}**, risk {score:g} ({level})\n\n"
        f"![the path](data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()})\n\n{text(words)}"
    )


def svg(boxes: Sequence[tuple[str, str]], arrows: Sequence[str]) -> str:
    """Boxes (name, kind) in a row, an arrow with its label between each two."""
    width = len(boxes) * BOX + len(arrows) * GAP + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" font-family="sans-serif" font-size="12">'
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#c0392b"/></marker></defs>'
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>'
    ]
    for number, (name, kind) in enumerate(boxes):
        x = 10 + number * (BOX + GAP)
        parts.append(
            f'<rect x="{x}" y="22" width="{BOX}" height="48" rx="7" fill="{FILLS.get(kind, "#eeeeee")}" stroke="#5f6b76"/>'
            f'<text x="{x + BOX / 2}" y="43" text-anchor="middle" fill="#1b2126">{clipped(name, NAME)}</text>'
            f'<text x="{x + BOX / 2}" y="60" text-anchor="middle" fill="#5f6b76">{clipped(kind.replace("_", " "), NAME)}</text>'
        )
    for number, label in enumerate(arrows):
        x = 10 + (number + 1) * BOX + number * GAP
        parts.append(
            f'<line x1="{x + 4}" y1="46" x2="{x + GAP - 5}" y2="46" stroke="#c0392b" stroke-width="2" marker-end="url(#a)"/>'
            f'<text x="{x + GAP / 2}" y="38" text-anchor="middle" fill="#5f6b76" font-size="11">{clipped(label, LABEL)}</text>'
        )
    return "".join(parts) + "</svg>"


def clipped(value: str, most: int) -> str:
    return escape(value if len(value) <= most else value[: most - 1] + "\u2026")


def text(value: str) -> str:
    """A value as text in Markdown: nothing in it draws, links or loads."""
    return "".join(f"&#{ord(letter)};" if letter in "<>[]()!*_`|#\\" else letter for letter in value).replace("\n", " ")
