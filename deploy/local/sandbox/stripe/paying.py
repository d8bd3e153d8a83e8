"""What happens to a payment intent of Stripe: it is opened, paid, delayed, declined or captured.

Each function changes the objects, and gives the ids of the events that it sent.
"""

from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import objects, payments
from deploy.local.sandbox.stripe.errors import StripeError
from deploy.local.sandbox.stripe.ledger import Ledger

BUYER = "buyer@example.com"

Events = list[str]


def open_intent(
    ledger: Ledger,
    *,
    amount: int,
    currency: str,
    metadata: dict[str, str],
    customer: str | None = None,
    description: str | None = None,
) -> tuple[JsonObject, Events]:
    """Open a payment intent."""
    intent = ledger.add(
        payments.payment_intent(
            objects.new_id("pi"),
            amount=amount,
            currency=currency,
            created=ledger.now(),
            metadata=metadata,
        )
    )
    intent["customer"], intent["description"] = customer, description
    return intent, [ledger.emit("payment_intent.created", intent)]


def pay_by_card(ledger: Ledger, intent: JsonObject) -> Events:
    """Pay an intent at once; one that is captured by hand is only authorized (rows 17 and 18).

    Raises:
        StripeError: it is paid, or was given up.
    """
    charge = _charge(ledger, intent)
    if intent["capture_method"] == "manual":
        charge["captured"], charge["amount_captured"] = False, 0
        intent["status"], intent["amount_capturable"] = "requires_capture", intent["amount"]
        return [
            ledger.emit("charge.succeeded", charge),
            ledger.emit("payment_intent.amount_capturable_updated", intent),
        ]
    intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
    return [
        ledger.emit("charge.succeeded", charge),
        ledger.emit("payment_intent.succeeded", intent),
    ]


def book(ledger: Ledger, intent: JsonObject) -> Events:
    """Give a charge its balance transaction, which comes a moment after everything else."""
    charge = ledger.find("charge", intent["latest_charge"], param="charge")
    charge["balance_transaction"] = objects.new_id("txn")
    return [ledger.emit("charge.updated", charge, previous={"balance_transaction": None})]


def capture(ledger: Ledger, intent: JsonObject, *, amount: int | None) -> Events:
    """Take the money that was authorized, or a part of it; the rest is let go (row 18).

    Raises:
        StripeError: nothing is authorized, or less.
    """
    if intent["status"] != "requires_capture":
        message = f"This PaymentIntent could not be captured: it is {intent['status']}."
        raise StripeError(400, message, code="payment_intent_unexpected_state")
    taken = intent["amount_capturable"] if amount is None else amount
    if not 0 < taken <= intent["amount_capturable"]:
        raise StripeError(400, "The amount to capture is out of bounds.", code="amount_too_large")
    charge = ledger.find("charge", intent["latest_charge"], param="charge")
    charge["captured"], charge["amount_captured"] = True, taken
    # What is not taken shows as refunded, and no refund object stands for it.
    charge["amount_refunded"] = charge["amount"] - taken
    intent["status"], intent["amount_received"] = "succeeded", taken
    intent["amount_capturable"] = 0
    return [
        ledger.emit("charge.captured", charge),
        ledger.emit("payment_intent.succeeded", intent),
    ]


def delay(ledger: Ledger, intent: JsonObject) -> Events:
    """Pay an intent by bank debit: the money comes, or does not, days later (row 7)."""
    charge = _charge(ledger, intent)
    charge["status"], charge["paid"] = "pending", False
    charge["payment_method_details"] = payments.bank_debit()
    intent["status"], intent["payment_method_types"] = "processing", ["us_bank_account"]
    intent["payment_method_options"] = {"us_bank_account": {}}
    return [
        ledger.emit("payment_intent.processing", intent),
        ledger.emit("charge.pending", charge),
    ]


def settle(ledger: Ledger, intent: JsonObject, *, succeed: bool) -> Events:
    """Have the money of a bank debit come, or not.

    Raises:
        StripeError: nothing is on its way.
    """
    if intent["status"] != "processing":
        raise StripeError(400, f"This PaymentIntent is {intent['status']}.")
    charge = ledger.find("charge", intent["latest_charge"], param="charge")
    if succeed:
        charge["status"], charge["paid"] = "succeeded", True
        intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
        return [
            ledger.emit("charge.succeeded", charge),
            ledger.emit("payment_intent.succeeded", intent),
        ]
    return _fail(ledger, intent, charge, code="debit_not_authorized")


def decline(ledger: Ledger, intent: JsonObject) -> Events:
    """Have the card refuse to pay (row 16)."""
    return _fail(ledger, intent, _charge(ledger, intent), code="card_declined")


def cancel(ledger: Ledger, intent: JsonObject) -> Events:
    """Give an intent up that nobody will pay any more."""
    intent["status"], intent["canceled_at"] = "canceled", ledger.now()
    intent["cancellation_reason"] = "void_invoice"
    return [ledger.emit("payment_intent.canceled", intent)]


def _fail(ledger: Ledger, intent: JsonObject, charge: JsonObject, *, code: str) -> Events:
    charge["status"], charge["paid"] = "failed", False
    charge["captured"], charge["amount_captured"] = False, 0
    charge["failure_code"], charge["failure_message"] = code, "The payment was declined."
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": code,
        "message": "The payment was declined.",
        "type": "card_error",
    }
    return [
        ledger.emit("charge.failed", charge),
        ledger.emit("payment_intent.payment_failed", intent),
    ]


def _charge(ledger: Ledger, intent: JsonObject) -> JsonObject:
    if intent["status"] != "requires_payment_method":
        message = f"This PaymentIntent cannot be paid: it is {intent['status']}."
        raise StripeError(400, message, code="payment_intent_unexpected_state")
    intent["payment_method"] = objects.new_id("pm")
    charge = ledger.add(
        payments.charge(objects.new_id("ch"), intent, created=ledger.now(), email=BUYER)
    )
    charge["customer"], intent["latest_charge"] = intent["customer"], charge["id"]
    charge["description"] = intent["description"]
    return charge
