"""The steps of the demonstration."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from synaptyx.attribution.v1.conversion_pb2 import Conversion
from synaptyx.sources.v1.revenue_source_pb2 import RevenueSource
from synaptyx.type.v1.provider_pb2 import PROVIDER_POLAR, PROVIDER_STRIPE, Provider

from deploy.local.demo.subscribing import Subscribing
from deploy.local.demo.tables import Show
from deploy.local.merchant.connecting import connect
from deploy.local.merchant.errors import StepFailed
from deploy.local.merchant.sandboxes import (
    POLAR_TOKEN,
    STRIPE_KEY,
    Answer,
    PolarMerchant,
    StripeMerchant,
)
from deploy.local.merchant.services import Services
from deploy.local.stack_file import StackFile

STRIPE_AMOUNT, STRIPE_REFUND = 4900, 1500
POLAR_AMOUNT, POLAR_TAX, POLAR_REFUND = 2000, 380, 500


@dataclass(frozen=True)
class Demonstration:
    """Plays the demonstration once. It can be played any number of times."""

    stack: StackFile
    services: Services
    http: aiohttp.ClientSession
    show: Show
    now: Callable[[], datetime]

    async def play(self) -> None:
        """Play every step, and show what became of it.

        Raises:
            StepFailed: something did not happen as it should.
        """
        began = self.now()
        campaign = await self.services.campaign("demonstration", display_name="Demonstration")
        self.show.step(f"A campaign: {campaign.name}")
        stripe = StripeMerchant(self.http, url=self.stack.stripe_sandbox_url, key=STRIPE_KEY)
        polar = PolarMerchant(self.http, url=self.stack.polar_sandbox_url, key=POLAR_TOKEN)
        stripe_source = await self._connect(PROVIDER_STRIPE, stripe, key=STRIPE_KEY)
        await self._connect(PROVIDER_POLAR, polar, key=POLAR_TOKEN)
        bought = await self._buy_at_stripe(stripe, campaign.name)
        ordered = await self._buy_at_polar(polar, campaign.name)
        subscribing = Subscribing(self.services, stripe, self.show)
        click = await self._click(campaign.name)
        subscription, first = await subscribing.subscribe(click)
        renewal = await subscribing.renew(subscription, first)
        coded = await subscribing.buy_with_code(campaign.name)
        await self._repeat(stripe, bought.event)
        await self._forge(stripe_source)
        refunded = f"PARTIALLY_REFUNDED with {STRIPE_REFUND} given back"
        conversions = [
            await self.services.conversion(
                bought.payment,
                expected=refunded,
                when=lambda one: one.refunded.minor_units == STRIPE_REFUND,
            ),
            await self.services.conversion(
                ordered.payment,
                expected="PARTIALLY_REFUNDED",
                when=lambda one: one.state == Conversion.STATE_PARTIALLY_REFUNDED,
            ),
            first,
            renewal,
            coded,
        ]
        self.show.step("What became of it, read over gRPC as the operator")
        self.show.conversions(conversions)
        self.show.webhook_logs(await self.services.webhook_logs(since=began))

    async def _connect(
        self,
        provider: Provider,
        merchant: StripeMerchant | PolarMerchant,
        *,
        key: str,
    ) -> RevenueSource:
        name = Provider.Name(provider).removeprefix("PROVIDER_").title()
        before = await self.services.source(provider, name=f"{name} sandbox")
        source = await connect(
            self.services, merchant, provider=provider, name=before.display_name, key=key
        )
        self.show.step(f"A {name} source: {source.name}")
        self.show.line(f"its webhooks go to {source.webhook_uri}")
        if before.state == RevenueSource.STATE_ACTIVE:
            self.show.line("connected by an earlier run")
        else:
            self.show.line("connected with an API key and a signing secret: ACTIVE")
        return source

    async def _click(self, campaign: str) -> str:
        click_id = f"demo_{secrets.token_urlsafe(12)}"
        click = await self.services.record_click(click_id, campaign=campaign)
        self.show.step(f"A visitor clicks: {click.name}")
        return click_id

    async def _buy_at_stripe(self, merchant: StripeMerchant, campaign: str) -> "_Purchase":
        click = await self._click(campaign)
        session, intent, events = await merchant.buy(click, amount=STRIPE_AMOUNT)
        self.show.step(f"and buys through Stripe: {session}")
        answers = await merchant.answers(events)
        self.show.answers(answers)
        await self._paid(session, click, gross=STRIPE_AMOUNT)
        self.show.step(f"A part is refunded: {STRIPE_REFUND} of {STRIPE_AMOUNT} cents")
        events = await merchant.refund(intent, amount=STRIPE_REFUND)
        self.show.answers(await merchant.answers(events))
        completed = [one for one in answers if one.event_type == "checkout.session.completed"]
        return _Purchase(payment=session, event=completed[0].event)

    async def _buy_at_polar(self, merchant: PolarMerchant, campaign: str) -> "_Purchase":
        click = await self._click(campaign)
        order, events = await merchant.buy(click, amount=POLAR_AMOUNT, tax=POLAR_TAX)
        self.show.step(f"and buys through Polar: {order}")
        self.show.answers(await merchant.answers(events))
        await self._paid(order, click, gross=POLAR_AMOUNT + POLAR_TAX)
        self.show.step(f"A part is refunded: {POLAR_REFUND} cents and the tax on them")
        self.show.answers(await merchant.answers(await merchant.refund(order, amount=POLAR_REFUND)))
        return _Purchase(payment=order, event=events[-1])

    async def _paid(self, payment: str, click: str, *, gross: int) -> None:
        conversion = await self.services.conversion(
            payment,
            expected=f"PAID with {gross}",
            when=lambda one: one.state == Conversion.STATE_PAID and one.gross.minor_units == gross,
        )
        if not conversion.click.endswith(f"/{click}"):
            raise StepFailed(f"{conversion.name} should be credited to {click}, and is not")

    async def _repeat(self, merchant: StripeMerchant, event: str) -> None:
        self.show.step(f"Stripe delivers an event again: {event}")
        answers = await merchant.redeliver(event)
        self.show.answers(answers)
        _expect(answers[-1], status=200, outcome="duplicate")

    async def _forge(self, source: RevenueSource) -> None:
        self.show.step("Somebody forges a payment of a million, signed with a secret of their own")
        at, event_id = int(self.now().timestamp()), f"evt_{secrets.token_hex(12)}"
        session = {"object": "checkout.session", "id": "cs_forged", "amount_total": 100_000_000}
        event = {
            "id": event_id,
            "object": "event",
            "type": "checkout.session.completed",
            "created": at,
            "data": {"object": session},
        }
        body = json.dumps(event).encode()
        digest = hmac.new(b"whsec_forged", b"%d." % at + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={digest}", "Content-Type": "application/json"}
        try:
            async with self.http.post(source.webhook_uri, data=body, headers=headers) as response:
                outcome = str((await response.json()).get("outcome"))
        except (aiohttp.ClientError, ValueError) as error:
            raise StepFailed(f"ingress does not answer ({type(error).__name__})") from error
        answer = Answer(event_id, "checkout.session.completed", response.status, outcome)
        self.show.answers([answer])
        _expect(answer, status=401, outcome="invalid_signature")


@dataclass(frozen=True)
class _Purchase:
    payment: str
    event: str
    """The event that told of it."""


def _expect(answer: Answer, *, status: int, outcome: str) -> None:
    if (answer.status, answer.outcome) != (status, outcome):
        raise StepFailed(
            f"the answer should be HTTP {status} {outcome}, and is "
            f"HTTP {answer.status} {answer.outcome}"
        )
