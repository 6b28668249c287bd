"""Writes small projects for tests of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbt_like_transforms.engine import Column, Project, landed_source

SOURCES: dict[str, tuple[Column, ...]] = dict([landed_source("acme", "hosts", {"sn": "text", "n": "integer"})])
OBSERVATIONS = """
prefixed: [things]
prefix:
  - {name: record, data_type: VARCHAR, description: Name of the record., data_tests: [not_null, unique]}
kinds:
  things:
    description: Things as one product sees them.
    columns:
      - {name: size, data_type: BIGINT, description: How large.}
      - {name: tags, data_type: 'VARCHAR[]', description: Words.}
"""
THINGS = "select _instance || ':' || _record_id as record, n as size, [sn] as tags from landed.acme__hosts"


def project(root: Path, files: Mapping[str, str], sources: Mapping[str, tuple[Column, ...]] = SOURCES) -> Project:
    """Loads a project of the given files; paths are relative to the models folder."""
    for name, text in files.items():
        path = root / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "models").mkdir(exist_ok=True)
    observations = root / "observations.yml"
    observations.write_text(OBSERVATIONS)
    return Project.load(root / "models", sources, observations)


def contract(model: str, /, **columns: str) -> str:
    """YAML of one model with columns name=type."""
    lines = [f"models:\n  - name: {model}\n    description: {model}\n    columns:"]
    lines += [f"      - {{name: {column}, data_type: '{kind}'}}" for column, kind in columns.items()]
    return "\n".join(lines) + "\n"
