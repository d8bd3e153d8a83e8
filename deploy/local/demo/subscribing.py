"""The steps of the demonstration that need more than one event, or a look-up, to be credited."""

from dataclasses import dataclass

from synaptyx.attribution.v1.conversion_pb2 import Conversion

from deploy.local.demo.tables import Show
from deploy.local.merchant.errors import StepFailed
from deploy.local.merchant.sandboxes import StripeMerchant
from deploy.local.merchant.services import Services

CODE = "DEMO20"
MONTHLY, LISTED, DISCOUNTED = 2900, 2000, 1600


@dataclass(frozen=True)
class Subscribing:
    """Sells a subscription that is renewed and disputed, and takes a promotion code."""

    services: Services
    stripe: StripeMerchant
    show: Show

    async def subscribe(self, click: str) -> tuple[str, Conversion]:
        """Subscribe through a click; gives the subscription and the first conversion."""
        subscription, invoice, events = await self.stripe.subscribe(click, amount=MONTHLY)
        self.show.step(f"and subscribes through Stripe: {subscription}")
        self.show.answers(await self.stripe.answers(events))
        first = await self._paid(invoice, gross=MONTHLY)
        if not first.click.endswith(f"/{click}"):
            raise StepFailed(f"{first.name} should be credited to {click}, and is not")
        return subscription, first

    async def renew(self, subscription: str, first: Conversion) -> Conversion:
        """Let a month go by: the renewal names no click, and is credited to the first one's."""
        invoice, events = await self.stripe.renew(subscription)
        self.show.step(f"A month later the subscription renews by itself: {invoice}")
        self.show.answers(await self.stripe.answers(events))
        renewal = await self._paid(invoice, gross=MONTHLY)
        if renewal.click != first.click or renewal.basis != Conversion.BASIS_SUBSCRIPTION:
            raise StepFailed(f"{renewal.name} should be credited through {subscription}")
        return await self._dispute(invoice)

    async def buy_with_code(self, campaign: str) -> Conversion:
        """Buy without a click, with a code of the campaign; its text must be looked up."""
        await self.services.own_code(campaign, CODE)
        session, events = await self.stripe.buy_with_code(CODE, amount=LISTED)
        self.show.step(f"Somebody without a click buys with the code {CODE}: {session}")
        self.show.answers(await self.stripe.answers(events))
        return await self.services.conversion(
            session,
            expected=f"credited to {campaign} by its code",
            when=lambda one: one.campaign == campaign and one.gross.minor_units == DISCOUNTED,
        )

    async def _dispute(self, invoice: str) -> Conversion:
        dispute, events = await self.stripe.dispute(invoice)
        self.show.step(f"The buyer disputes the renewal: {dispute}")
        self.show.answers(await self.stripe.answers(events))
        await self.services.conversion(
            invoice,
            expected="DISPUTED with nothing left",
            when=lambda one: one.state == Conversion.STATE_DISPUTED and one.net.minor_units == 0,
        )
        self.show.step("and the shop wins: the money counts again")
        self.show.answers(await self.stripe.answers(await self.stripe.win(dispute)))
        return await self._paid(invoice, gross=MONTHLY)

    async def _paid(self, payment: str, *, gross: int) -> Conversion:
        return await self.services.conversion(
            payment,
            expected=f"PAID with {gross}",
            when=lambda one: one.state == Conversion.STATE_PAID and one.net.minor_units == gross,
        )
