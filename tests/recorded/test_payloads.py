"""Every recorded payload can be read, and says what it says."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from services.attribution.domain.counting import Account, count
from services.attribution.domain.crediting import Knowledge
from services.attribution.domain.facts import Provider
from services.attribution.domain.mappings import BY_DEFAULT
from services.attribution.domain.outcomes import Outcome
from services.attribution.domain.webhook_logs import Origin
from services.attribution.events import IncomingEvent, ReadEvent, read
from tests.unit.attribution.domain.test_counting import NOW

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"


def read_file(path: Path, provider: Provider) -> ReadEvent:
    body = path.read_bytes()
    event_type = str(json.loads(body)["type"])
    return read(IncomingEvent("acme", "src", provider, "evt", event_type, Origin.WEBHOOK, body))


def quarantined(paths: list[Path], provider: Provider) -> list[str]:
    assert len(paths) > 10
    return [
        path.name
        for path in paths
        if (verdict := read_file(path, provider).verdict) is not None
        and verdict.outcome is Outcome.QUARANTINED
    ]


def test_events_of_old_stripe_versions_can_be_read():
    paths = sorted((FIXTURES / "stripe" / "events-pre-basil").glob("*.json"))
    assert quarantined(paths, Provider.STRIPE) == []


def test_polars_own_payloads_can_be_read():
    paths = sorted((FIXTURES / "polar" / "payloads").glob("*.[0-9]*.json"))
    assert quarantined(paths, Provider.POLAR) == []


def test_polars_own_sequences_end_in_one_conversion_each():
    totals = {}
    for path in sorted((FIXTURES / "polar" / "payloads").glob("*.sequence.json")):
        account = Account("acme", "src", UUID(int=1))
        for step in json.loads(path.read_text()):
            said = read_file(path.parent / step["file"], Provider.POLAR).said
            if said is not None:
                count(
                    account,
                    said,
                    knowledge=Knowledge(),
                    mappings=BY_DEFAULT[Provider.POLAR],
                    now=NOW,
                    new_id=UUID(int=2),
                )
        assert account.conversion is not None, path.name
        amounts = account.conversion.amounts
        net = account.conversion.net
        totals[path.name.partition(".")[0]] = (amounts.gross, amounts.refunded, net)
    assert totals == {
        "free_order_zero_amount": (0, 0, 0),
        "one_time_checkout_link_reference_id": (1190, 0, 1190),
        "one_time_purchase_with_discount": (1090, 0, 1090),
        "partial_refund": (1190, 357, 833),
        "subscription_first_payment": (1000, 0, 1000),
    }
