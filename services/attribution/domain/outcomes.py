"""What became of a delivery, and the sentence that tells a person why and what to do."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
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


REASONS: Mapping[Outcome, Mapping[str, str]] = {
    Outcome.ATTRIBUTED: {
        "click_credited": "A payment was counted and credited to the click that it names.",
        "subscription_credited": "A payment was counted and credited as the first one of its"
        " subscription was.",
        "customer_credited": "A payment was counted and credited as an earlier one of its customer"
        " was.",
        "promotion_code_credited": "A payment was counted and credited to the campaign whose"
        " promotion code was used.",
        "manual_credit": "A payment was counted and credited as somebody decided by hand.",
        "credited_later": "The click or promotion code that the payment names became known later:"
        " the conversion is credited now.",
    },
    Outcome.ADJUSTED: {
        "applied_later": "A refund or dispute that came before its payment was applied when the"
        " payment became known.",
        "refund_applied": "A refund changed the conversion in place.",
        "payment_completed": "The money of a pending payment came.",
        "payment_failed": "The money of a pending payment did not come: the conversion is failed.",
        "payment_returned": "The money of a payment came and went back to the buyer's bank: the"
        " conversion is failed.",
        "amount_changed": "The provider told a newer amount of the payment.",
        "refund_undone": "A refund failed or was canceled: its money counts again.",
        "refund_status_unknown": "A refund has a status that this version does not know: its money"
        " is held back as if the refund were pending, until the provider tells another.",
        "dispute_status_unknown": "A dispute has a status that this version does not know: it takes"
        " money only where the provider says that the funds were withdrawn.",
        "dispute_opened": "A dispute holds money of the conversion back.",
        "dispute_lost": "A dispute was lost: its money is gone for good.",
        "dispute_won": "A dispute was won, or its money given back: it counts again.",
    },
    Outcome.PENDING_PAYMENT: {
        "awaiting_money": "A delayed payment method: the conversion is pending until the money"
        " comes.",
    },
    Outcome.ORPHAN_NO_CLICKID: {
        "no_click_named": "Money came in and nothing names a click. Check that the checkout is made"
        " with the snippet's attach(), or that the link carries the click id.",
        "code_not_on_campaign": "Nothing names a click, and the promotion code that was used is on"
        " no campaign. Set it on the campaign that gave it out.",
        "campaign_archived": "Nothing names a click, and the promotion code that was used is on a"
        " campaign that is archived.",
    },
    Outcome.ORPHAN_UNKNOWN_CLICKID: {
        "click_not_found": "The payment names a click that this workspace does not know. Check that"
        " the click was recorded, and in this workspace.",
        "click_id_malformed": "The payment names a click id that can be none: click ids are 1 to"
        " 200 of A-Z a-z 0-9 _ -. Check what writes synaptyx_clickid.",
        "click_after_payment": "The click that the payment names was made after the payment.",
        "click_outside_window": "The click that the payment names is older than its campaign's"
        " attribution window allows.",
    },
    Outcome.ORPHAN_NO_PAYMENT: {
        "payment_not_seen": "A refund or dispute of a payment that was not seen yet: it is kept,"
        " and applied when the payment arrives.",
    },
    Outcome.DEFERRED: {
        "awaiting_checkout": "Money came in that a checkout or an invoice may account for: it is"
        " kept until one of them says so.",
        "awaiting_promotion_code": "The payment was counted; which promotion code was used must be"
        " looked up at the provider before it can be credited.",
    },
    Outcome.DUPLICATE: {
        "event_seen": "This event was ingested before.",
    },
    Outcome.IGNORED: {
        "event_type_not_counted": "Events of this type do not change a conversion.",
        "nothing_new": "The event tells nothing that changes the conversion.",
        "not_a_payment": "The checkout took no payment: it only saved a payment method.",
        "event_type_not_mapped": "Money came in by events that no event mapping of the source"
        " converts. Map one of their types if it should count.",
        "zero_amount": "The amount is zero, and the source's event mappings do not count zero"
        " amounts.",
        "unknown_to_provider": "Money came in that the provider, asked about it, does not know: the"
        " source's API key is of another account or mode. It counts once a checkout or an invoice"
        " accounts for it.",
        "inquiry": "An inquiry or an early warning: no money has moved.",
        "attempt_failed": "An attempt to pay failed: no money came.",
        "session_expired": "The checkout expired without a payment.",
        "draft_order": "The order is a draft: nothing is to be paid yet.",
        "order_status_unknown": "The order has a status that this version does not know, and is not"
        " paid.",
        "subscription_changed": "A subscription changed: its payments come with events of their"
        " own.",
        "credit_note": "A credit note moves no money by itself: refunds have events of their own.",
        "refund_of_no_payment": "The refund names no payment: it gives back a customer's balance.",
    },
    Outcome.SOURCE_INACTIVE: {
        "source_disconnected": "The source is disconnected. Connect it again, or remove the webhook"
        " endpoint at the provider.",
    },
    Outcome.QUARANTINED: {
        "amount_invalid": "An amount in the event is no whole number of minor units from 0 to 2^53"
        " - 1. The event is kept.",
        "field_invalid": "A field of the event has a value that it cannot have. The event is kept.",
        "currency_mismatch": "A refund or dispute is in a currency that the payment tells nothing"
        " of. It is kept, and applied once an event tells what that currency is worth.",
        "processing_failed": "Processing the event failed. It is kept; an operator must look.",
    },
    Outcome.MALFORMED: {
        "signature_missing": "The signature header is missing: the sender is not the provider, or"
        " something on the way removed it.",
        "signature_unreadable": "The signature header cannot be read: the sender is not the"
        " provider, or something on the way changed it.",
        "body_not_utf8": "The body is not UTF-8.",
        "body_not_json": "The signed body is not JSON, or nested deeper than 1,024.",
        "body_not_an_object": "The signed body is JSON, but no object, as every event is.",
        "not_a_snapshot_event": "The signed body is no snapshot event. If the endpoint in Stripe"
        " sends thin events, set its payload style to snapshot.",
        "event_id_unreadable": "The event has no id of 1 to 255 printable ASCII characters.",
        "event_type_unreadable": "The event has no type of 1 to 255 printable ASCII characters.",
        "event_data_unreadable": "The event carries no object.",
        "request_unreadable": "The request could not be read to its end.",
    },
    Outcome.INVALID_SIGNATURE: {
        "signature_mismatch": "Signed with another secret, or altered on the way: the endpoint at"
        " the provider has a different signing secret than this source. Copy the endpoint's secret"
        " into the source.",
        "source_not_connected": "The source is not connected yet, so there is no signing secret to"
        " check with. Connect it with the endpoint's signing secret.",
    },
    Outcome.STALE_SIGNATURE: {
        "timestamp_too_old": "Signed more than 300 seconds ago. Check the clock of the machine that"
        " received it, and that nothing holds deliveries back.",
        "timestamp_too_new": "Signed more than 300 seconds in the future. Check the clock of the"
        " machine that received it.",
    },
}
"""A plain sentence for each reason token, by the outcome that it mostly comes with.

The tokens do not change once released.
"""

# Why a rule of crediting earned nobody anything, where the outcome of a delivery is another one.
_RULES: Mapping[str, str] = {
    "stronger_evidence": "Not needed: a stronger rule decided.",
    "no_credited_relative": "No earlier conversion of it has credit of its own.",
    "no_promotion_code": "The discount has no promotion code.",
    "nothing_seen": "The payment tells nothing that this rule could look at.",
}

SENTENCES: Mapping[str, str] = dict(ChainMap(*map(dict, REASONS.values()), dict(_RULES)))
"""All of them, and those that tell why a rule of crediting earned nobody anything."""


def sentence(reason: str) -> str:
    """Return the sentence of a reason, or the token itself where it has none."""
    return SENTENCES.get(reason, reason)
