"""Answer `expand`: show objects in the place of their ids, on a copy.

Source: https://docs.stripe.com/expand
"""

import copy
from collections.abc import Mapping

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import promotions
from deploy.local.sandbox.stripe.errors import invalid_parameter
from deploy.local.sandbox.stripe.ledger import Ledger

DEEPEST = 4
BREAKDOWN = "total_details.breakdown"
# What the id in a field is of, where the field's own name does not say it.
KINDS: Mapping[str, str] = {
    "discounts": "discount",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
}


def expanded(ledger: Ledger, of: JsonObject, parameters: JsonObject) -> JsonObject:
    """Give an object with every path of the parameter `expand` expanded.

    Raises:
        StripeError: a path is too deep.
    """
    paths = parameters.get("expand", [])
    if not isinstance(paths, list) or not paths:
        return of
    shown = copy.deepcopy(of)
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            message = f"You cannot expand more than {DEEPEST} levels of a property."
            raise invalid_parameter("expand", message)
        if path == BREAKDOWN:
            shown["total_details"]["breakdown"] = _breakdown(ledger, of)
        else:
            _expand(ledger, shown, parts)
    return shown


def _expand(ledger: Ledger, of: object, parts: list[str]) -> None:
    if isinstance(of, list):
        for each in of:
            _expand(ledger, each, parts)
        return
    if not isinstance(of, dict) or not parts:
        return
    name, rest = parts[0], parts[1:]
    of[name] = _shown(ledger, of.get(name), kind=KINDS.get(name, name))
    _expand(ledger, of[name], rest)


def _shown(ledger: Ledger, value: object, *, kind: str) -> object:
    if isinstance(value, list):
        return [_shown(ledger, each, kind=kind) for each in value]
    if isinstance(value, str) and ledger.has(kind, value):
        return copy.deepcopy(ledger.find(kind, value, param=kind))
    return value


def _breakdown(ledger: Ledger, session: JsonObject) -> JsonObject:
    """Give what the `total_details` of a session hide, as far as discounts go."""
    discounts = []
    for used in session["discounts"] or []:
        code = ledger.find("promotion_code", used["promotion_code"], param="promotion_code")
        discount = promotions.discount_of_session(code, session)
        amount = session["total_details"]["amount_discount"]
        discounts.append({"amount": amount, "discount": discount})
    return {"discounts": discounts, "taxes": []}
