"""The ledger: clicks, campaigns, goals, payments, facts, conversions and the webhook log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import CHAR, JSONB, UUID

from services.chassis.migrations import service_role

revision = "2026_11_23_ledger"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLES = (
    "campaigns",
    "goals",
    "clicks",
    "payments",
    "payment_ids",
    "facts",
    "conversions",
    "event_claims",
    "webhook_logs",
)


def upgrade() -> None:
    create_what_clicks_belong_to()
    create_clicks()
    create_payments()
    create_conversions()
    create_webhook_logs()
    create_partition_functions()
    narrow_the_rights_of(service_role())
    op.execute(
        "SELECT attribution.ensure_webhook_log_partitions((now() AT TIME ZONE 'UTC')::date - 1, 16)"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION attribution.ensure_webhook_log_partitions(date, integer)")
    op.execute("DROP FUNCTION attribution.drop_webhook_log_partitions(date)")
    for table in reversed(TABLES):
        op.drop_table(table, schema="attribution")


def create_what_clicks_belong_to() -> None:
    op.create_table(
        "campaigns",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("campaign_id", sa.Text, nullable=False),
        sa.Column("row_id", UUID(as_uuid=True), nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
        sa.PrimaryKeyConstraint("workspace_id", "campaign_id", name="campaigns_pk"),
        sa.UniqueConstraint("workspace_id", "row_id", name="campaigns_row_id_key"),
        sa.UniqueConstraint("workspace_id", "request_id", name="campaigns_request_id_key"),
        schema="attribution",
    )
    op.create_table(
        "goals",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("goal_id", sa.Text, nullable=False),
        sa.Column("row_id", UUID(as_uuid=True), nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "goal_id", name="goals_pk"),
        sa.UniqueConstraint("workspace_id", "row_id", name="goals_row_id_key"),
        sa.UniqueConstraint("workspace_id", "request_id", name="goals_request_id_key"),
        schema="attribution",
    )


def create_clicks() -> None:
    op.create_table(
        "clicks",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("click_id", sa.Text, nullable=False),
        sa.Column("campaign_id", sa.Text),
        sa.Column("clicked_at", TIME, nullable=False),
        sa.Column("referrer", sa.Text),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("cost_minor_units", sa.BigInteger),
        sa.Column("cost_currency", CHAR(3)),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "click_id", name="clicks_pk"),
        sa.CheckConstraint("cost_minor_units >= 0", name="clicks_cost_check"),
        schema="attribution",
    )


def create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("payment_id", UUID(as_uuid=True), nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("merged_into", UUID(as_uuid=True)),
        sa.PrimaryKeyConstraint("workspace_id", "payment_id", name="payments_pk"),
        schema="attribution",
    )
    op.create_table(
        "payment_ids",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("payment_id", UUID(as_uuid=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "value", "kind", "source_id", name="payment_ids_pk"
        ),
        schema="attribution",
    )
    index("payment_ids_payment_idx", "payment_ids", "workspace_id", "payment_id")
    op.create_table(
        "facts",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("fact_id", UUID(as_uuid=True), nullable=False),
        sa.Column("payment_id", UUID(as_uuid=True), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "payment_id", "fact_id", name="facts_pk"),
        schema="attribution",
    )


def create_conversions() -> None:
    op.create_table(
        "conversions",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("conversion_id", UUID(as_uuid=True), nullable=False),
        sa.Column("payment_id", UUID(as_uuid=True), nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("provider_payment_id", sa.Text, nullable=False),
        sa.Column("click_id", sa.Text),
        sa.Column("campaign_id", sa.Text),
        sa.Column("goal_id", sa.Text),
        sa.Column("basis", sa.Text),
        sa.Column("credited_click", JSONB),
        sa.Column("unknown_click_id", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("currency", CHAR(3), nullable=False),
        sa.Column("gross_minor_units", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor_units", sa.BigInteger, nullable=False),
        sa.Column("disputed_minor_units", sa.BigInteger, nullable=False),
        sa.Column("net_minor_units", sa.BigInteger, nullable=False),
        sa.Column("paid_at", TIME),
        sa.Column("test", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "conversion_id", name="conversions_pk"),
        sa.UniqueConstraint("workspace_id", "payment_id", name="conversions_payment_key"),
        sa.CheckConstraint(
            "0 <= net_minor_units AND net_minor_units <= gross_minor_units"
            " AND refunded_minor_units >= 0 AND disputed_minor_units >= 0",
            name="conversions_amounts_check",
        ),
        schema="attribution",
    )
    index(
        "conversions_campaign_idx",
        "conversions",
        "workspace_id",
        "campaign_id",
        "conversion_id",
        where="campaign_id IS NOT NULL",
    )
    index("conversions_source_idx", "conversions", "workspace_id", "source_id", "conversion_id")
    index(
        "conversions_click_idx",
        "conversions",
        "workspace_id",
        "click_id",
        "conversion_id",
        where="click_id IS NOT NULL",
    )
    index(
        "conversions_unknown_click_idx",
        "conversions",
        "workspace_id",
        "unknown_click_id",
        where="unknown_click_id IS NOT NULL",
    )
    index("conversions_paid_at_idx", "conversions", "workspace_id", "paid_at", "conversion_id")
    index(
        "conversions_state_idx",
        "conversions",
        "workspace_id",
        "state",
        "conversion_id",
        where="state <> 'paid'",
    )
    index(
        "conversions_uncredited_idx",
        "conversions",
        "workspace_id",
        "conversion_id",
        where="basis IS NULL",
    )
    index("conversions_test_idx", "conversions", "workspace_id", "conversion_id", where="test")
    index(
        "conversions_goal_idx",
        "conversions",
        "workspace_id",
        "goal_id",
        where="goal_id IS NOT NULL",
    )


def create_webhook_logs() -> None:
    op.create_table(
        "event_claims",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "source_id", "event_id", name="event_claims_pk"),
        schema="attribution",
    )
    op.create_table(
        "webhook_logs",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("log_id", UUID(as_uuid=True), nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("conversion_id", UUID(as_uuid=True)),
        sa.Column("test", sa.Boolean, nullable=False),
        sa.Column("delivery_count", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("body_key_id", sa.Text),
        sa.Column("body_format", sa.SmallInteger),
        sa.PrimaryKeyConstraint("workspace_id", "received_at", "log_id", name="webhook_logs_pk"),
        schema="attribution",
        postgresql_partition_by="RANGE (received_at)",
    )
    index(
        "webhook_logs_source_idx",
        "webhook_logs",
        "workspace_id",
        "source_id",
        "received_at",
        "log_id",
    )
    index("webhook_logs_event_idx", "webhook_logs", "workspace_id", "event_id")
    index(
        "webhook_logs_type_idx",
        "webhook_logs",
        "workspace_id",
        "event_type",
        "received_at",
        "log_id",
    )
    index(
        "webhook_logs_outcome_idx",
        "webhook_logs",
        "workspace_id",
        "outcome",
        "received_at",
        "log_id",
        where="outcome <> 'attributed'",
    )
    index(
        "webhook_logs_conversion_idx",
        "webhook_logs",
        "workspace_id",
        "conversion_id",
        where="conversion_id IS NOT NULL",
    )
    # Bodies are encrypted: to compress them again only costs time.
    op.execute("ALTER TABLE attribution.webhook_logs ALTER COLUMN body SET STORAGE EXTERNAL")


def index(name: str, table: str, *columns: str, where: str | None = None) -> None:
    op.create_index(
        name,
        table,
        list(columns),
        schema="attribution",
        postgresql_where=None if where is None else sa.text(where),
    )


def create_partition_functions() -> None:
    """Give the service, which may not change the schema, the two changes that it needs.

    They run with the rights of the role that migrates. A partition is made apart and then
    attached, which lets deliveries be logged meanwhile; CREATE TABLE .. PARTITION OF would lock
    them out.
    """
    op.execute(
        """
        CREATE FUNCTION attribution.ensure_webhook_log_partitions(first date, days integer)
        RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        SET lock_timeout = '3s'
        AS $$
        DECLARE
            day date;
            child text;
            made integer := 0;
        BEGIN
            IF first IS NULL OR days IS NULL OR days NOT BETWEEN 1 AND 60 THEN
                RAISE EXCEPTION 'days must be from 1 to 60' USING ERRCODE = '22023';
            END IF;
            FOR day IN SELECT first + n FROM generate_series(0, days - 1) AS n LOOP
                child := 'webhook_logs_' || to_char(day, 'YYYYMMDD');
                CONTINUE WHEN to_regclass('attribution.' || child) IS NOT NULL;
                -- One at a time; whoever waited looks again.
                LOCK TABLE attribution.webhook_logs IN SHARE UPDATE EXCLUSIVE MODE;
                CONTINUE WHEN to_regclass('attribution.' || child) IS NOT NULL;
                EXECUTE format(
                    'CREATE TABLE attribution.%I (LIKE attribution.webhook_logs INCLUDING ALL)',
                    child
                );
                EXECUTE format(
                    'ALTER TABLE attribution.webhook_logs ATTACH PARTITION attribution.%I'
                    ' FOR VALUES FROM (%L) TO (%L)',
                    child,
                    to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
                    to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00'
                );
                made := made + 1;
            END LOOP;
            RETURN made;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION attribution.drop_webhook_log_partitions(before date)
        RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        SET lock_timeout = '3s'
        AS $$
        DECLARE
            child text;
            dropped integer := 0;
        BEGIN
            IF before IS NULL OR before > (now() AT TIME ZONE 'UTC')::date THEN
                RAISE EXCEPTION 'only days that are over can be dropped' USING ERRCODE = '22023';
            END IF;
            FOR child IN
                SELECT class.relname
                FROM pg_inherits AS link
                JOIN pg_class AS class ON class.oid = link.inhrelid
                WHERE link.inhparent = 'attribution.webhook_logs'::regclass
                    AND class.relname ~ '^webhook_logs_[0-9]{8}$'
                    AND right(class.relname, 8) < to_char(before, 'YYYYMMDD')
                ORDER BY class.relname
            LOOP
                EXECUTE format('DROP TABLE attribution.%I', child);
                dropped := dropped + 1;
            END LOOP;
            RETURN dropped;
        END
        $$
        """
    )


def narrow_the_rights_of(role: str) -> None:
    # It was made before this migration, so the default rights of the service are on it, too.
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON attribution.alembic_version FROM {role}")
    for function in (
        "attribution.ensure_webhook_log_partitions(date, integer)",
        "attribution.drop_webhook_log_partitions(date)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")
