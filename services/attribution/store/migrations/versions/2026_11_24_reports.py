"""Reports: indexes that revenue and cost are summed up from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_reports"
down_revision = "2026_11_24_counting"
branch_labels = None
depends_on = None

SUMMED_UP = [
    "campaign_id",
    "goal_id",
    "source_id",
    "currency",
    "state",
    "test",
    "gross_minor_units",
    "refunded_minor_units",
    "disputed_minor_units",
    "net_minor_units",
    "initial_conversion_id",
]
GROWING = ("conversions", "clicks")


def upgrade() -> None:
    op.create_index(
        "conversions_revenue_idx",
        "conversions",
        ["workspace_id", "paid_at", "conversion_id"],
        schema="attribution",
        postgresql_include=SUMMED_UP,
    )
    # The new one begins with the same columns.
    op.drop_index("conversions_paid_at_idx", "conversions", schema="attribution")
    op.create_index(
        "clicks_cost_idx",
        "clicks",
        ["workspace_id", "clicked_at"],
        schema="attribution",
        postgresql_include=["campaign_id", "cost_minor_units", "cost_currency"],
        postgresql_where=sa.text("cost_minor_units IS NOT NULL"),
    )

    # An index answers alone only for what a vacuum has seen. These tables mostly grow: they are
    # vacuumed after every twentieth part rather than every fifth; only what is new is read then.
    for table in GROWING:
        op.execute(
            f"ALTER TABLE attribution.{table} SET (autovacuum_vacuum_insert_scale_factor = 0.05)"
        )


def downgrade() -> None:
    for table in GROWING:
        op.execute(f"ALTER TABLE attribution.{table} RESET (autovacuum_vacuum_insert_scale_factor)")
    op.drop_index("clicks_cost_idx", "clicks", schema="attribution")
    op.create_index(
        "conversions_paid_at_idx",
        "conversions",
        ["workspace_id", "paid_at", "conversion_id"],
        schema="attribution",
    )
    op.drop_index("conversions_revenue_idx", "conversions", schema="attribution")
