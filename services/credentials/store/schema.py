"""The tables of the schema `credentials`.

`workspace_id` stands first in every primary and unique key and in the condition of every statement,
so that the tables can be spread over machines by it. There is one exception: a webhook's path holds
the opaque id of a source alone, so `sources_by_source_id` serves the one look-up that knows no
workspace (`workspaces/-/sources/{source}`). That index is not unique, as such a key could not span
machines: the id is 132 random bits, so it is unguessable and unique by itself.
"""

from sqlalchemy import (
    ARRAY,
    UUID,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA = "credentials"

metadata = MetaData(schema=SCHEMA)


def _time(name: str, *, nullable: bool = False) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=nullable)


sources = Table(
    "sources",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("connection_mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("provider_account", Text),
    Column("test", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    _time("create_time"),
    _time("update_time"),
    _time("connect_time", nullable=True),
    _time("disconnect_time", nullable=True),
    # How the source's snippet behaves.
    Column("cookie_lifetime_seconds", Integer, nullable=False),
    Column("touch", Text, nullable=False),
    Column("consent_required", Boolean, nullable=False),
    Column("link_hosts", ARRAY(Text), nullable=False),
    # The caller's id of the wish to create the source, and an etag of what was wished for.
    Column("request_id", Text),
    Column("request_etag", Text),
    PrimaryKeyConstraint("workspace_id", "source_id", name="sources_pkey"),
    UniqueConstraint("workspace_id", "request_id", name="sources_request_id_key"),
    CheckConstraint("provider IN ('stripe', 'polar')", name="sources_provider_check"),
    CheckConstraint(
        "connection_mode IN ('api_key', 'oauth')", name="sources_connection_mode_check"
    ),
    CheckConstraint(
        "state IN ('pending', 'active', 'needs_reconnect', 'disconnected')",
        name="sources_state_check",
    ),
    CheckConstraint("touch IN ('first', 'last')", name="sources_touch_check"),
    Index("sources_newest_first", "workspace_id", "create_time", "source_id"),
    Index("sources_by_source_id", "source_id"),
)

credential_versions = Table(
    "credential_versions",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # By Vault's transit engine, bound to the four columns above. Null once it is destroyed.
    Column("ciphertext", Text),
    _time("create_time"),
    _time("expire_time", nullable=True),
    _time("destroy_time", nullable=True),
    # The caller's id of the wish to add the version.
    Column("request_id", Text),
    PrimaryKeyConstraint(
        "workspace_id", "source_id", "kind", "version", name="credential_versions_pkey"
    ),
    UniqueConstraint(
        "workspace_id", "source_id", "kind", "request_id", name="credential_versions_request_id_key"
    ),
    ForeignKeyConstraint(
        ["workspace_id", "source_id"],
        [sources.c.workspace_id, sources.c.source_id],
        name="credential_versions_source_fkey",
    ),
    CheckConstraint(
        "kind IN ('api-key', 'webhook-signing-secret')", name="credential_versions_kind_check"
    ),
    CheckConstraint("version >= 1", name="credential_versions_version_check"),
    CheckConstraint(
        "(ciphertext IS NULL) = (destroy_time IS NOT NULL)",
        name="credential_versions_destroyed_check",
    ),
)

# Append-only: the service may add and read records, and nobody but the migrations' role more. It
# has no foreign key, as it also keeps what was asked of sources that do not exist.
audit_records = Table(
    "audit_records",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("record_id", UUID, nullable=False),
    _time("record_time"),
    Column("source_id", Text, nullable=False),
    Column("kind", Text),
    Column("action", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("versions", ARRAY(Integer), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("trace_id", Text),
    PrimaryKeyConstraint("workspace_id", "record_id", name="audit_records_pkey"),
    Index("audit_records_of_source", "workspace_id", "source_id", "record_id"),
)
