"""Which promotion codes an object of Stripe was paid with, in each shape that it has had."""

from __future__ import annotations

import pytest

from services.attribution.providers.promotion_codes import used_in_invoice, used_in_session

TEXT = {"object": "promotion_code", "id": "promo_1", "code": "FALL20"}


class TestSessions:
    @pytest.mark.parametrize(
        ("session", "used"),
        [
            ({}, {}),
            ({"discounts": None, "total_details": None}, {}),
            ({"discounts": [{"coupon": "c", "promotion_code": None}]}, {}),
            ({"discounts": [{"coupon": None, "promotion_code": "promo_1"}]}, {"promo_1": None}),
            ({"discounts": [{"coupon": None, "promotion_code": TEXT}]}, {"promo_1": "FALL20"}),
        ],
    )
    def test_its_discounts_are_read(self, session, used):
        assert used_in_session(session) == used

    def test_the_breakdown_of_an_old_version_is_read_too(self):
        discount = {"object": "discount", "coupon": {"id": "c"}, "promotion_code": "promo_1"}
        breakdown = {"discounts": [{"amount": 5, "discount": discount}]}
        session = {"total_details": {"amount_discount": 5, "breakdown": breakdown}}
        assert used_in_session(session) == {"promo_1": None}

    def test_a_text_is_kept_where_another_place_tells_only_the_id(self):
        breakdown = {"discounts": [{"amount": 5, "discount": {"promotion_code": "promo_1"}}]}
        for discounts in ([{"promotion_code": TEXT}], [{"promotion_code": "promo_2"}]):
            session = {"discounts": discounts, "total_details": {"breakdown": breakdown}}
            used = used_in_session(session)
            assert used["promo_1"] == ("FALL20" if TEXT in discounts[0].values() else None)


class TestInvoices:
    def test_stacked_codes_of_the_invoice_and_of_its_lines_are_read(self):
        line = {"discounts": [{"promotion_code": {"id": "promo_2", "code": "TEN"}}, "di_3"]}
        invoice = {
            "discounts": [{"promotion_code": TEXT}, {"promotion_code": None}],
            "lines": {"data": [line, {"discounts": []}, {}]},
        }
        assert used_in_invoice(invoice) == {"promo_1": "FALL20", "promo_2": "TEN"}

    @pytest.mark.parametrize(
        "invoice", [{}, {"discounts": ["di_1"], "lines": None}, {"discounts": {}, "lines": {}}]
    )
    def test_what_is_not_expanded_tells_nothing(self, invoice):
        assert used_in_invoice(invoice) == {}
