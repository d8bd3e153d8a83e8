"""Forty payments and their two hundred events: some of Stripe's flows, at several API versions.

Long ones, in which much can go wrong, and enough short ones beside them.
"""

from __future__ import annotations

from tests.flows.flow import Flow
from tests.flows.stripe import STRIPE_FLOWS
from tests.webhooks.stripe_objects import ACACIA, BASIL, CLOVER, DAHLIA, ENDIVE, LEGACY, VERSIONS

PAYMENTS = 40
EVENTS = 200

_CHOSEN = (
    ("renewal and upgrade", (ENDIVE,)),
    ("renewal that failed, recovered and was refunded", (BASIL,)),
    ("trial, then paid", (CLOVER,)),
    ("a customer who comes back", (ENDIVE,)),
    ("debit that comes back", (DAHLIA,)),
    ("capture of 3000", (ACACIA,)),
    ("two partial refunds", (CLOVER,)),
    ("refund that failed after it had succeeded", (ENDIVE,)),
    ("dispute won", (DAHLIA,)),
    ("dispute lost", (LEGACY,)),
    ("inquiry that became a dispute", (ENDIVE,)),
    ("refund fails because of a dispute", (BASIL,)),
    ("checkout with an invoice", (ENDIVE,)),
    ("own form without a click", (DAHLIA,)),
    ("free order", VERSIONS),
    ("free subscription", (ACACIA, BASIL, ENDIVE)),
    ("paid out of band", (LEGACY, ACACIA, CLOVER, ENDIVE)),
    ("own form with a click", (LEGACY, BASIL, DAHLIA, ENDIVE)),
    ("click on the payment intent", (ACACIA, BASIL, CLOVER, ENDIVE)),
)

CROWD: tuple[Flow, ...] = tuple(
    flow
    for flow in STRIPE_FLOWS
    for name, versions in _CHOSEN
    if flow.name == name and flow.api_version in versions
)
