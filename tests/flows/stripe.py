"""The table of Stripe's flows: every row of the provider sheet, at every API version."""

from __future__ import annotations

from tests.flows.flow import Flow
from tests.flows.stripe_checkouts import checkouts
from tests.flows.stripe_losses import losses
from tests.flows.stripe_subscriptions import subscriptions

STRIPE_FLOWS: tuple[Flow, ...] = (*checkouts(), *subscriptions(), *losses())
"""Each with ids of its own, so that all of them can be delivered to one source."""
