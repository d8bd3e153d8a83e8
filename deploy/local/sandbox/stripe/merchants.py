"""The accounts of the sandbox's Stripe, each with its ledger."""

from collections.abc import Mapping
from random import Random

from deploy.local.sandbox.deliveries import Courier, Retrying
from deploy.local.sandbox.state import JsonObject, State
from deploy.local.sandbox.stripe import signing
from deploy.local.sandbox.stripe.errors import missing
from deploy.local.sandbox.stripe.ledger import Ledger
from services.chassis.clock import Clock

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


class Merchants:
    """Gives the ledger of an account, and finds who owns an object."""

    def __init__(self, state: State, *, retrying: Retrying, clock: Clock, random: Random) -> None:
        self._state = state
        self._clock = clock
        self.courier = Courier(
            state,
            sign=self._sign,
            retrying=retrying,
            # Stripe promises no order.
            in_order=False,
            clock=clock,
            random=random,
            done=lambda _: None,
        )

    def ledger(self, account: str) -> Ledger:
        """Give the ledger of an account; a new key makes a new account."""
        return Ledger(account, self._state, courier=lambda: self.courier, clock=self._clock)

    def owner(self, kind: str, id_: str) -> Ledger:
        """Give the ledger of whoever owns an object, an event or an endpoint.

        Raises:
            StripeError: nobody does.
        """
        for account in self._state.document["accounts"]:
            ledger = self.ledger(account)
            if ledger.has(kind, id_):
                return ledger
        raise missing(kind, id_, param="id")

    def _sign(self, delivery: JsonObject) -> Mapping[str, str] | None:
        at = int(self._clock.now().timestamp())
        for account in self._state.document["accounts"]:
            active = self.ledger(account).active_secrets(delivery["endpoint"])
            if active:
                return {
                    "User-Agent": USER_AGENT,
                    "Content-Type": "application/json; charset=utf-8",
                    "Cache-Control": "no-cache",
                    "Stripe-Signature": signing.header(active, delivery["body"], at=at),
                }
        return None
