"""Which columns a column is made of, read from the SQL. Loads the SQL parser, so it is imported on first use only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from dbt_like_transforms.engine.errors import ProjectError, place
from dbt_like_transforms.engine.models import Model

if TYPE_CHECKING:
    from dbt_like_transforms.engine.project import Project

Origins = dict[str, tuple[tuple[str, str], ...]]


def parse(model: Model) -> exp.Expr:
    """The model's SQL as a tree.

    Raises:
        ProjectError: it cannot be parsed; with file, line and what the parser says.
    """
    try:
        return parse_text(model.file.read_text(encoding="utf-8"))
    except SqlglotError as error:
        first = (getattr(error, "errors", None) or [{}])[0]
        raise ProjectError(f"{place(model.file, first.get('line'))}: {first.get('description') or error}") from error


def parse_text(sql: str) -> exp.Expr:
    """SQL in DuckDB's dialect as a tree."""
    return parse_one(sql, read="duckdb")


def referenced_relations(tree: exp.Expr) -> set[str]:
    """Relations a query reads according to the full parser, named as `references.scan` names them."""
    ctes = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        name = ".".join(part.name for part in table.parts).lower()
        if name not in ctes:
            found.add(name)
    return found


def column_lineage(project: Project, model: Model) -> Origins:
    """Column -> (relation, column) pairs, unions replaced by their members; {} for a Python model."""
    if model.language == "python":
        return {}
    reads = [*model.sources, *(f"previous.{name}" for name in model.previous), *model.unions, *model.depends_on]
    schema: dict[str, Any] = {}
    for relation in reads:
        head, _, last = relation.rpartition(".")
        schema.setdefault(head or "main", {})[last] = {c.name: "VARCHAR" for c in project.columns_of(relation)}
    tree = parse(model)
    for table in tree.find_all(exp.Table):
        # one depth of names is what the resolver's schema wants
        if isinstance(table.this, exp.Identifier) and not table.db and table.name.lower() in schema.get("main", {}):
            table.set("db", exp.to_identifier("main"))
    try:
        qualified = qualify(
            tree,
            dialect="duckdb",
            schema=MappingSchema(schema, dialect="duckdb"),
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
        scope = build_scope(qualified)
    except SqlglotError:
        # lineage is shown to people and decides nothing: a construct the resolver does not know leaves it out
        return {}
    if scope is None:
        return {}
    walker = _Walker(project)
    origins = {column.name: walker.output(scope, column.name.lower()) for column in model.columns}
    return {name: found for name, found in origins.items() if found}


class _Walker:
    """Follows output columns through sub-queries, CTEs and set operations, each only once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.seen: dict[tuple[int, str], tuple[tuple[str, str], ...]] = {}

    def output(self, scope: Scope, column: str) -> tuple[tuple[str, str], ...]:
        """Origins of the output column of a scope."""
        key = (id(scope), column)
        if key not in self.seen:
            self.seen[key] = ()  # a recursive CTE meets itself here
            self.seen[key] = tuple(dict.fromkeys(self._output(scope, column)))
        return self.seen[key]

    def _output(self, scope: Scope, column: str) -> list[tuple[str, str]]:
        if scope.set_operation_scopes:
            index = next((i for i, name in enumerate(_names(scope)) if name.lower() == column), None)
            if index is None:
                return []
            return [
                origin
                for branch in scope.set_operation_scopes
                for origin in self.output(branch, _names(branch)[index].lower())
            ]
        selected = next((e for e in _selects(scope) if e.alias_or_name.lower() == column), None)
        return self._expression(scope, selected) if selected is not None else []

    def _expression(self, scope: Scope, expression: exp.Expr) -> list[tuple[str, str]]:
        inner_scopes = {id(inner.expression): inner for inner in scope.subquery_scopes}
        found: list[tuple[str, str]] = []
        for node in expression.walk(prune=lambda n: id(n) in inner_scopes):
            if id(node) in inner_scopes:
                inner = inner_scopes[id(node)]
                for name in _names(inner):
                    found += self.output(inner, name.lower())
            elif isinstance(node, exp.Column):
                found += self._column(scope, node)
        return found

    def _column(self, scope: Scope, column: exp.Column) -> list[tuple[str, str]]:
        source = scope.sources.get(column.table)
        if source is None and scope.parent is not None and column.table:
            return self._column(scope.parent, column)
        if isinstance(source, Scope):
            if isinstance(source.expression, (exp.Unnest, exp.Lateral)):
                return self._expression(scope, source.expression)
            return list(self.output(source, column.name.lower()))
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            relation = source.name.lower() if source.db in ("", "main") else f"{source.db}.{source.name}".lower()
            members = self.project.unions.get(relation, (relation,))
            return [(member, self._spelled(member, column.name)) for member in members]
        return []

    def _spelled(self, relation: str, column: str) -> str:
        """The column as the relation declares it: the resolver gives names in lower case."""
        declared = (c.name for c in self.project.columns_of(relation))
        return next((name for name in declared if name.lower() == column.lower()), column)


def _selects(scope: Scope) -> list[exp.Expr]:
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


def _names(scope: Scope) -> list[str]:
    query = scope.expression
    return list(query.named_selects) if isinstance(query, exp.Query) else []
