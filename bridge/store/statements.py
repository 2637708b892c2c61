"""SQLAlchemy Core statements, compiled once for each dialect and run on the driver's own cursor.

Core writes the SQL (so both databases get theirs), the driver runs it: no result objects, no type
processing on the hot path. Columns hold only numbers, text and bytes, so nothing needs processing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Table, TableValuedAlias, cast, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, bindparam, select
from sqlalchemy.sql.compiler import SQLCompiler


def _dialect(dialect: Dialect) -> Dialect:
    """The dialect, writing constants of a statement as literals.

    A partial index is used only where its condition stands in the statement letter by letter.
    """

    class Compiler(dialect.statement_compiler):  # type: ignore[name-defined, misc]
        def visit_bindparam(self, bindparam: Any, literal_binds: bool = False, **kw: Any) -> str:
            constant = not bindparam.required and bindparam.value is not None
            return str(super().visit_bindparam(bindparam, literal_binds=literal_binds or constant, **kw))

    dialect.statement_compiler = Compiler
    return dialect


_DIALECTS: dict[str, Dialect] = {
    "sqlite": _dialect(sqlite.dialect(paramstyle="named")),
    "postgresql": _dialect(postgresql.dialect(paramstyle="pyformat")),  # type: ignore[no-untyped-call]
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Statement:
    """One statement: Core in, SQL text out, compiled at its first use."""

    __slots__ = ("_build", "_sql")

    def __init__(self, build: Callable[[str], ClauseElement] | ClauseElement) -> None:
        self._build = build
        self._sql: dict[str, str] = {}

    def sql(self, dialect: str) -> str:
        """The text for *dialect* (``sqlite`` or ``postgresql``)."""
        text = self._sql.get(dialect)
        if text is None:
            clause = self._build if isinstance(self._build, ClauseElement) else self._build(dialect)
            text = self._sql[dialect] = str(clause.compile(dialect=_DIALECTS[dialect]))
        return text


class _Listed(ColumnElement[Any]):
    """A bound list, opened into rows."""

    inherit_cache = False

    def __init__(self, name: str) -> None:
        self.name = name


@compiles(_Listed, "sqlite")
def _listed_sqlite(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT value FROM json_each(:{element.name}))"


@compiles(_Listed, "postgresql")
def _listed_postgresql(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT unnest(%({element.name})s))"


def one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The column is one of the bound list *name* (give ``Keys([...])``)."""
    return column.op("IN", is_comparison=True)(_Listed(name))


def each_of(name: str, dialect: str) -> TableValuedAlias:
    """The bound list *name* (give ``Keys([...])``, also of lists) as a table with the one column ``value``, of JSON."""
    bound: BindParameter[Any] = bindparam(name)
    sqlite_rows, postgresql_rows = func.json_each(bound), func.jsonb_array_elements(cast(bound, postgresql.JSONB))
    return (sqlite_rows if dialect == "sqlite" else postgresql_rows).table_valued("value", name=name)


def insert(table: Table, *, without: Iterable[str] = (), or_ignore: bool = False) -> Statement:
    """``INSERT`` of whole rows; *without* names columns that the database fills."""
    left_out = set(without)
    columns = [column.name for column in table.columns if column.name not in left_out]

    def build(dialect: str) -> ClauseElement:
        maker = sqlite.insert if dialect == "sqlite" else postgresql.insert
        statement = maker(table).values({name: bindparam(name) for name in columns})
        return statement.on_conflict_do_nothing() if or_ignore else statement

    return Statement(build)


def upsert(table: Table, key: tuple[str, ...], *, keep: Iterable[str] = ()) -> Statement:
    """``INSERT`` of whole rows that replaces what stands under *key*, but for the columns in *keep*."""
    kept = {*key, *keep}

    def build(dialect: str) -> ClauseElement:
        maker = sqlite.insert if dialect == "sqlite" else postgresql.insert
        statement = maker(table).values({column.name: bindparam(column.name) for column in table.columns})
        changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in kept}
        return statement.on_conflict_do_update(index_elements=list(key), set_=changed)

    return Statement(build)


def columns_of(table: Table) -> tuple[str, ...]:
    """Names of the columns, in the order in which ``select(table)`` gives them."""
    return tuple(column.name for column in table.columns)


def whole(table: Table, *where: ColumnElement[bool]) -> Statement:
    """``SELECT`` of whole rows."""
    return Statement(select(table).where(*where))


def to_us(moment: datetime) -> int:
    """Aware datetime → microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    """Microseconds since 1970 UTC → aware datetime."""
    return _EPOCH + timedelta(microseconds=value)
