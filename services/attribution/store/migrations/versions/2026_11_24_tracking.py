"""Tracking links: where campaigns lead, what a click costs, and who clicked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_tracking"
down_revision = "2026_11_24_reports"
branch_labels = None
depends_on = None


COST = ["campaign_id", "cost_minor_units", "cost_currency"]


def upgrade() -> None:
    # None of these has a default that would have to be written into every row.
    for column in (
        sa.Column("tracking_id", sa.Text),
        sa.Column("landing_uri", sa.Text),
        sa.Column("fallback_uri", sa.Text),
        sa.Column("click_cost_minor_units", sa.BigInteger),
        sa.Column("click_cost_currency", sa.CHAR(3)),
    ):
        op.add_column("campaigns", column, schema="attribution")
    for column in (
        sa.Column("browser", sa.Text),
        sa.Column("device", sa.Text),
        sa.Column("country", sa.CHAR(2)),
        sa.Column("ip_address", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("cost_millionths", sa.Integer),
    ):
        op.add_column("clicks", column, schema="attribution")
    _index_costs([*COST, "cost_millionths"])
    op.execute(
        "UPDATE attribution.campaigns"
        " SET tracking_id = left(replace(gen_random_uuid()::text, '-', ''), 22)"
    )
    op.alter_column("campaigns", "tracking_id", nullable=False, schema="attribution")
    op.create_index("campaigns_tracking_id_idx", "campaigns", ["tracking_id"], schema="attribution")
    op.create_index(
        "campaigns_linked_idx",
        "campaigns",
        ["row_id"],
        schema="attribution",
        postgresql_where=sa.text("landing_uri IS NOT NULL OR fallback_uri IS NOT NULL"),
    )
    op.create_index("campaigns_updated_at_idx", "campaigns", ["updated_at"], schema="attribution")


def downgrade() -> None:
    op.drop_index("campaigns_updated_at_idx", "campaigns", schema="attribution")
    op.drop_index("campaigns_linked_idx", "campaigns", schema="attribution")
    _index_costs(COST)
    for name in ("cost_millionths", "category", "ip_address", "country", "device", "browser"):
        op.drop_column("clicks", name, schema="attribution")
    for name in (
        "click_cost_currency",
        "click_cost_minor_units",
        "fallback_uri",
        "landing_uri",
        "tracking_id",
    ):
        op.drop_column("campaigns", name, schema="attribution")


def _index_costs(columns: list[str]) -> None:
    op.drop_index("clicks_cost_idx", "clicks", schema="attribution")
    op.create_index(
        "clicks_cost_idx",
        "clicks",
        ["workspace_id", "clicked_at"],
        schema="attribution",
        postgresql_include=columns,
        postgresql_where=sa.text("cost_minor_units IS NOT NULL"),
    )
