"""Polar's API, as far as a source needs it: api.polar.sh/v1."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from aiohttp import web

from deploy.local.sandbox.polar import (
    bodies,
    discounts,
    hosted,
    objects,
    pages,
    selling,
    signing,
    tokens,
)
from deploy.local.sandbox.polar.errors import PolarError, invalid, refused
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.state import JsonObject

Ledgers = Callable[[str], Ledger]
_Handler = Callable[[Ledger, web.Request, JsonObject], JsonObject | None]

# Lists and what is made in them have a trailing slash, webhooks have none.
_LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "/v1/checkout-links/": ("checkout_link", ()),
    "/v1/checkouts/": ("checkout", ("organization_id", "product_id", "status")),
    "/v1/orders/": (
        "order",
        ("product_id", "discount_id", "customer_id", "checkout_id", "subscription_id", "status"),
    ),
    "/v1/refunds/": (
        "refund",
        ("id", "organization_id", "order_id", "subscription_id", "customer_id"),
    ),
    "/v1/disputes/": ("dispute", ("order_id", "status")),
    "/v1/discounts/": ("discount", ()),
    "/v1/subscriptions/": ("subscription", ("product_id", "customer_id", "discount_id")),
}
_VERSIONS = ("2026-04", "2026-10", "2027-01")


class PolarApi:
    """Answers the routes of the API; `ledgers` gives an organization's."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        hooks = "/v1/webhooks/endpoints"
        routes = [
            self._route("GET", "/v1/organizations/", _organizations),
            self._route("GET", "/v1/organizations/{id}", _organization),
            self._route("GET", "/v1/products/", _products),
            self._route("POST", "/v1/checkouts/", _create_checkout, status=201),
            self._route("POST", "/v1/checkout-links/", _create_link, status=201),
            self._route("POST", "/v1/discounts/", _create_discount, status=201),
            self._route("POST", "/v1/refunds/", _create_refund, status=201),
            self._route("POST", hooks, _create_endpoint, status=201),
            self._route("GET", hooks, _list_endpoints),
            self._route("GET", f"{hooks}/{{id}}", _get_endpoint),
            self._route("PATCH", f"{hooks}/{{id}}", _update_endpoint),
            self._route("PATCH", f"{hooks}/{{id}}/secret", _reset_secret),
            self._route("DELETE", f"{hooks}/{{id}}", _delete_endpoint, status=204),
            self._route("GET", "/v1/webhooks/deliveries", _deliveries),
            self._route("POST", "/v1/webhooks/events/{id}/redeliver", _redeliver, status=202),
        ]
        for path, (kind, fields) in _LISTS.items():
            routes.append(self._route("GET", path, _lister(kind, fields)))
            routes.append(self._route("GET", f"{path}{{id}}", _getter(kind)))
            routes.append(web.route("*", path.rstrip("/"), _to_slash))
        routes.append(web.route("*", "/v1/organizations", _to_slash))
        return routes

    def _route(
        self, method: str, path: str, handler: _Handler, *, status: int = 200
    ) -> web.RouteDef:
        async def answer(request: web.Request) -> web.StreamResponse:
            organization = tokens.organization_of(request.headers.get("Authorization"))
            body = await bodies.read(request)
            if "organization_id" in body:
                # A token of an organization says which one by itself.
                raise invalid("organization_id", "Extra inputs are not permitted")
            result = handler(self._ledgers(organization), request, body)
            if request.method == "POST" and result is not None:
                hosted.have_url(result, origin=str(request.url.origin()))
            if status == 204:
                return web.Response(status=204)
            return web.json_response(result, status=status)

        return web.route(method, path, answer)


@web.middleware
async def errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every fault with Polar's error body, and say which API version answered."""
    version = request.headers.get("Polar-Version", objects.API_VERSION)
    response: web.StreamResponse
    try:
        if version not in _VERSIONS:
            raise refused(404, "ResourceNotFound", "Not found")
        response = await handler(request)
    except PolarError as error:
        response = web.json_response(error.body, status=error.status, headers=error.headers)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        response = web.json_response({"detail": error.reason}, status=error.status)
    response.headers["Polar-Version"] = version
    return response


async def _to_slash(request: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect(str(request.rel_url.with_path(f"{request.path}/")))


def _lister(kind: str, fields: tuple[str, ...]) -> _Handler:
    def answer(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
        found = pages.matching(ledger.all(kind), request.query, fields=fields)
        return pages.page(found, request.query)

    return answer


def _getter(kind: str) -> _Handler:
    def answer(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
        return ledger.find(kind, request.match_info["id"])

    return answer


def _organizations(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    return pages.page([ledger.organization], request.query)


def _organization(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    if request.match_info["id"] != ledger.organization["id"]:
        raise refused(404, "ResourceNotFound", "Not found")
    return ledger.organization


def _products(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    return pages.page([ledger.product, ledger.plan], request.query)


def _create_checkout(ledger: Ledger, _: web.Request, body: JsonObject) -> JsonObject:
    expires_at = objects.written(datetime.now(UTC) + timedelta(hours=1))
    checkout = objects.checkout(
        objects.new_id(),
        _product(ledger, body),
        at=ledger.now(),
        expires_at=expires_at,
        amount=bodies.whole(body, "amount", 1000),
        # The real one computes it from the buyer's address.
        tax_amount=bodies.whole(body, "sandbox_tax_amount", 0),
        currency=str(body.get("currency", "usd")).lower(),
        metadata=bodies.metadata(body),
        success_url=str(body.get("success_url") or ""),
    )
    checkout["return_url"] = str(body.get("return_url") or "") or None
    return ledger.add("checkout", checkout)


def _create_link(ledger: Ledger, _: web.Request, body: JsonObject) -> JsonObject:
    link = objects.checkout_link(
        objects.new_id(),
        _product(ledger, body),
        at=ledger.now(),
        # The real one takes the price of its product.
        amount=bodies.whole(body, "sandbox_amount", 1000),
        label=str(body.get("label") or "") or None,
        metadata=bodies.metadata(body),
        success_url=str(body.get("success_url") or ""),
    )
    return ledger.add("checkout_link", link)


def _product(ledger: Ledger, body: JsonObject) -> JsonObject:
    """Give the one product that a body names."""
    named = body.get("products")
    for one in (ledger.product, ledger.plan):
        if named == [one["id"]]:
            return one
    raise invalid("products", "Product does not exist.", value=named)


def _create_discount(ledger: Ledger, _: web.Request, body: JsonObject) -> JsonObject:
    if body.get("type") != "percentage" or not isinstance(body.get("code"), str):
        raise invalid("type", "The sandbox knows discounts of a percentage with a code.")
    return discounts.add(
        ledger,
        code=body["code"],
        basis_points=bodies.whole(body, "basis_points", None),
        duration=str(body.get("duration", "once")),
    )


def _create_refund(ledger: Ledger, _: web.Request, body: JsonObject) -> JsonObject:
    for field in ("order_id", "reason"):
        if not isinstance(body.get(field), str):
            raise invalid(field, "Field required", kind="missing", value=body)
    order = ledger.find("order", body["order_id"])
    made, _events = selling.refund(
        ledger,
        order,
        amount=bodies.whole(body, "amount", None),
        reason=body["reason"],
        metadata=bodies.metadata(body),
    )
    return made


def _create_endpoint(ledger: Ledger, _: web.Request, body: JsonObject) -> JsonObject:
    if "secret" in body:
        raise invalid("secret", "Extra inputs are not permitted")
    endpoint = objects.endpoint(
        objects.new_id(),
        ledger.organization["id"],
        at=ledger.now(),
        url=bodies.url(body),
        events=bodies.events(body),
        secret=signing.new_secret(),
    )
    endpoint["name"] = body.get("name")
    return ledger.add_endpoint(endpoint)


def _list_endpoints(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    return pages.page(ledger.endpoints(), request.query)


def _get_endpoint(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    return ledger.endpoint(request.match_info["id"])


def _update_endpoint(ledger: Ledger, request: web.Request, body: JsonObject) -> JsonObject:
    endpoint = ledger.endpoint(request.match_info["id"])
    if body.get("url") is not None:
        endpoint["url"] = bodies.url(body)
    if body.get("events") is not None:
        endpoint["events"] = bodies.events(body)
    if body.get("enabled") is not None:
        endpoint["enabled"] = bool(body["enabled"])
    endpoint["modified_at"] = ledger.now()
    ledger.changed()
    return endpoint


def _reset_secret(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    endpoint = ledger.endpoint(request.match_info["id"])
    # At once: the old secret signs nothing more.
    endpoint["secret"] = signing.new_secret()
    endpoint["uses_standard_webhook_signature"] = True
    endpoint["modified_at"] = ledger.now()
    ledger.changed()
    return endpoint


def _delete_endpoint(ledger: Ledger, request: web.Request, _: JsonObject) -> None:
    ledger.remove_endpoint(request.match_info["id"])


def _deliveries(ledger: Ledger, request: web.Request, _: JsonObject) -> JsonObject:
    attempts = [
        _shown(ledger, delivery, number)
        for delivery in ledger.deliveries()
        for number in range(len(delivery["attempts"]))
        if request.query.get("endpoint_id", delivery["endpoint"]) == delivery["endpoint"]
    ]
    attempts.sort(key=lambda one: one["created_at"], reverse=True)
    return pages.page(attempts, request.query)


def _shown(ledger: Ledger, delivery: JsonObject, number: int) -> JsonObject:
    attempt = delivery["attempts"][number]
    at = objects.written(datetime.fromtimestamp(attempt["at"], UTC))
    status = attempt["status"]
    event = ledger.event(delivery["event"]) or {"created_at": at}
    return {
        "created_at": at,
        "modified_at": None,
        "id": f"{delivery['id'][:-4]}{number:04d}",
        "succeeded": status is not None and 200 <= status < 300,
        "http_code": status,
        "response": attempt["response"],
        "webhook_event": {
            "created_at": event["created_at"],
            "modified_at": None,
            "id": delivery["event"],
            "last_http_code": delivery["attempts"][-1]["status"],
            "succeeded": None
            if delivery["state"] == "pending"
            else delivery["state"] == "delivered",
            "skipped": delivery["state"] == "skipped",
            "api_version": objects.API_VERSION,
            "payload": delivery["body"],
            "type": delivery["type"],
            "is_archived": False,
        },
    }


def _redeliver(ledger: Ledger, request: web.Request, _: JsonObject) -> None:
    ledger.redeliver(request.match_info["id"])
