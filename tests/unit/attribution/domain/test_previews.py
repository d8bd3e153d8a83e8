"""What events would add up to under other event mappings."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from services.attribution.domain.facts import (
    EventFacts,
    IdKind,
    OrderSnapshot,
    Provider,
    ProviderId,
    Receipt,
    ReceiptStatus,
    Refund,
    RefundStatus,
)
from services.attribution.domain.mappings import BY_DEFAULT, DEFAULTS, EventMapping
from services.attribution.domain.money import Money
from services.attribution.domain.previews import grouped, proposed_mappings, tallied

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
SESSION, INVOICE = "checkout.session.completed", "invoice.paid"


def saying(
    *ids: ProviderId, event_type: str = "x", facts: Sequence[Receipt | Refund] = ()
) -> EventFacts:
    return EventFacts(ids=ids, related=(), facts=tuple(facts), event_type=event_type)


def charge(number: int) -> ProviderId:
    return ProviderId(IdKind.CHARGE, f"ch_{number}")


def intent(number: int) -> ProviderId:
    return ProviderId(IdKind.PAYMENT_INTENT, f"pi_{number}")


def paid(
    number: int,
    amount: int = 500,
    *,
    event_type: str = SESSION,
    kind: IdKind = IdKind.CHECKOUT_SESSION,
    currency: str = "USD",
    status: ReceiptStatus = ReceiptStatus.PAID,
    test: bool = False,
) -> EventFacts:
    of = ProviderId(kind, f"{kind}_{number}")
    receipt = Receipt(
        of=of,
        status=status,
        amount=Money(currency, amount),
        at=AT,
        stands_alone=True,
        test=test,
    )
    return saying(of, charge(number), event_type=event_type, facts=[receipt])


def refunded(number: int, amount: int) -> EventFacts:
    refund = Refund(f"re_{number}", RefundStatus.SUCCEEDED, Money("USD", amount), AT)
    return saying(charge(number), event_type="refund.created", facts=[refund])


def a_mapping(event_type: str, *, counts_zero_amounts: bool = False) -> EventMapping:
    return EventMapping(
        workspace_id="acme",
        source_id="src_1",
        event_type=event_type,
        goal_id=None,
        counts_zero_amounts=counts_zero_amounts,
        created_at=None,
        updated_at=None,
    )


def sizes(*events: EventFacts) -> list[int]:
    return sorted(len(group) for group in grouped(events))


class TestGrouped:
    def test_events_that_share_an_id_are_one_payment(self) -> None:
        assert sizes(saying(charge(1)), saying(charge(2)), saying(charge(1))) == [1, 2]

    def test_one_that_ties_two_together_makes_them_one_in_any_order(self) -> None:
        events = [
            saying(charge(1)),
            saying(charge(1)),
            saying(intent(1)),
            saying(charge(1), intent(1)),
            saying(intent(2)),
        ]
        for ordered in itertools.permutations(events):
            assert sizes(*ordered) == [1, 4]

    def test_long_chains_become_one(self) -> None:
        events = [saying(charge(n), charge(n + 1)) for n in range(200)]
        random.Random(1).shuffle(events)
        assert sizes(*events) == [200]


class TestProposedMappings:
    def test_what_is_not_proposed_does_not_convert(self) -> None:
        mappings = proposed_mappings(Provider.STRIPE, [a_mapping(SESSION)])
        assert set(mappings.rules) == {SESSION}
        assert proposed_mappings(Provider.POLAR, []).rules == {}

    def test_the_defaults_proposed_are_the_defaults(self) -> None:
        for provider in Provider:
            proposed = [
                a_mapping(event_type, counts_zero_amounts=zero)
                for event_type, zero in DEFAULTS[provider].items()
            ]
            assert proposed_mappings(provider, proposed) == BY_DEFAULT[provider]

    def test_types_that_tell_of_the_same_money_follow(self) -> None:
        mappings = proposed_mappings(Provider.STRIPE, [a_mapping(INVOICE)])
        assert mappings.get("invoice.payment_succeeded") == mappings.get(INVOICE)


class TestTallied:
    PRESENT = BY_DEFAULT[Provider.STRIPE]

    def test_each_payment_counts_once_under_the_type_that_decides(self) -> None:
        payments = grouped(
            [
                paid(1),
                paid(1, event_type="payment_intent.succeeded", kind=IdKind.PAYMENT_INTENT),
                refunded(1, 200),
                paid(2, 300, currency="EUR"),
                paid(3, 900, event_type=INVOICE, kind=IdKind.INVOICE),
            ]
        )
        tallies = tallied(payments, self.PRESENT, include_test=False)
        assert tallies.total.conversions == 3
        assert tallies.total.gross == {"USD": 1400, "EUR": 300}
        assert tallies.total.net == {"USD": 1200, "EUR": 300}
        assert {it: tally.conversions for it, tally in tallies.by_type.items()} == {
            SESSION: 2,
            INVOICE: 1,
        }

    def test_a_type_that_is_not_mapped_counts_nothing(self) -> None:
        payments = grouped([paid(1), paid(3, event_type=INVOICE, kind=IdKind.INVOICE)])
        proposed = proposed_mappings(Provider.STRIPE, [a_mapping(INVOICE)])
        tallies = tallied(payments, proposed, include_test=False)
        assert list(tallies.by_type) == [INVOICE]
        assert tallies.total.gross == {"USD": 500}

    @pytest.mark.parametrize("counts", [True, False])
    def test_zero_amounts_count_where_they_are_wanted(self, counts: bool) -> None:
        proposed = [a_mapping(SESSION, counts_zero_amounts=counts)]
        mappings = proposed_mappings(Provider.STRIPE, proposed)
        tallies = tallied(grouped([paid(1, 0)]), mappings, include_test=False)
        assert tallies.total.conversions == int(counts)

    def test_test_payments_count_only_if_they_are_wanted(self) -> None:
        payments = grouped([paid(1, test=True)])
        assert tallied(payments, self.PRESENT, include_test=False).total.conversions == 0
        assert tallied(payments, self.PRESENT, include_test=True).total.conversions == 1

    def test_money_that_is_awaited_is_in_no_amount(self) -> None:
        payments = grouped([paid(1, status=ReceiptStatus.PENDING)])
        tally = tallied(payments, self.PRESENT, include_test=False).total
        assert (tally.conversions, tally.gross, tally.net) == (1, {}, {})

    def test_an_order_counts_whichever_event_brought_it(self) -> None:
        order = ProviderId(IdKind.ORDER, "o1")
        snapshot = OrderSnapshot(
            order_id="o1",
            version=(AT, AT),
            status=ReceiptStatus.PAID,
            gross=Money("USD", 700),
            refunded=Money("USD", 0),
            ordered_at=AT,
            test=False,
        )
        event = EventFacts((order,), (), (snapshot,), event_type="order.updated")
        tallies = tallied(grouped([event]), BY_DEFAULT[Provider.POLAR], include_test=False)
        assert tallies.by_type["order.updated"].gross == {"USD": 700}
