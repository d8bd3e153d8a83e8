"""What became of a delivery, and the sentence that tells a person why and what to do."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a delivery. The names are part of the HTTP contract."""

    ATTRIBUTED = "attributed"
    ADJUSTED = "adjusted"
    PENDING_PAYMENT = "pending_payment"
    ORPHAN_NO_CLICKID = "orphan_no_clickid"
    ORPHAN_UNKNOWN_CLICKID = "orphan_unknown_clickid"
    ORPHAN_NO_PAYMENT = "orphan_no_payment"
    DEFERRED = "deferred"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    UNKNOWN_ACCOUNT = "unknown_account"
    SOURCE_INACTIVE = "source_inactive"
    QUARANTINED = "quarantined"
    MALFORMED = "malformed"
    INVALID_SIGNATURE = "invalid_signature"
    STALE_SIGNATURE = "stale_signature"


SENTENCES = {
    # attributed
    "click_credited": "A payment was counted and credited to the click that it names.",
    # adjusted
    "refund_applied": "A refund changed the conversion in place.",
    "payment_completed": "The money of a pending payment came.",
    "payment_failed": "The money of a pending payment did not come: the conversion is failed.",
    "amount_changed": "The provider told a newer amount of the payment.",
    # pending_payment
    "awaiting_money": "A delayed payment method: the conversion is pending until the money comes.",
    # orphans
    "no_click_named": "Money came in and nothing names a click. Check that the checkout is made"
    " with the snippet's attach(), or that the link carries the click id.",
    "click_not_found": "The payment names a click that this workspace does not know. Check that"
    " the click was recorded, and in this workspace.",
    "click_id_malformed": "The payment names a click id that can be none: click ids are 1 to 200"
    " of A-Z a-z 0-9 _ -. Check what writes synaptyx_clickid.",
    "click_after_payment": "The click that the payment names was made after the payment.",
    "payment_not_seen": "A refund of a payment that was not seen yet: it is kept, and applied"
    " when the payment arrives.",
    # deferred
    "awaiting_checkout": "Money came in that a checkout or an invoice may account for: it is kept"
    " until one of them says so.",
    # duplicate
    "event_seen": "This event was ingested before.",
    # ignored
    "event_type_not_counted": "Events of this type do not change a conversion.",
    "nothing_new": "The event tells nothing that changes the conversion.",
    "not_a_payment": "The checkout took no payment: it only saved a payment method.",
    # source_inactive
    "source_disconnected": "The source is disconnected. Connect it again, or remove the webhook"
    " endpoint at the provider.",
    # quarantined
    "amount_invalid": "An amount in the event is no whole number of minor units from 0 to"
    " 2^53 - 1. The event is kept.",
    "field_invalid": "A field of the event has a value that it cannot have. The event is kept.",
    "currency_mismatch": "The event tells of another currency than the payment has. The event is"
    " kept.",
    "processing_failed": "Processing the event failed. It is kept; an operator must look.",
    # refused at the door
    "signature_missing": "The signature header is missing: the sender is not the provider, or"
    " something on the way removed it.",
    "signature_unreadable": "The signature header cannot be read: the sender is not the provider,"
    " or something on the way changed it.",
    "body_not_utf8": "The body is not UTF-8.",
    "body_not_json": "The signed body is not JSON, or nested deeper than 1,024.",
    "body_not_an_object": "The signed body is JSON, but no object, as every event is.",
    "not_a_snapshot_event": "The signed body is no snapshot event. If the endpoint in Stripe sends"
    " thin events, set its payload style to snapshot.",
    "event_id_unreadable": "The event has no id of 1 to 255 printable ASCII characters.",
    "event_type_unreadable": "The event has no type of 1 to 255 printable ASCII characters.",
    "event_data_unreadable": "The event carries no object.",
    "request_unreadable": "The request could not be read to its end.",
    "signature_mismatch": "Signed with another secret, or altered on the way: the endpoint at the"
    " provider has a different signing secret than this source. Copy the endpoint's secret into"
    " the source.",
    "source_not_connected": "The source is not connected yet, so there is no signing secret to"
    " check with. Connect it with the endpoint's signing secret.",
    "timestamp_too_old": "Signed more than 300 seconds ago. Check the clock of the machine that"
    " received it, and that nothing holds deliveries back.",
    "timestamp_too_new": "Signed more than 300 seconds in the future. Check the clock of the"
    " machine that received it.",
}
"""A plain sentence for each reason token. The tokens do not change once released."""


def sentence(reason: str) -> str:
    """Return the sentence of a reason, or the token itself where it has none."""
    return SENTENCES.get(reason, reason)
