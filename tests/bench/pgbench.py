"""The yardstick: pgbench on the same PostgreSQL, one transaction an event.

It does by itself what an event needs of the database (the claim, the look-up of the click, the
conversion and the log row with a body of the usual sealed size) and nothing else, on the product's
own tables.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from typing import Literal

from deploy.local import postgres

_SCRIPT = """
\\set click random(0, {clicks} - 1)
\\set event random(1, 9000000000000000000)
BEGIN;
INSERT INTO attribution.event_claims (workspace_id, source_id, event_id, claimed_at)
    VALUES ('pgbench', 'src', 'evt_' || :event, now()) ON CONFLICT DO NOTHING;
SELECT campaign_id, clicked_at, referrer, parameters FROM attribution.clicks
    WHERE workspace_id = '{workspace}' AND click_id = 'clk_bench_' || :click;
INSERT INTO attribution.conversions
    (workspace_id, conversion_id, payment_id, source_id, provider_payment_id, click_id,
     campaign_id, basis, credited_click, state, currency, gross_minor_units,
     refunded_minor_units, disputed_minor_units, net_minor_units, paid_at, test, created_at,
     updated_at)
    VALUES ('pgbench', uuidv7(), uuidv7(), 'src', 'pi_' || :event, 'clk_bench_' || :click, NULL,
     'metadata', '{snapshot}', 'paid', 'USD', 4900, 0, 0, 4900, now(), false, now(), now());
INSERT INTO attribution.webhook_logs
    (workspace_id, received_at, log_id, source_id, provider, origin, event_id, event_type,
     outcome, reason, test, delivery_count, body, body_key_id, body_format)
    VALUES ('pgbench', now(), uuidv7(), 'src', 'stripe', 'webhook', 'evt_' || :event,
     'checkout.session.completed', 'attributed', 'click_credited', false, 1,
     convert_to(repeat('x', {body_bytes}), 'UTF8'), 'k', 1);
COMMIT;
"""


def transactions_per_second(
    postgres_url: str,
    *,
    workspace: str,
    clicks: int,
    body_bytes: int,
    seconds: int,
    protocol: Literal["simple", "prepared"],
) -> float:
    """Run pgbench with 8 clients over TCP, and return its transactions per second.

    `simple` is what pgbench does unless it is told otherwise: each statement is parsed and planned
    each time. `prepared` is the least that a client can cost the server.
    """
    snapshot = '{"click_id": "clk_bench", "parameters": {}, "clicked_at": "2026-11-01T00:00:00Z"}'
    script = _SCRIPT.format(
        workspace=workspace, clicks=clicks, snapshot=snapshot, body_bytes=body_bytes
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [
                str(postgres.binary("pgbench")),
                "--no-vacuum",
                f"--protocol={protocol}",
                "--client=8",
                "--jobs=2",
                f"--time={seconds}",
                f"--file={file.name}",
                postgres_url,
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench printed no tps: {done.stdout} {done.stderr}")
    return float(found[1])
