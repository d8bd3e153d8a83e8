"""Fill a migrated database with as many rows as a busy merchant has, by SQL alone.

Conversions were paid within the last 90 days, log rows received within the last 30. Five in a
hundred belong to another workspace. Nothing is vacuumed: that is how a database looks at its worst.
"""

from __future__ import annotations

from tests.postgres import PostgresServer

CAMPAIGNS = 50
DAYS = 90

# What a row is like follows from its number by remainders of primes, so that no two things that
# it is like go together.
_CLICK = """
jsonb_build_object(
    'workspace_id', workspace_id, 'click_id', click_id, 'campaign_id', campaign_id,
    'clicked_at', paid_at - interval '1 day', 'referrer', 'https://news.example/post?id=' || n % 97,
    'parameters', jsonb_build_object(
        'utm_source', 'source-' || n % 13, 'utm_medium', 'cpc', 'sub1', 'sub-' || n % 5003,
        'gclid', md5(n::text)),
    'cost', NULL, 'created_at', paid_at - interval '1 day')
"""

_CONVERSIONS = f"""
INSERT INTO attribution.conversions
    (workspace_id, conversion_id, payment_id, source_id, provider_payment_id, click_id, campaign_id,
     goal_id, basis, credited_click, unknown_click_id, subscription_id, customer_id,
     initial_conversion_id, state, currency, gross_minor_units, refunded_minor_units,
     disputed_minor_units, net_minor_units, paid_at, test, created_at, updated_at)
SELECT workspace_id, id, id, 'Zx9kQ2pLm4Rt7Vw1Ys3B' || n % 5, 'pi_' || md5(n::text), click_id,
    campaign_id, CASE n % 4 WHEN 0 THEN NULL ELSE 'goal-' || n % 4 END,
    CASE WHEN click_id IS NULL THEN NULL ELSE 'metadata' END,
    CASE WHEN click_id IS NULL THEN NULL ELSE {_CLICK} END,
    CASE WHEN n % 101 = 0 THEN 'unknown-' || n END,
    CASE WHEN n % 3 = 0 THEN 'sub_' || n / 12 END, CASE WHEN n % 3 = 0 THEN 'cus_' || n / 12 END,
    CASE WHEN n % 3 = 0 AND n % 12 > 0 THEN id END, state,
    CASE n % 7 WHEN 0 THEN 'EUR' WHEN 1 THEN 'GBP' ELSE 'USD' END, gross,
    CASE state WHEN 'refunded' THEN gross WHEN 'partially_refunded' THEN gross / 2 ELSE 0 END,
    CASE WHEN state IN ('disputed', 'charged_back') THEN gross ELSE 0 END,
    CASE state WHEN 'paid' THEN gross WHEN 'partially_refunded' THEN gross - gross / 2 ELSE 0 END,
    CASE state WHEN 'pending' THEN NULL ELSE paid_at END, n % 97 = 0, paid_at, paid_at
FROM (
    SELECT n, id, paid_at, 100 + n % 9973 AS gross,
        CASE WHEN n % 20 = 0 THEN 'beta' ELSE 'acme' END AS workspace_id,
        CASE WHEN n % 10 < 7 THEN 'clk_' || md5((n / 2)::text) END AS click_id,
        CASE WHEN n % 10 < 7 THEN 'campaign-' || (n::bigint * n) % {CAMPAIGNS} END AS campaign_id,
        CASE WHEN n % 31 = 0 THEN 'refunded' WHEN n % 37 = 0 THEN 'partially_refunded'
            WHEN n % 211 = 0 THEN 'disputed' WHEN n % 401 = 0 THEN 'charged_back'
            WHEN n % 199 = 0 THEN 'pending' WHEN n % 397 = 0 THEN 'failed' ELSE 'paid' END AS state
    FROM (
        SELECT n, uuidv7(ago) AS id, now() + ago + interval '1 minute' * (n % 17) AS paid_at
        FROM (
            SELECT n, interval '{DAYS} days' * (n::float / {{rows}} - 1) AS ago
            FROM generate_series(1, {{rows}}) AS n
        ) AS numbered
    ) AS timed
) AS row
"""

_PAYMENT_IDS = """
INSERT INTO attribution.payment_ids (workspace_id, source_id, kind, value, payment_id)
SELECT workspace_id, source_id, 'payment_intent', provider_payment_id, payment_id
FROM attribution.conversions
"""

_CLICKS = f"""
INSERT INTO attribution.clicks
    (workspace_id, click_id, campaign_id, clicked_at, parameters, cost_minor_units, cost_currency,
     created_at)
SELECT 'acme', 'clk_' || md5(n::text), 'campaign-' || n % {CAMPAIGNS}, at,
    jsonb_build_object('utm_source', 'source-' || n % 13, 'sub1', 'sub-' || n % 5003),
    CASE WHEN n % 2 = 0 THEN 20 + n % 50 END, CASE WHEN n % 2 = 0 THEN 'USD' END, at
FROM (
    SELECT n, now() - interval '{DAYS} days' * (n::float / {{rows}}) AS at
    FROM generate_series(1, {{rows}}) AS n
) AS row
"""

_LOGS = """
INSERT INTO attribution.webhook_logs
    (workspace_id, received_at, log_id, source_id, provider, origin, event_id, event_type, outcome,
     reason, conversion_id, test, delivery_count, body, body_key_id, body_format)
SELECT CASE WHEN n % 20 = 0 THEN 'beta' ELSE 'acme' END, uuid_extract_timestamp(id), id,
    'Zx9kQ2pLm4Rt7Vw1Ys3B' || n % 5, 'stripe', 'webhook', 'evt_' || md5(n::text),
    CASE n % 11 WHEN 0 THEN 'charge.refunded' WHEN 1 THEN 'invoice.paid'
        WHEN 2 THEN 'payment_intent.succeeded' ELSE 'checkout.session.completed' END,
    CASE WHEN n % 23 = 0 THEN 'duplicate' WHEN n % 29 = 0 THEN 'adjusted'
        WHEN n % 17 = 0 THEN 'ignored' WHEN n % 1009 = 0 THEN 'quarantined'
        WHEN n % 13 = 0 THEN 'orphan_no_clickid' ELSE 'attributed' END,
    'click_credited', CASE WHEN n % 3 > 0 THEN id END, n % 97 = 0, 1,
    decode(repeat(md5(n::text), 12), 'hex'), 'key-1', 1
FROM (
    SELECT n, uuidv7(interval '30 days' * (n::float / {rows} - 1)) AS id
    FROM generate_series(1, {rows}) AS n
) AS row
"""

_PARTITIONS = "SELECT attribution.ensure_webhook_log_partitions(current_date - 31, 33)"


def load(server: PostgresServer, database: str, *, rows: int) -> None:
    """Load so many conversions, so many log rows and half as many clicks."""
    server.execute(_PARTITIONS, database=database)
    server.execute(_CONVERSIONS.format(rows=rows), database=database)
    server.execute(_PAYMENT_IDS, database=database)
    server.execute(_CLICKS.format(rows=rows // 2), database=database)
    server.execute(_LOGS.format(rows=rows), database=database)
    # What autovacuum does within a minute of a load, but for the vacuum itself.
    server.execute("ANALYZE", database=database)
