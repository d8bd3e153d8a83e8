"""Make the tables of sources, credential versions and audit records."""

import sqlalchemy as sa
from alembic import op

from services.chassis.migrations import service_role

revision = "2026_11_23_sources_and_secrets"
down_revision = None
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("connection_mode", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("provider_account", sa.Text),
        sa.Column("test", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        _time("create_time"),
        _time("update_time"),
        _time("connect_time", nullable=True),
        _time("disconnect_time", nullable=True),
        sa.Column("request_id", sa.Text),
        sa.Column("request_etag", sa.Text),
        sa.PrimaryKeyConstraint("workspace_id", "source_id", name="sources_pkey"),
        sa.UniqueConstraint("workspace_id", "request_id", name="sources_request_id_key"),
        sa.CheckConstraint("provider IN ('stripe', 'polar')", name="sources_provider_check"),
        sa.CheckConstraint(
            "connection_mode IN ('api_key', 'oauth')", name="sources_connection_mode_check"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'needs_reconnect', 'disconnected')",
            name="sources_state_check",
        ),
        schema="credentials",
    )
    op.create_index(
        "sources_newest_first",
        "sources",
        ["workspace_id", "create_time", "source_id"],
        schema="credentials",
    )
    # For the one look-up without a workspace: a webhook's path holds the source's id alone.
    op.create_index("sources_by_source_id", "sources", ["source_id"], schema="credentials")
    _make_credential_versions()
    _make_audit_records()
    _narrow_privileges(service_role())


def _make_credential_versions() -> None:
    op.create_table(
        "credential_versions",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("ciphertext", sa.Text),
        _time("create_time"),
        _time("expire_time", nullable=True),
        _time("destroy_time", nullable=True),
        sa.Column("request_id", sa.Text),
        sa.PrimaryKeyConstraint(
            "workspace_id", "source_id", "kind", "version", name="credential_versions_pkey"
        ),
        sa.UniqueConstraint(
            "workspace_id",
            "source_id",
            "kind",
            "request_id",
            name="credential_versions_request_id_key",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "source_id"],
            ["credentials.sources.workspace_id", "credentials.sources.source_id"],
            name="credential_versions_source_fkey",
        ),
        sa.CheckConstraint(
            "kind IN ('api-key', 'webhook-signing-secret')", name="credential_versions_kind_check"
        ),
        sa.CheckConstraint("version >= 1", name="credential_versions_version_check"),
        sa.CheckConstraint(
            "(ciphertext IS NULL) = (destroy_time IS NOT NULL)",
            name="credential_versions_destroyed_check",
        ),
        schema="credentials",
    )


def _make_audit_records() -> None:
    op.create_table(
        "audit_records",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("record_id", sa.UUID, nullable=False),
        _time("record_time"),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("versions", sa.ARRAY(sa.Integer), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("trace_id", sa.Text),
        sa.PrimaryKeyConstraint("workspace_id", "record_id", name="audit_records_pkey"),
        schema="credentials",
    )
    op.create_index(
        "audit_records_of_source",
        "audit_records",
        ["workspace_id", "source_id", "record_id"],
        schema="credentials",
    )


def _narrow_privileges(role: str) -> None:
    tables = "credentials.sources, credentials.credential_versions"
    op.execute(f"REVOKE ALL ON {tables}, credentials.audit_records FROM {role}")
    # Nothing is ever deleted: a destroyed version keeps its row and loses its ciphertext.
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {tables} TO {role}")
    # Append-only.
    op.execute(f"GRANT SELECT, INSERT ON credentials.audit_records TO {role}")


def downgrade() -> None:
    op.drop_table("audit_records", schema="credentials")
    op.drop_table("credential_versions", schema="credentials")
    op.drop_table("sources", schema="credentials")
