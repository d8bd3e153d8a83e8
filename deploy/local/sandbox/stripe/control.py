"""What a person does at the real Stripe by hand: the sandbox's own routes, without a key.

GET  /sandbox/health
POST /sandbox/keys                              makes the key of a new merchant
POST /sandbox/checkout/sessions/{id}/pay        the buyer pays; {"code": "FALL20"} is the promotion
                                                code that is entered, {"delayed": true} pays by
                                                bank debit
POST /sandbox/payment_links/{id}/buy            {"client_reference_id": "..."}
POST /sandbox/payment_intents/{id}/pay          by card, in a form of the merchant's own
POST /sandbox/payment_intents/{id}/settle       {"succeed": true}: what became of a bank debit
POST /sandbox/subscriptions/{id}/renew          {"amount", "billing_reason", "how"}: how is card,
                                                declined or later
POST /sandbox/invoices/{id}/pay                 {"out_of_band": true} for cash
POST /sandbox/charges/{id}/dispute              {"amount", "inquiry"}
POST /sandbox/disputes/{id}/{what}              escalate, respond, lose, close, or win, with
                                                {"reinstated"} for a part
POST /sandbox/refunds/{id}/fail                 the bank gives the refund back
POST /sandbox/events/{id}/redeliver             sends it again to every endpoint
POST /sandbox/webhook_endpoints/{id}/roll       {"old_for_seconds": 86400}
GET  /sandbox/deliveries?event={id}             every attempt, with its answer
"""

import orjson
from aiohttp import web

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import (
    checkout,
    disputing,
    forms,
    keys,
    paying,
    promotions,
    refunding,
    subscribing,
)
from deploy.local.sandbox.stripe.errors import invalid_parameter
from deploy.local.sandbox.stripe.ledger import Ledger
from deploy.local.sandbox.stripe.merchants import Merchants
from services.chassis.clock import Clock

# The longest that Stripe lets an old secret sign beside the new one.
MOST_OVERLAP_SECONDS = 86_400
HOW = ("card", "declined", "later")


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
            web.post("/sandbox/payment_intents/{id}/pay", self._pay_intent),
            web.post("/sandbox/payment_intents/{id}/settle", self._settle),
            web.post("/sandbox/subscriptions/{id}/renew", self._renew),
            web.post("/sandbox/invoices/{id}/pay", self._pay_invoice),
            web.post("/sandbox/charges/{id}/dispute", self._dispute),
            web.post("/sandbox/disputes/{id}/{what}", self._move_dispute),
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
        ledger, session = self._owned("checkout.session", request)
        body = await _body(request)
        if body.get("code") is not None:
            checkout.use_code(ledger, session, promotions.named(ledger, str(body["code"])))
        events = checkout.pay(ledger, session, delayed=_flag(body, "delayed"))
        return web.json_response({"session": session, "events": events})

    async def _buy(self, request: web.Request) -> web.Response:
        reference = (await _body(request)).get("client_reference_id")
        if reference is not None and not isinstance(reference, str):
            raise invalid_parameter("client_reference_id", "It must be a text.")
        ledger, link = self._owned("payment_link", request)
        session, events = checkout.buy_through_link(ledger, link, client_reference_id=reference)
        return web.json_response({"session": session, "events": events})

    async def _pay_intent(self, request: web.Request) -> web.Response:
        ledger, intent = self._owned("payment_intent", request)
        events = paying.pay_by_card(ledger, intent)
        return web.json_response({"payment_intent": intent, "events": events})

    async def _settle(self, request: web.Request) -> web.Response:
        ledger, intent = self._owned("payment_intent", request)
        body = await _body(request)
        events = checkout.settle(ledger, intent, succeed=_flag(body, "succeed", default=True))
        return web.json_response({"payment_intent": intent, "events": events})

    async def _renew(self, request: web.Request) -> web.Response:
        ledger, subscription = self._owned("subscription", request)
        body = await _body(request)
        how = body.get("how", "card")
        if how not in HOW:
            raise invalid_parameter("how", f"It must be one of {', '.join(HOW)}.")
        invoice, events = subscribing.renew(
            ledger,
            subscription,
            amount=forms.whole(body, "amount"),
            reason=str(body.get("billing_reason", "subscription_cycle")),
            how=how,
        )
        return web.json_response({"invoice": invoice, "events": events})

    async def _pay_invoice(self, request: web.Request) -> web.Response:
        ledger, invoice = self._owned("invoice", request)
        out_of_band = _flag(await _body(request), "out_of_band")
        events = subscribing.pay_invoice(ledger, invoice, out_of_band=out_of_band)
        return web.json_response({"invoice": invoice, "events": events})

    async def _dispute(self, request: web.Request) -> web.Response:
        ledger, charge = self._owned("charge", request)
        body = await _body(request)
        dispute, events = disputing.open_dispute(
            ledger,
            charge,
            amount=forms.whole(body, "amount"),
            inquiry=_flag(body, "inquiry"),
        )
        return web.json_response({"dispute": dispute, "events": events})

    async def _move_dispute(self, request: web.Request) -> web.Response:
        ledger, dispute = self._owned("dispute", request)
        body = await _body(request)
        match request.match_info["what"]:
            case "win":
                reinstated = forms.whole(body, "reinstated")
                events = disputing.win(ledger, dispute, reinstated=reinstated)
            case "escalate" | "respond" | "lose" | "close" as what:
                events = getattr(disputing, what)(ledger, dispute)
            case _:
                raise web.HTTPNotFound
        return web.json_response({"dispute": dispute, "events": events})

    async def _fail_refund(self, request: web.Request) -> web.Response:
        ledger, refund = self._owned("refund", request)
        events = refunding.fail_refund(ledger, refund)
        return web.json_response({"refund": refund, "events": events})

    def _owned(self, kind: str, request: web.Request) -> tuple[Ledger, JsonObject]:
        """Give the object that a path names, and the ledger of whoever owns it."""
        id_ = request.match_info["id"]
        ledger = self._merchants.owner(kind, id_)
        return ledger, ledger.find(kind, id_, param=kind.rpartition(".")[2])

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
        # It takes what the state can be written with: no lone surrogate, and no other charset.
        found = orjson.loads(await request.read() or b"{}")
    except ValueError:
        raise invalid_parameter("body", "The body must be JSON in Unicode.") from None
    if not isinstance(found, dict):
        raise invalid_parameter("body", "The body must be an object.")
    return found


def _flag(body: JsonObject, name: str, *, default: bool = False) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise invalid_parameter(name, "It must be true or false.")
    return value
