"""Look-ups as the attribution service makes them: its identity, a real Vault, and the sandboxes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from deploy.local.certificates import CertificateDirectory
from services.attribution.connections import Connections, open_connections
from services.attribution.providers.lookups import LookupRefused, RefusedCause
from services.attribution.settings import LookupSettings
from services.attribution.sources import SourceKey, SourceState
from services.chassis.clock import SystemClock
from services.chassis.settings import TlsSettings
from tests.operator import Operator
from tests.sandboxes import PolarShop, StripeShop
from tests.stack import Stack

T = TypeVar("T")


@pytest.fixture(scope="session")
def stripe_shop(stack: Stack, operator: Operator) -> StripeShop:
    return StripeShop(stack.file, operator)


@pytest.fixture(scope="session")
def polar_shop(stack: Stack, operator: Operator) -> PolarShop:
    return PolarShop(stack.file, operator)


def ask(stack: Stack, what: Callable[[Connections], Awaitable[T]]) -> T:
    """Ask as the attribution service, over connections of its own."""
    files = CertificateDirectory(stack.directory / "certificates").identity("attribution")
    tls = TlsSettings(
        certificate_file=files.certificate_file, key_file=files.key_file, ca_file=files.ca_file
    )
    settings = LookupSettings(
        credentials_address=stack.file["credentials_address"],
        stripe_api_url=stack.file["stripe_sandbox_url"],
        polar_api_url=stack.file["polar_sandbox_url"],
    )

    async def asked() -> T:
        async with open_connections(settings, tls, clock=SystemClock()) as connections:
            return await what(connections)

    return asyncio.run(asked())


def key(source: str) -> SourceKey:
    _, workspace, _, source_id = source.split("/")
    return SourceKey(workspace, source_id)


class TestLookups:
    def test_a_source_is_found(self, stack: Stack, stripe_shop: StripeShop) -> None:
        source = key(stripe_shop.source)
        found = ask(stack, lambda to: to.sources.get(*source))
        assert found is not None
        assert (found.key, found.state) == (source, SourceState.ACTIVE)
        unknown = SourceKey(source.workspace_id, source.source_id[::-1])
        assert ask(stack, lambda to: to.sources.get(*unknown)) is None

    def test_a_payment_of_an_own_form_stands_alone(
        self, stack: Stack, stripe_shop: StripeShop
    ) -> None:
        paid = stripe_shop.pay_by_own_form()
        assert paid.outcomes["payment_intent.succeeded"] == "deferred"
        source, intent = key(stripe_shop.source), paid.made["id"]
        found = ask(stack, lambda to: to.lookups.stripe.find_of_payment_intent(source, intent))
        assert found.stands_alone

    def test_a_renewal_is_found_by_its_intent(self, stack: Stack, stripe_shop: StripeShop) -> None:
        session = stripe_shop.subscribe(None).made
        invoice = stripe_shop.renew(session["subscription"]).made
        payments = stripe_shop.get(f"/v1/invoice_payments?invoice={invoice['id']}")["data"]
        source, intent = key(stripe_shop.source), payments[0]["payment"]["payment_intent"]
        found = ask(stack, lambda to: to.lookups.stripe.find_of_payment_intent(source, intent))
        assert [one["invoice"] for one in found.invoice_payments] == [invoice["id"]]

    def test_a_promotion_code_is_told_by_its_text(
        self, stack: Stack, stripe_shop: StripeShop
    ) -> None:
        code = stripe_shop.promotion_code("FALL20")
        session = stripe_shop.buy(None, code="fall20").made
        source = key(stripe_shop.source)
        assert ask(stack, lambda to: to.lookups.stripe.promotion_code(source, code)) == "FALL20"
        used = ask(stack, lambda to: to.lookups.stripe.session_discounts(source, session["id"]))
        assert used == ("FALL20",)

    def test_an_order_of_polar_is_found(self, stack: Stack, polar_shop: PolarShop) -> None:
        order = polar_shop.buy(None).made
        source = key(polar_shop.source)
        found = ask(stack, lambda to: to.lookups.polar.order(source, order["id"]))
        assert [one["total_amount"] for one in found.objects] == [2000]

    def test_a_source_that_is_not_connected_is_a_persons_business(
        self, stack: Stack, polar_shop: PolarShop
    ) -> None:
        source = key(polar_shop.source)
        nobodys = SourceKey(source.workspace_id, source.source_id[::-1])
        with pytest.raises(LookupRefused) as refused:
            ask(stack, lambda to: to.lookups.polar.order(nobodys, "order"))
        assert refused.value.cause is RefusedCause.NOT_CONNECTED
