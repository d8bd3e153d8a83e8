"""The organizations of the sandbox's Polar, each with its ledger."""

from collections.abc import Mapping
from random import Random

from deploy.local.sandbox.deliveries import Courier, Retrying
from deploy.local.sandbox.polar import objects, signing
from deploy.local.sandbox.polar.errors import not_found
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.state import JsonObject, State
from services.chassis.clock import Clock

USER_AGENT = "polar.sh webhooks"


class Organizations:
    """Gives the ledger of an organization, and finds who owns an object."""

    def __init__(self, state: State, *, retrying: Retrying, clock: Clock, random: Random) -> None:
        self._state = state
        self._clock = clock
        self.courier = Courier(
            state,
            sign=self._sign,
            retrying=retrying,
            in_order=True,
            clock=clock,
            random=random,
            done=self._note_outcome,
        )

    def ledger(self, organization: str) -> Ledger:
        """Give the ledger of an organization; a new token makes a new one."""
        return Ledger(organization, self._state, courier=lambda: self.courier, clock=self._clock)

    def owner(self, kind: str, id_: str) -> Ledger:
        """Give the ledger of whoever owns an object, an event or an endpoint.

        Raises:
            PolarError: nobody does.
        """
        for organization in self._state.document["organizations"]:
            ledger = self.ledger(organization)
            if ledger.has(kind, id_):
                return ledger
        raise not_found()

    def having(self, kind: str, secret: str) -> tuple[Ledger, JsonObject] | None:
        """Find what has a client secret, the one thing that its buyer knows of it."""
        for organization in self._state.document["organizations"]:
            ledger = self.ledger(organization)
            for one in ledger.all(kind):
                if one["client_secret"] == secret:
                    return ledger, one
        return None

    def _endpoint(self, delivery: JsonObject) -> tuple[Ledger, JsonObject] | None:
        for organization in self._state.document["organizations"]:
            ledger = self.ledger(organization)
            if ledger.has("endpoint", delivery["endpoint"]):
                return ledger, ledger.endpoint(delivery["endpoint"])
        return None

    def _sign(self, delivery: JsonObject) -> Mapping[str, str] | None:
        found = self._endpoint(delivery)
        if found is None or not found[1]["enabled"]:
            return None
        endpoint = found[1]
        at = int(self._clock.now().timestamp())
        return {
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            # The event's id, the same in every attempt.
            "webhook-id": delivery["event"],
            "webhook-timestamp": str(at),
            "webhook-signature": signing.header(
                endpoint["secret"],
                delivery["event"],
                delivery["body"],
                at=at,
                standard=endpoint["uses_standard_webhook_signature"],
            ),
            "webhook-api-version": objects.API_VERSION,
        }

    def _note_outcome(self, delivery: JsonObject) -> None:
        found = self._endpoint(delivery)
        if found is not None:
            found[0].note_outcome(delivery)
