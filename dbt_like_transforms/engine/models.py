"""A model as the project knows it, and the two kinds of files it comes from."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dbt_like_transforms.engine.columns import Column
from dbt_like_transforms.engine.contract import DataTest, Severity
from dbt_like_transforms.engine.errors import ProjectError, place
from dbt_like_transforms.engine.references import NotOneSelect, Reference, scan

Layer = Literal["staging", "intermediate", "marts"]
LAYERS: tuple[Layer, ...] = ("staging", "intermediate", "marts")


@dataclass(frozen=True, slots=True)
class ModelTest:
    """A test as it will run: `column` is None for a test of the whole model."""

    test: DataTest
    column: str | None
    severity: Severity
    name: str


@dataclass(frozen=True, slots=True)
class Model:
    """One table of the project.

    depends_on: models read, automatic unions already replaced by their members; in order of appearance.
    sources: `landed.x` and `run.x` relations read. previous: models read as of the newest earlier snapshot.
    unions: automatic unions read, e.g. `stg__devices`. tested_against: models that its relationship tests look into.
    group: the file that builds it; models of one Python file share it and are always built together.
    observation: the kind of observation a staging model gives (`devices`, ...), None for a helper or another layer.
    code_version: changes when the model's own SQL or Python, or its declared types, change.
    """

    name: str
    layer: Layer
    language: Literal["sql", "python"]
    product: str | None
    file: Path
    description: str
    columns: tuple[Column, ...]
    tests: tuple[ModelTest, ...]
    severity: Severity
    tags: tuple[str, ...]
    depends_on: tuple[str, ...]
    sources: tuple[str, ...]
    previous: tuple[str, ...]
    unions: tuple[str, ...]
    tested_against: tuple[str, ...]
    group: str
    observation: str | None
    code_version: str

    def column(self, name: str) -> Column:
        """The declared column of that name, whatever its case."""
        for column in self.columns:
            if column.name.lower() == name.lower():
                return column
        raise KeyError(f"{self.name} has no column {name!r}")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A model file as found: which models it makes and what it reads."""

    path: Path
    layer: Layer
    product: str | None
    language: Literal["sql", "python"]
    outputs: tuple[str, ...]
    references: tuple[Reference, ...]
    content_hash: str


def read_source_file(path: Path, layer: Layer, product: str | None) -> SourceFile:
    """Reads names and references of a `.sql` or `.py` model file; nothing is executed.

    Raises:
        ProjectError: the file is no single SELECT, or its INPUTS and OUTPUTS are not literal tuples of names.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        try:
            references = scan(text)
        except NotOneSelect as error:
            raise ProjectError(f"{place(path)}: {error}") from error
        return SourceFile(path, layer, product, "sql", (path.stem,), references, _digest(text))
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ProjectError(f"{place(path, error.lineno)} is not valid Python: {error.msg}") from error
    inputs, inputs_line = _names(tree, "INPUTS", path)
    outputs, _ = _names(tree, "OUTPUTS", path)
    if not any(isinstance(node, ast.FunctionDef) and node.name == "build" for node in tree.body):
        raise ProjectError(f"{place(path)}: a Python model needs `def build(con, context)`")
    references = tuple(Reference(name.lower(), inputs_line) for name in inputs)
    return SourceFile(path, layer, product, "python", outputs, references, _digest(text, *_own_code(tree, path)))


def _names(tree: ast.Module, constant: str, path: Path) -> tuple[tuple[str, ...], int]:
    """The literal tuple of names assigned to `constant`, and its line."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if not any(isinstance(target, ast.Name) and target.id == constant for target in targets):
            continue
        try:
            names = ast.literal_eval(value)
        except ValueError:
            names = None
        if not isinstance(names, (tuple, list)) or not names or not all(isinstance(name, str) for name in names):
            raise ProjectError(
                f"{place(path, node.lineno)}: {constant} must be a literal tuple of names, so that it can be read "
                "without importing the file"
            )
        return tuple(names), node.lineno
    raise ProjectError(f"{place(path)}: a Python model needs a literal {constant}: tuple[str, ...]")


def _own_code(tree: ast.Module, path: Path) -> list[str]:
    """Texts of the sub-packages of this project that a Python model imports, so that its version follows them.

    The engine itself is left out: mending the engine does not make every model stale.
    """
    package = next((parent for parent in path.parents if parent.name == "dbt_like_transforms"), None)
    if package is None:
        return []
    folders: set[str] = set()
    for node in ast.walk(tree):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            parts = module.split(".")
            if parts[0] == "dbt_like_transforms" and len(parts) > 1 and parts[1] != "engine":
                folders.add(parts[1])
    files = [
        file
        for folder in sorted(folders)
        for file in sorted((package / folder).rglob("*"))
        if file.suffix in (".py", ".yaml", ".yml")
    ]
    return [file.read_text(encoding="utf-8") for file in files]


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def version_of(source: SourceFile, columns: tuple[Column, ...]) -> str:
    """Sixteen hex digits over the file's content and the declared types."""
    types = "\n".join(f"{column.name} {column.type}" for column in columns)
    return _digest(source.content_hash, types)[:16]
