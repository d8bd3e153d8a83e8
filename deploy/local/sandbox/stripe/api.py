"""Stripe's API, as far as a source needs it: api.stripe.com/v1."""

import json
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import expanding, forms, hosted, keys, objects, pages, selling
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter, missing_parameter
from deploy.local.sandbox.stripe.ledger import Ledger

Ledgers = Callable[[str], Ledger]
_Handler = Callable[[Ledger, JsonObject, Mapping[str, str]], JsonObject]

_LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "/v1/checkout/sessions": (
        "checkout.session",
        ("customer", "payment_intent", "payment_link", "status", "subscription"),
    ),
    "/v1/payment_intents": ("payment_intent", ("customer",)),
    "/v1/charges": ("charge", ("payment_intent", "customer")),
    "/v1/refunds": ("refund", ("charge", "payment_intent")),
    "/v1/payment_links": ("payment_link", ()),
    "/v1/disputes": ("dispute", ("charge", "payment_intent")),
    "/v1/invoices": ("invoice", ("customer", "subscription", "status")),
    "/v1/invoice_payments": ("invoice_payment", ("invoice", "payment", "status")),
    "/v1/customers": ("customer", ("email",)),
    "/v1/subscriptions": ("subscription", ("customer", "status")),
    "/v1/coupons": ("coupon", ()),
    "/v1/promotion_codes": ("promotion_code", ("code",)),
}


class StripeApi:
    """Answers the routes of the API; `ledgers` gives an account's."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        routes = [
            self._route("GET", "/v1/account", _account),
            self._route("GET", "/v1/events", _events),
            self._route("GET", "/v1/events/{id}", _event),
            *(self._route("POST", path, handler) for path, handler in selling.HANDLERS.items()),
            self._route("POST", "/v1/webhook_endpoints", _create_endpoint),
            self._route("GET", "/v1/webhook_endpoints", _list_endpoints),
            self._route("GET", "/v1/webhook_endpoints/{id}", _get_endpoint),
            self._route("POST", "/v1/webhook_endpoints/{id}", _update_endpoint),
            self._route("DELETE", "/v1/webhook_endpoints/{id}", _delete_endpoint),
        ]
        for path, (kind, fields) in _LISTS.items():
            routes.append(self._route("GET", path, _lister(kind, fields, url=path)))
            routes.append(self._route("GET", f"{path}/{{id}}", _getter(kind)))
        return routes

    def _route(self, method: str, path: str, handler: _Handler) -> web.RouteDef:
        async def answer(request: web.Request) -> web.StreamResponse:
            account = keys.account_of(request.headers.get("Authorization"))
            ledger = self._ledgers(account)
            parameters = await _parameters(request)
            key = _idempotency_key(request)

            def make(*arguments: Any) -> JsonObject:  # noqa: ANN401  (those of the handler)
                made = handler(*arguments)
                if method == "POST":
                    hosted.have_url(made, origin=str(request.url.origin()))
                return made

            if key is None:
                return web.json_response(make(ledger, parameters, request.match_info))
            return _once(ledger, key, request, parameters, make)

        return web.route(method, path, answer)


@web.middleware
async def errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every fault with Stripe's error object."""
    try:
        response = await handler(request)
    except StripeError as error:
        response = web.json_response(error.body, status=error.status)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        body = StripeError(error.status, message).body
        response = web.json_response(body, status=error.status)
    response.headers["Request-Id"] = objects.new_id("req", 14)
    response.headers["Stripe-Version"] = objects.API_VERSION
    return response


async def _parameters(request: web.Request) -> JsonObject:
    if request.method == "GET":
        return forms.read(request.query.items())
    return forms.of_body(await request.read())


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if key is not None and not key.isprintable():
        # What is no UTF-8 becomes surrogates in a header, with which no state can be written.
        raise StripeError(400, "Invalid idempotency key: it must be printable UTF-8.")
    return key


def _once(
    ledger: Ledger, key: str, request: web.Request, parameters: JsonObject, handler: _Handler
) -> web.Response:
    """Answer a repeated idempotency key with the first answer."""
    asked = json.dumps([request.path, parameters], sort_keys=True)
    known = ledger.answers.get(key)
    if known is None:
        answer = handler(ledger, parameters, request.match_info)
        # An endpoint's secret stays in the answer, as it does at Stripe.
        ledger.answers[key] = {"asked": asked, "answer": json.dumps(answer)}
        ledger.changed()
        return web.json_response(answer)
    if known["asked"] != asked:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}'."
        )
        raise StripeError(400, message, kind="idempotency_error")
    return web.Response(
        text=known["answer"],
        content_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )


def _lister(kind: str, fields: tuple[str, ...], *, url: str) -> _Handler:
    def answer(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
        found = pages.page(ledger.all(kind), parameters, url=url, fields=fields)
        prefix = "data."
        inner = [path.removeprefix(prefix) for path in parameters.get("expand", [])]
        data = [expanding.expanded(ledger, one, {"expand": inner}) for one in found["data"]]
        return {**found, "data": data}

    return answer


def _getter(kind: str) -> _Handler:
    def answer(ledger: Ledger, parameters: JsonObject, path: Mapping[str, str]) -> JsonObject:
        found = ledger.find(kind, path["id"], param=kind.rpartition(".")[2])
        return expanding.expanded(ledger, found, parameters)

    return answer


def _account(ledger: Ledger, _: JsonObject, __: Mapping[str, str]) -> JsonObject:
    return ledger.account


def _events(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    wanted = pages.of_types(parameters)
    found = [event for event in ledger.events() if wanted(event)]
    if parameters.get("delivery_success") == "false":
        found = [event for event in found if event["pending_webhooks"] > 0]
    return pages.page(found, parameters, url="/v1/events")


def _event(ledger: Ledger, _: JsonObject, path: Mapping[str, str]) -> JsonObject:
    for event in ledger.events():
        if event["id"] == path["id"]:
            return event
    message = f"No such event: '{path['id']}'"
    raise StripeError(404, message, code="resource_missing", param="id")


def _create_endpoint(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    events = parameters.get("enabled_events")
    if not isinstance(events, list) or not events:
        raise missing_parameter("enabled_events")
    endpoint = objects.webhook_endpoint(
        objects.new_id("we"),
        url=_url(forms.required(parameters, "url")),
        events=events,
        created=ledger.now(),
        parameters={**parameters, "metadata": forms.metadata(parameters)},
    )
    secret = ledger.add_endpoint(endpoint)
    return {**endpoint, "secret": secret}


def _list_endpoints(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    return pages.page(ledger.endpoints(), parameters, url="/v1/webhook_endpoints")


def _get_endpoint(ledger: Ledger, _: JsonObject, path: Mapping[str, str]) -> JsonObject:
    return ledger.endpoint(path["id"])


def _update_endpoint(ledger: Ledger, parameters: JsonObject, path: Mapping[str, str]) -> JsonObject:
    endpoint = ledger.endpoint(path["id"])
    if "url" in parameters:
        endpoint["url"] = _url(forms.required(parameters, "url"))
    if "enabled_events" in parameters:
        endpoint["enabled_events"] = parameters["enabled_events"]
    if "disabled" in parameters:
        endpoint["status"] = "disabled" if parameters["disabled"] == "true" else "enabled"
    ledger.changed()
    return endpoint


def _delete_endpoint(ledger: Ledger, _: JsonObject, path: Mapping[str, str]) -> JsonObject:
    ledger.remove_endpoint(path["id"])
    return {"id": path["id"], "object": "webhook_endpoint", "deleted": True}


def _url(text: str) -> str:
    if urllib.parse.urlsplit(text).scheme not in ("http", "https"):
        raise invalid_parameter("url", "Invalid URL: it must begin with http or https.")
    return text
