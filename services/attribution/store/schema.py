"""The tables of the schema `attribution`.

`workspace_id` is first in every primary and unique key and in every statement, ids are made in
the app, and there is no foreign key to another schema: the same tables run behind PgBouncer and
on Citus, distributed by workspace.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB, UUID

SCHEMA = "attribution"

metadata = MetaData(schema=SCHEMA)

_time = DateTime(timezone=True)
_uuid = UUID(as_uuid=True)

campaigns = Table(
    "campaigns",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    # Time-ordered, for paging newest first.
    Column("row_id", _uuid, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("request_id", Text),
    Column("created_at", _time, nullable=False),
    Column("updated_at", _time, nullable=False),
    Column("archived_at", _time),
    # How long before a payment its click may lie; NULL for any time.
    Column("attribution_window_seconds", BigInteger),
    # What the campaign's tracking link is named by: it alone, without the workspace.
    Column("tracking_id", Text, nullable=False),
    Column("landing_uri", Text),
    Column("fallback_uri", Text),
    Column("click_cost_minor_units", BigInteger),
    Column("click_cost_currency", CHAR(3)),
    PrimaryKeyConstraint("workspace_id", "campaign_id", name="campaigns_pk"),
    UniqueConstraint("workspace_id", "row_id", name="campaigns_row_id_key"),
    UniqueConstraint("workspace_id", "request_id", name="campaigns_request_id_key"),
    # A visitor knows no workspace: links are found across all of them. No key holds tracking ids
    # apart, for none without the workspace could on many machines; 132 random bits do.
    Index("campaigns_tracking_id_idx", "tracking_id"),
    # The links that ingress keeps in memory, newest first.
    Index(
        "campaigns_linked_idx",
        "row_id",
        postgresql_where=text("landing_uri IS NOT NULL OR fallback_uri IS NOT NULL"),
    ),
    # What has changed of them since.
    Index("campaigns_updated_at_idx", "updated_at"),
)

# The promotion codes of campaigns. `code_key` is the code in upper case: providers compare codes
# without case, and one code can belong to one campaign only.
campaign_codes = Table(
    "campaign_codes",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("code_key", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "code_key", name="campaign_codes_pk"),
    Index("campaign_codes_campaign_idx", "workspace_id", "campaign_id"),
)

goals = Table(
    "goals",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("goal_id", Text, nullable=False),
    Column("row_id", _uuid, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("request_id", Text),
    Column("created_at", _time, nullable=False),
    Column("updated_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "goal_id", name="goals_pk"),
    UniqueConstraint("workspace_id", "row_id", name="goals_row_id_key"),
    UniqueConstraint("workspace_id", "request_id", name="goals_request_id_key"),
)

# What differs from the default event mappings of a source: a row replaces the default of its
# event type, and one that is `removed` says that the type has none.
event_mappings = Table(
    "event_mappings",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("goal_id", Text),
    Column("counts_zero_amounts", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("request_id", Text),
    Column("created_at", _time, nullable=False),
    Column("updated_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "source_id", "event_type", name="event_mappings_pk"),
    UniqueConstraint("workspace_id", "request_id", name="event_mappings_request_id_key"),
    Index(
        "event_mappings_goal_idx",
        "workspace_id",
        "goal_id",
        postgresql_where=text("goal_id IS NOT NULL"),
    ),
)

clicks = Table(
    "clicks",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("click_id", Text, nullable=False),
    Column("campaign_id", Text),
    Column("clicked_at", _time, nullable=False),
    Column("referrer", Text),
    Column("parameters", JSONB, nullable=False),
    Column("cost_minor_units", BigInteger),
    Column("cost_currency", CHAR(3)),
    # What is beyond the minor units; NULL where there is none.
    Column("cost_millionths", Integer),
    Column("created_at", _time, nullable=False),
    Column("browser", Text),
    Column("device", Text),
    Column("country", CHAR(2)),
    Column("ip_address", Text),
    # NULL for a click that was recorded before there were categories.
    Column("category", Text),
    PrimaryKeyConstraint("workspace_id", "click_id", name="clicks_pk"),
    CheckConstraint("cost_minor_units >= 0", name="clicks_cost_check"),
    # What clicks cost, read without a look at them. Those that cost nothing are not in it.
    Index(
        "clicks_cost_idx",
        "workspace_id",
        "clicked_at",
        postgresql_include=["campaign_id", "cost_minor_units", "cost_currency", "cost_millionths"],
        postgresql_where=text("cost_minor_units IS NOT NULL"),
    ),
)

# One row for each payment at the provider: the lock under which its facts are folded.
payments = Table(
    "payments",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("payment_id", _uuid, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("created_at", _time, nullable=False),
    # Set when another payment turned out to be this one: look there instead.
    Column("merged_into", _uuid),
    PrimaryKeyConstraint("workspace_id", "payment_id", name="payments_pk"),
)

# Every id that the provider knows a payment by. The primary key is what makes one payment of
# events that arrive at the same moment in two processes.
payment_ids = Table(
    "payment_ids",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("payment_id", _uuid, nullable=False),
    # The value first, so that a payment is found by any of its ids without their kind, too.
    PrimaryKeyConstraint("workspace_id", "value", "kind", "source_id", name="payment_ids_pk"),
    Index("payment_ids_payment_idx", "workspace_id", "payment_id"),
)

# What each event said about money. Only ever added to: a conversion is a fold over these.
facts = Table(
    "facts",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("fact_id", _uuid, nullable=False),
    Column("payment_id", _uuid, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("created_at", _time, nullable=False),
    # By payment, which is how they are read.
    PrimaryKeyConstraint("workspace_id", "payment_id", "fact_id", name="facts_pk"),
)

conversions = Table(
    "conversions",
    metadata,
    Column("workspace_id", Text, nullable=False),
    # Time-ordered, for paging newest first.
    Column("conversion_id", _uuid, nullable=False),
    Column("payment_id", _uuid, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("provider_payment_id", Text, nullable=False),
    Column("click_id", Text),
    Column("campaign_id", Text),
    Column("goal_id", Text),
    Column("basis", Text),
    # The click as it was when the credit was given; it outlives the click.
    Column("credited_click", JSONB),
    # What else there is to say of a credit that is no click's of the payment's own: the promotion
    # code, the conversion that it was inherited from, who attached it and why.
    Column("credit_details", JSONB),
    # The best click id that the payment names and that this workspace does not know (yet).
    Column("unknown_click_id", Text),
    # What the payment is one of several of, at the provider.
    Column("subscription_id", Text),
    Column("customer_id", Text),
    # The first conversion of the same subscription, where this one is a later one.
    Column("initial_conversion_id", _uuid),
    Column("state", Text, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("gross_minor_units", BigInteger, nullable=False),
    Column("refunded_minor_units", BigInteger, nullable=False),
    Column("disputed_minor_units", BigInteger, nullable=False),
    Column("net_minor_units", BigInteger, nullable=False),
    Column("paid_at", _time),
    Column("test", Boolean, nullable=False),
    Column("created_at", _time, nullable=False),
    Column("updated_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversion_id", name="conversions_pk"),
    # One payment is one conversion: held here, not by a check before the insert.
    UniqueConstraint("workspace_id", "payment_id", name="conversions_payment_key"),
    CheckConstraint(
        "0 <= net_minor_units AND net_minor_units <= gross_minor_units"
        " AND refunded_minor_units >= 0 AND disputed_minor_units >= 0",
        name="conversions_amounts_check",
    ),
    Index(
        "conversions_campaign_idx",
        "workspace_id",
        "campaign_id",
        "conversion_id",
        postgresql_where=text("campaign_id IS NOT NULL"),
    ),
    Index("conversions_source_idx", "workspace_id", "source_id", "conversion_id"),
    Index(
        "conversions_click_idx",
        "workspace_id",
        "click_id",
        "conversion_id",
        postgresql_where=text("click_id IS NOT NULL"),
    ),
    Index(
        "conversions_unknown_click_idx",
        "workspace_id",
        "unknown_click_id",
        postgresql_where=text("unknown_click_id IS NOT NULL"),
    ),
    # Pages by pay time, and all that revenue is summed up from: it is read without a look at the
    # conversions themselves, which are four times as large and lie all over the table.
    Index(
        "conversions_revenue_idx",
        "workspace_id",
        "paid_at",
        "conversion_id",
        postgresql_include=[
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
        ],
    ),
    # For filters that few rows pass. The state that most are in is left out, so that a paid
    # conversion costs nothing; what is left out is found on the primary key.
    Index(
        "conversions_state_idx",
        "workspace_id",
        "state",
        "conversion_id",
        postgresql_where=text("state <> 'paid'"),
    ),
    Index(
        "conversions_uncredited_idx",
        "workspace_id",
        "conversion_id",
        postgresql_where=text("basis IS NULL"),
    ),
    Index(
        "conversions_subscription_idx",
        "workspace_id",
        "subscription_id",
        "paid_at",
        postgresql_where=text("subscription_id IS NOT NULL"),
    ),
    Index(
        "conversions_customer_idx",
        "workspace_id",
        "customer_id",
        "paid_at",
        postgresql_where=text("customer_id IS NOT NULL"),
    ),
    Index("conversions_test_idx", "workspace_id", "conversion_id", postgresql_where=text("test")),
    Index(
        "conversions_goal_idx",
        "workspace_id",
        "goal_id",
        postgresql_where=text("goal_id IS NOT NULL"),
    ),
)

# The subscriptions and customers that conversions belong to. The primary key makes two batches
# that bring the first conversions of one family at the same moment see each other.
families = Table(
    "families",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "value", "kind", "source_id", name="families_pk"),
)

# Every change of a conversion, in one gapless order for each workspace: the number is taken from
# the counter's row at the end of the transaction that makes the change, so that whoever has read
# up to a number has missed none below it.
conversion_changes = Table(
    "conversion_changes",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("change_number", BigInteger, nullable=False),
    Column("conversion_id", _uuid, nullable=False),
    # The row before and after; NULL before it came into being, and after it was merged away.
    Column("before", JSONB),
    Column("after", JSONB),
    Column("changed_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "change_number", name="conversion_changes_pk"),
)

change_counters = Table(
    "change_counters",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", name="change_counters_pk"),
)

# Credits that people gave, and took back. Only ever added to; the last one of a conversion holds.
attachments = Table(
    "attachments",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("attachment_id", _uuid, nullable=False),
    Column("conversion_id", _uuid, nullable=False),
    # Neither of the two: the credit was given back to the evidence.
    Column("click_id", Text),
    Column("campaign_id", Text),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("request_id", Text),
    Column("attached_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "attachment_id", name="attachments_pk"),
    UniqueConstraint("workspace_id", "request_id", name="attachments_request_id_key"),
    Index("attachments_conversion_idx", "workspace_id", "conversion_id", "attachment_id"),
)

# What the resolver still has to do. A task is claimed by moving its `due_at` ahead.
tasks = Table(
    "tasks",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("task_key", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("due_at", _time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "kind", "task_key", name="tasks_pk"),
    Index("tasks_due_idx", "workspace_id", "due_at"),
)

# What promotion codes say that the provider's events name by their ids alone. NULL: the provider
# knows no such code.
promotion_codes = Table(
    "promotion_codes",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("promotion_code_id", Text, nullable=False),
    Column("code", Text),
    Column("found_at", _time, nullable=False),
    PrimaryKeyConstraint(
        "workspace_id", "source_id", "promotion_code_id", name="promotion_codes_pk"
    ),
)

# Which events were ingested. Kept longer than a provider can resend, and apart from the log,
# whose partitions are dropped.
event_claims = Table(
    "event_claims",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("claimed_at", _time, nullable=False),
    PrimaryKeyConstraint("workspace_id", "source_id", "event_id", name="event_claims_pk"),
)

# One row a delivery, partitioned by day so that 30 days are kept by dropping partitions.
# `received_at` is the millisecond time inside the UUIDv7 `log_id`, so a row is found by its id
# in one partition.
webhook_logs = Table(
    "webhook_logs",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("received_at", _time, nullable=False),
    Column("log_id", _uuid, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("conversion_id", _uuid),
    Column("test", Boolean, nullable=False),
    Column("delivery_count", Integer, nullable=False),
    # The raw body, compressed and encrypted: no card or address data lies here in the clear.
    Column("body", LargeBinary),
    Column("body_key_id", Text),
    Column("body_format", SmallInteger),
    # What was answered at first, where a later look-up or a late click has changed it.
    Column("first_outcome", Text),
    Column("resolved_at", _time),
    PrimaryKeyConstraint("workspace_id", "received_at", "log_id", name="webhook_logs_pk"),
    Index("webhook_logs_source_idx", "workspace_id", "source_id", "received_at", "log_id"),
    Index("webhook_logs_event_idx", "workspace_id", "event_id"),
    Index("webhook_logs_type_idx", "workspace_id", "event_type", "received_at", "log_id"),
    # Not for the outcome that most rows have: it costs a good delivery nothing.
    Index(
        "webhook_logs_outcome_idx",
        "workspace_id",
        "outcome",
        "received_at",
        "log_id",
        postgresql_where=text("outcome <> 'attributed'"),
    ),
    Index(
        "webhook_logs_conversion_idx",
        "workspace_id",
        "conversion_id",
        postgresql_where=text("conversion_id IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (received_at)",
)
