"""Counting for ever: mappings, codes, families, changes, manual credit and the resolver's tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "2026_11_24_counting"
down_revision = "2026_11_23_ledger"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NEW_TABLES = (
    "campaign_codes",
    "event_mappings",
    "families",
    "conversion_changes",
    "change_counters",
    "attachments",
    "tasks",
    "promotion_codes",
)


def upgrade() -> None:
    create_what_is_set_up()
    widen_conversions()
    create_changes()
    create_attachments()
    create_what_the_resolver_needs()


def downgrade() -> None:
    for column in ("first_outcome", "resolved_at"):
        op.drop_column("webhook_logs", column, schema="attribution")
    for index in ("conversions_subscription_idx", "conversions_customer_idx"):
        op.drop_index(index, "conversions", schema="attribution")
    for column in (
        "credit_details",
        "subscription_id",
        "customer_id",
        "initial_conversion_id",
    ):
        op.drop_column("conversions", column, schema="attribution")
    op.drop_column("campaigns", "attribution_window_seconds", schema="attribution")
    for table in reversed(NEW_TABLES):
        op.drop_table(table, schema="attribution")


def create_what_is_set_up() -> None:
    op.add_column(
        "campaigns", sa.Column("attribution_window_seconds", sa.BigInteger), schema="attribution"
    )
    op.create_table(
        "campaign_codes",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("code_key", sa.Text, nullable=False),
        sa.Column("campaign_id", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "code_key", name="campaign_codes_pk"),
        schema="attribution",
    )
    index("campaign_codes_campaign_idx", "campaign_codes", "workspace_id", "campaign_id")
    op.create_table(
        "event_mappings",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("goal_id", sa.Text),
        sa.Column("counts_zero_amounts", sa.Boolean, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "source_id", "event_type", name="event_mappings_pk"
        ),
        sa.UniqueConstraint("workspace_id", "request_id", name="event_mappings_request_id_key"),
        schema="attribution",
    )
    index(
        "event_mappings_goal_idx",
        "event_mappings",
        "workspace_id",
        "goal_id",
        where="goal_id IS NOT NULL",
    )


def widen_conversions() -> None:
    for column in (
        sa.Column("credit_details", JSONB),
        sa.Column("subscription_id", sa.Text),
        sa.Column("customer_id", sa.Text),
        sa.Column("initial_conversion_id", UUID(as_uuid=True)),
    ):
        op.add_column("conversions", column, schema="attribution")
    for kind in ("subscription", "customer"):
        index(
            f"conversions_{kind}_idx",
            "conversions",
            "workspace_id",
            f"{kind}_id",
            "paid_at",
            where=f"{kind}_id IS NOT NULL",
        )
    op.create_table(
        "families",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "value", "kind", "source_id", name="families_pk"),
        schema="attribution",
    )


def create_changes() -> None:
    op.create_table(
        "conversion_changes",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("change_number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("conversion_id", UUID(as_uuid=True), nullable=False),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "change_number", name="conversion_changes_pk"),
        schema="attribution",
    )
    op.create_table(
        "change_counters",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="change_counters_pk"),
        schema="attribution",
    )


def create_attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("attachment_id", UUID(as_uuid=True), nullable=False),
        sa.Column("conversion_id", UUID(as_uuid=True), nullable=False),
        sa.Column("click_id", sa.Text),
        sa.Column("campaign_id", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("attached_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "attachment_id", name="attachments_pk"),
        sa.UniqueConstraint("workspace_id", "request_id", name="attachments_request_id_key"),
        schema="attribution",
    )
    index(
        "attachments_conversion_idx",
        "attachments",
        "workspace_id",
        "conversion_id",
        "attachment_id",
    )


def create_what_the_resolver_needs() -> None:
    op.create_table(
        "tasks",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("task_key", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "task_key", name="tasks_pk"),
        schema="attribution",
    )
    index("tasks_due_idx", "tasks", "workspace_id", "due_at")
    op.create_table(
        "promotion_codes",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("promotion_code_id", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("found_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "source_id", "promotion_code_id", name="promotion_codes_pk"
        ),
        schema="attribution",
    )
    for column in (sa.Column("first_outcome", sa.Text), sa.Column("resolved_at", TIME)):
        op.add_column("webhook_logs", column, schema="attribution")


def index(name: str, table: str, *columns: str, where: str | None = None) -> None:
    op.create_index(
        name,
        table,
        list(columns),
        schema="attribution",
        postgresql_where=None if where is None else sa.text(where),
    )
