"""What a merchant's server makes in Stripe: checkouts, payments, codes and refunds."""

from collections.abc import Callable, Mapping

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import checkout, forms, objects, paying, promotions, refunding
from deploy.local.sandbox.stripe.errors import StripeError, invalid_parameter, missing_parameter
from deploy.local.sandbox.stripe.ledger import Ledger

Handler = Callable[[Ledger, JsonObject, Mapping[str, str]], JsonObject]

# The parameter of each mode that tells what is made of the session.
MODES = {"payment": "payment_intent_data", "subscription": "subscription_data"}


def _create_session(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    mode = forms.required(parameters, "mode")
    if mode not in MODES:
        raise invalid_parameter("mode", "The sandbox knows the modes payment and subscription.")
    for other in MODES.values():
        # Stripe refuses what belongs to another mode.
        if other != MODES[mode] and other in parameters:
            raise invalid_parameter(other, f"You can not pass `{other}` in `{mode}` mode.")
    amount, currency = _price(parameters)
    success_url, cancel_url = (_url(parameters, name) for name in ("success_url", "cancel_url"))
    session = checkout.open_session(
        ledger,
        amount=amount,
        currency=currency,
        metadata=forms.metadata(parameters),
        client_reference_id=_reference(parameters),
        success_url=success_url,
    )
    session["cancel_url"] = cancel_url
    ledger.note(session["id"])["name"] = _name(parameters)
    data = forms.mapping(parameters, MODES[mode])
    if mode == "payment":
        ledger.set_intent_metadata(session["id"], forms.metadata(data))
    else:
        days = forms.whole(data, "trial_period_days") or 0
        checkout.make_subscription(ledger, session, metadata=forms.metadata(data), trial_days=days)
    _discount(ledger, session, parameters)
    return session


def _discount(ledger: Ledger, session: JsonObject, parameters: JsonObject) -> None:
    discounts = parameters.get("discounts")
    if not isinstance(discounts, list) or not discounts:
        return
    id_ = forms.required(discounts[0], "promotion_code")
    code = ledger.find("promotion_code", id_, param="promotion_code")
    checkout.use_code(ledger, session, code)


def _url(parameters: JsonObject, name: str) -> str | None:
    url = parameters.get(name) or None
    if url is not None and not isinstance(url, str):
        raise invalid_parameter(name, "Not a valid URL", code="url_invalid")
    return url


def _reference(parameters: JsonObject) -> str | None:
    reference = parameters.get("client_reference_id") or None
    if reference is not None and not isinstance(reference, str):
        raise invalid_parameter("client_reference_id", "Invalid string.")
    if reference is not None and len(reference) > 200:
        raise invalid_parameter("client_reference_id", "It must be at most 200 characters.")
    return reference


def _create_link(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    amount, currency = _price(parameters)
    metadata = forms.metadata(parameters)
    link = ledger.add(
        objects.payment_link(objects.new_id("plink"), currency=currency, metadata=metadata)
    )
    ledger.set_price(link["id"], amount)
    ledger.note(link["id"])["name"] = _name(parameters)
    data = forms.mapping(parameters, "payment_intent_data")
    if data:
        link["payment_intent_data"] = objects.payment_intent_data(forms.metadata(data))
    after = forms.mapping(parameters, "after_completion")
    if after.get("type") == "redirect":
        url = forms.required(forms.mapping(after, "redirect"), "url")
        link["after_completion"] = {"type": "redirect", "redirect": {"url": url}}
    return link


def _price(parameters: JsonObject) -> tuple[int, str]:
    items = parameters.get("line_items")
    if not isinstance(items, list) or not items:
        raise missing_parameter("line_items")
    total, currency = 0, ""
    for position, item in enumerate(items):
        name = f"line_items[{position}]"
        price = forms.mapping(item, "price_data") if isinstance(item, dict) else {}
        if not price:
            raise missing_parameter(f"{name}[price_data]")
        currency = forms.required(price, "currency").lower()
        amount = forms.whole(price, "unit_amount")
        if amount is None:
            raise missing_parameter(f"{name}[price_data][unit_amount]")
        if amount < 0:
            param = f"{name}[price_data][unit_amount]"
            raise invalid_parameter(param, "This value must be greater than or equal to 0.")
        quantity = forms.whole(item, "quantity")
        total += amount * (1 if quantity is None else quantity)
    return total, currency


def _name(parameters: JsonObject) -> str | None:
    """Give what the first thing that is bought is called."""
    product = forms.mapping(parameters["line_items"][0]["price_data"], "product_data")
    return str(product["name"]) if product.get("name") else None


def _create_refund(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    charge_id = parameters.get("charge")
    if not charge_id and parameters.get("payment_intent"):
        intent = ledger.find("payment_intent", parameters["payment_intent"], param="payment_intent")
        charge_id = intent["latest_charge"]
    if not charge_id:
        raise StripeError(
            400, "One of the following params should be provided: payment_intent or charge."
        )
    return refunding.refund(
        ledger,
        ledger.find("charge", charge_id, param="charge"),
        amount=forms.whole(parameters, "amount"),
        reason=parameters.get("reason"),
        metadata=forms.metadata(parameters),
    )


def _create_intent(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    amount = forms.whole(parameters, "amount")
    if amount is None or amount <= 0:
        raise missing_parameter("amount")
    intent, _events = paying.open_intent(
        ledger,
        amount=amount,
        currency=forms.required(parameters, "currency").lower(),
        metadata=forms.metadata(parameters),
    )
    intent["capture_method"] = parameters.get("capture_method", "automatic_async")
    return intent


def _capture_intent(ledger: Ledger, parameters: JsonObject, path: Mapping[str, str]) -> JsonObject:
    intent = ledger.find("payment_intent", path["id"], param="intent")
    paying.capture(ledger, intent, amount=forms.whole(parameters, "amount_to_capture"))
    return intent


def _create_coupon(ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]) -> JsonObject:
    return promotions.add_coupon(
        ledger,
        percent_off=forms.whole(parameters, "percent_off"),
        amount_off=forms.whole(parameters, "amount_off"),
        currency=parameters.get("currency"),
        duration=parameters.get("duration", "once"),
    )


def _create_promotion_code(
    ledger: Ledger, parameters: JsonObject, _: Mapping[str, str]
) -> JsonObject:
    id_ = forms.required(forms.mapping(parameters, "promotion"), "coupon")
    return promotions.add_promotion_code(
        ledger,
        ledger.find("coupon", id_, param="promotion[coupon]"),
        code=forms.required(parameters, "code"),
        metadata=forms.metadata(parameters),
    )


HANDLERS: Mapping[str, Handler] = {
    "/v1/checkout/sessions": _create_session,
    "/v1/payment_links": _create_link,
    "/v1/payment_intents": _create_intent,
    "/v1/payment_intents/{id}/capture": _capture_intent,
    "/v1/refunds": _create_refund,
    "/v1/coupons": _create_coupon,
    "/v1/promotion_codes": _create_promotion_code,
}
"""Answer a POST of each path."""
