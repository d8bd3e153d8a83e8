"""What a person does at the real Stripe by hand: the sandbox's own routes, without a key.

GET  /sandbox/health
POST /sandbox/keys                              makes the key of a new merchant
POST /sandbox/checkout/sessions/{id}/pay        the buyer pays
POST /sandbox/payment_links/{id}/buy            {"client_reference_id": "..."}
POST /sandbox/refunds/{id}/fail                 the bank gives the refund back
POST /sandbox/events/{id}/redeliver             sends it again to every endpoint
POST /sandbox/webhook_endpoints/{id}/roll       {"old_for_seconds": 86400}
GET  /sandbox/deliveries?event={id}             every attempt, with its answer
"""

import json

from aiohttp import web

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import checkout, keys
from deploy.local.sandbox.stripe.errors import invalid_parameter
from deploy.local.sandbox.stripe.merchants import Merchants
from services.chassis.clock import Clock

# The longest that Stripe lets an old secret sign beside the new one.
MOST_OVERLAP_SECONDS = 86_400


class StripeControl:
    """Answers the sandbox's own routes."""

    def __init__(self, merchants: Merchants, *, clock: Clock) -> None:
        self._merchants = merchants
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/sandbox/health", self._health),
            web.post("/sandbox/keys", self._new_key),
            web.post("/sandbox/checkout/sessions/{id}/pay", self._pay),
            web.post("/sandbox/payment_links/{id}/buy", self._buy),
            web.post("/sandbox/refunds/{id}/fail", self._fail_refund),
            web.post("/sandbox/events/{id}/redeliver", self._redeliver),
            web.post("/sandbox/webhook_endpoints/{id}/roll", self._roll),
            web.get("/sandbox/deliveries", self._deliveries),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _new_key(self, _: web.Request) -> web.Response:
        return web.json_response({"api_key": keys.new_key()})

    async def _pay(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        ledger = self._merchants.owner("checkout.session", id_)
        session = ledger.find("checkout.session", id_, param="session")
        events = checkout.pay(ledger, session)
        return web.json_response({"session": session, "events": events})

    async def _buy(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        reference = (await _body(request)).get("client_reference_id")
        if reference is not None and not isinstance(reference, str):
            raise invalid_parameter("client_reference_id", "It must be a text.")
        ledger = self._merchants.owner("payment_link", id_)
        link = ledger.find("payment_link", id_, param="payment_link")
        session, events = checkout.buy_through_link(ledger, link, client_reference_id=reference)
        return web.json_response({"session": session, "events": events})

    async def _fail_refund(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        ledger = self._merchants.owner("refund", id_)
        refund = ledger.find("refund", id_, param="refund")
        events = checkout.fail_refund(ledger, refund)
        return web.json_response({"refund": refund, "events": events})

    async def _redeliver(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        sent = self._merchants.owner("event", id_).redeliver(id_)
        return web.json_response({"deliveries": [one["id"] for one in sent]})

    async def _roll(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        seconds = (await _body(request)).get("old_for_seconds", 0)
        if not isinstance(seconds, int) or not 0 <= seconds <= MOST_OVERLAP_SECONDS:
            raise invalid_parameter("old_for_seconds", "It must be from 0 to 86400.")
        until = self._clock.now().timestamp() + seconds
        secret = self._merchants.owner("webhook_endpoint", id_).roll_secret(id_, old_until=until)
        return web.json_response({"id": id_, "secret": secret})

    async def _deliveries(self, request: web.Request) -> web.Response:
        found = self._merchants.courier.list(event=request.query.get("event"))
        return web.json_response({"deliveries": found})


async def _body(request: web.Request) -> JsonObject:
    try:
        found = json.loads(await request.text() or "{}")
    except ValueError:
        raise invalid_parameter("body", "The body must be JSON.") from None
    if not isinstance(found, dict):
        raise invalid_parameter("body", "The body must be an object.")
    return found
