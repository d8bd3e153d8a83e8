"""Snippets: how the script of a source behaves in browsers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "2026_11_24_snippets"
down_revision = "2026_11_23_sources_and_secrets"
branch_labels = None
depends_on = None

_SCHEMA = "credentials"


def upgrade() -> None:
    for column in (
        sa.Column(
            "cookie_lifetime_seconds",
            sa.Integer,
            nullable=False,
            server_default=str(90 * 24 * 3600),
        ),
        sa.Column("touch", sa.Text, nullable=False, server_default="last"),
        sa.Column("consent_required", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("link_hosts", ARRAY(sa.Text), nullable=False, server_default="{}"),
    ):
        op.add_column("sources", column, schema=_SCHEMA)
    op.create_check_constraint(
        "sources_touch_check", "sources", "touch IN ('first', 'last')", schema=_SCHEMA
    )


def downgrade() -> None:
    op.drop_constraint("sources_touch_check", "sources", schema=_SCHEMA)
    for name in ("link_hosts", "consent_required", "touch", "cookie_lifetime_seconds"):
        op.drop_column("sources", name, schema=_SCHEMA)
