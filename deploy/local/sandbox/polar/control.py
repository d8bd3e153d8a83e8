"""What a person does at the real Polar by hand: the sandbox's own routes, without a token.

GET  /sandbox/health
POST /sandbox/tokens                                makes the token of a new organization
POST /sandbox/checkouts/{id}/pay                    the buyer pays; {"discount_code": "TEN"} is
                                                    entered, {"trial": true} begins a plan's trial
POST /sandbox/subscriptions/{id}/renew              {"amount", "billing_reason"}
POST /sandbox/orders/{id}/dispute                   {"status": "needs_response"}: no event
POST /sandbox/disputes/{id}/{lose|win|prevent}
POST /sandbox/organizations/{id}/buy                {"reference_id", "amount", "tax_amount"}:
                                                    a purchase through a checkout link
POST /sandbox/orders/{id}/pending_refund            {"amount"}
POST /sandbox/refunds/{id}/{succeed|fail|cancel}
POST /sandbox/events/{id}/redeliver
POST /sandbox/webhooks/endpoints/{id}/legacy_secret {"prefix": "polar_whs_" or "whsec_"}
GET  /sandbox/deliveries?event={id}                 every attempt, with its answer
"""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from deploy.local.sandbox.polar import (
    bodies,
    discounts,
    disputing,
    objects,
    selling,
    signing,
    subscribing,
    tokens,
)
from deploy.local.sandbox.polar.errors import invalid, not_found
from deploy.local.sandbox.polar.organizations import Organizations

_SETTLED = {"succeed": "succeeded", "fail": "failed", "cancel": "canceled"}


class PolarControl:
    """Answers the sandbox's own routes."""

    def __init__(self, organizations: Organizations) -> None:
        self._organizations = organizations

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/sandbox/health", self._health),
            web.post("/sandbox/tokens", self._new_token),
            web.post("/sandbox/checkouts/{id}/pay", self._pay),
            web.post("/sandbox/organizations/{id}/buy", self._buy),
            web.post("/sandbox/subscriptions/{id}/renew", self._renew),
            web.post("/sandbox/orders/{id}/dispute", self._dispute),
            web.post("/sandbox/disputes/{id}/{what}", self._close_dispute),
            web.post("/sandbox/orders/{id}/pending_refund", self._pending_refund),
            web.post("/sandbox/refunds/{id}/{what}", self._settle),
            web.post("/sandbox/events/{id}/redeliver", self._redeliver),
            web.post("/sandbox/webhooks/endpoints/{id}/legacy_secret", self._legacy_secret),
            web.get("/sandbox/deliveries", self._deliveries),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _new_token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": tokens.new_token()})

    async def _pay(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        ledger = self._organizations.owner("checkout", id_)
        checkout, body = ledger.find("checkout", id_), await bodies.read(request)
        if body.get("discount_code") is not None:
            discounts.apply(ledger, checkout, str(body["discount_code"]))
        order, events = selling.pay(ledger, checkout, trial=body.get("trial") is True)
        return web.json_response({"order": order, "events": events})

    async def _renew(self, request: web.Request) -> web.Response:
        id_, body = request.match_info["id"], await bodies.read(request)
        ledger = self._organizations.owner("subscription", id_)
        order, events = subscribing.renew(
            ledger,
            ledger.find("subscription", id_),
            amount=bodies.whole(body, "amount", 0) if "amount" in body else None,
            reason=str(body.get("billing_reason", "subscription_cycle")),
        )
        return web.json_response({"order": order, "events": events})

    async def _dispute(self, request: web.Request) -> web.Response:
        id_, body = request.match_info["id"], await bodies.read(request)
        status = str(body.get("status", "needs_response"))
        if status not in disputing.OPEN:
            raise invalid("status", "Input should be a status that is open", value=status)
        ledger = self._organizations.owner("order", id_)
        made = disputing.open_dispute(ledger, ledger.find("order", id_), status=status)
        return web.json_response({"dispute": made, "events": []})

    async def _close_dispute(self, request: web.Request) -> web.Response:
        id_, what = request.match_info["id"], request.match_info["what"]
        if what not in ("lose", "win", "prevent"):
            raise not_found()
        ledger = self._organizations.owner("dispute", id_)
        dispute = ledger.find("dispute", id_)
        if what == "prevent":
            _, events = disputing.prevent(ledger, dispute)
        else:
            status = {"lose": "lost", "win": "won"}[what]
            events = disputing.close(ledger, dispute, status=status)
        return web.json_response({"dispute": dispute, "events": events})

    async def _buy(self, request: web.Request) -> web.Response:
        body = await bodies.read(request)
        ledger = self._organizations.ledger(request.match_info["id"])
        # A link hands over the reference and the utm parameters, and no other metadata.
        metadata = {
            key: value
            for key, value in body.items()
            if key == "reference_id" or key.startswith("utm_")
        }
        checkout = objects.checkout(
            objects.new_id(),
            ledger.product,
            at=ledger.now(),
            expires_at=objects.written(datetime.now(UTC) + timedelta(hours=1)),
            amount=bodies.whole(body, "amount", 1000),
            tax_amount=bodies.whole(body, "tax_amount", 0),
            currency="usd",
            metadata=metadata,
            success_url=None,
        )
        order, events = selling.pay(ledger, ledger.add("checkout", checkout))
        return web.json_response({"order": order, "events": events})

    async def _pending_refund(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        ledger = self._organizations.owner("order", id_)
        made, events = selling.refund(
            ledger,
            ledger.find("order", id_),
            amount=bodies.whole(await bodies.read(request), "amount", 0),
            reason="customer_request",
            metadata={},
            status="pending",
        )
        return web.json_response({"refund": made, "events": events})

    async def _settle(self, request: web.Request) -> web.Response:
        id_, status = request.match_info["id"], _SETTLED.get(request.match_info["what"])
        if status is None:
            raise not_found()
        ledger = self._organizations.owner("refund", id_)
        made = ledger.find("refund", id_)
        events = selling.settle_refund(ledger, made, status=status)
        return web.json_response({"refund": made, "events": events})

    async def _redeliver(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        self._organizations.owner("event", id_).redeliver(id_)
        return web.json_response(None, status=202)

    async def _legacy_secret(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        prefix = (await bodies.read(request)).get("prefix", signing.LEGACY_PREFIXES[0])
        if prefix not in signing.LEGACY_PREFIXES:
            raise invalid("prefix", "Input should be polar_whs_ or whsec_", value=prefix)
        ledger = self._organizations.owner("endpoint", id_)
        endpoint = ledger.endpoint(id_)
        endpoint["secret"] = signing.new_legacy_secret(prefix)
        endpoint["uses_standard_webhook_signature"] = False
        ledger.changed()
        return web.json_response(endpoint)

    async def _deliveries(self, request: web.Request) -> web.Response:
        found = self._organizations.courier.list(event=request.query.get("event"))
        return web.json_response({"deliveries": found})
