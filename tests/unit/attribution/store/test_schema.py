"""The tables keep the rules that let them be distributed by workspace.

Citus itself cannot run here, so the rules are checked on the metadata.
"""

from __future__ import annotations

import pytest
from sqlalchemy import BigInteger, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from services.attribution.store.schema import SCHEMA, metadata

# A visitor knows no workspace: what tracking links lead to is found across all of them.
ACROSS_WORKSPACES = {
    "campaigns_tracking_id_idx",
    "campaigns_linked_idx",
    "campaigns_updated_at_idx",
}

tables = pytest.mark.parametrize(
    "table", metadata.tables.values(), ids=lambda table: str(table.name)
)


@tables
class TestEveryTable:
    def test_has_a_workspace_of_text(self, table: Table) -> None:
        column = table.c.workspace_id
        assert not column.nullable
        assert column.type.compile(postgresql.dialect()) == "TEXT"

    def test_has_the_workspace_first_in_every_key(self, table: Table) -> None:
        keys = [
            constraint
            for constraint in table.constraints
            if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
        ]
        assert table.primary_key in keys
        for key in keys:
            assert next(iter(key.columns)).name == "workspace_id", key.name

    def test_has_the_workspace_first_in_every_index(self, table: Table) -> None:
        for index in table.indexes:
            if index.name in ACROSS_WORKSPACES:
                continue
            assert next(iter(index.expressions)) is table.c.workspace_id, index.name

    def test_refers_to_no_other_schema_and_to_the_same_workspace(self, table: Table) -> None:
        for key in table.foreign_key_constraints:
            assert key.referred_table.schema == SCHEMA
            assert next(iter(key.columns)).name == "workspace_id"

    def test_has_no_ids_made_by_the_database(self, table: Table) -> None:
        for column in table.c:
            assert column.autoincrement is not True, column.name
            assert column.identity is None, column.name
            assert column.computed is None, column.name
            assert column.server_default is None, column.name
        assert "SERIAL" not in str(CreateTable(table).compile(dialect=postgresql.dialect()))

    def test_names_its_constraints_and_indexes(self, table: Table) -> None:
        for constraint in table.constraints:
            assert constraint.name
            assert str(constraint.name).startswith(f"{table.name}_")
        for index in table.indexes:
            assert str(index.name).startswith(f"{table.name}_")

    def test_keeps_money_in_bigint_and_currencies_in_three_letters(self, table: Table) -> None:
        for column in table.c:
            if column.name.endswith("minor_units"):
                assert isinstance(column.type, BigInteger), column.name
            if column.name.endswith("currency"):
                assert column.type.compile(postgresql.dialect()) == "CHAR(3)", column.name

    def test_keeps_times_with_their_zone(self, table: Table) -> None:
        for column in table.c:
            if column.name.endswith("_at"):
                assert "WITH TIME ZONE" in column.type.compile(postgresql.dialect()), column.name
