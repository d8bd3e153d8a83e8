import pytest

from deploy.local.sandbox.stripe import forms, pages
from deploy.local.sandbox.stripe.errors import StripeError


class TestRead:
    def test_nested_names_become_objects_and_lists(self):
        pairs = [
            ("mode", "payment"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[1][quantity]", "2"),
            ("metadata[synaptyx_clickid]", "c1"),
            ("enabled_events[]", "charge.refunded"),
            ("enabled_events[]", "refund.failed"),
        ]
        assert forms.read(pairs) == {
            "mode": "payment",
            "line_items": [{"price_data": {"currency": "usd"}}, {"quantity": "2"}],
            "metadata": {"synaptyx_clickid": "c1"},
            "enabled_events": ["charge.refunded", "refund.failed"],
        }

    def test_a_value_and_an_object_in_one_place_are_refused(self):
        with pytest.raises(StripeError):
            forms.read([("a", "1"), ("a[b]", "2")])


class TestMetadata:
    @pytest.mark.parametrize(
        "metadata",
        [
            {f"k{n}": "v" for n in range(51)},
            {"k" * 41: "v"},
            {"k": "v" * 501},
        ],
    )
    def test_what_stripe_refuses_is_refused(self, metadata):
        with pytest.raises(StripeError):
            forms.metadata({"metadata": metadata})

    def test_an_empty_value_unsets_its_key(self):
        assert forms.metadata({"metadata": {"a": "", "b": "1"}}) == {"b": "1"}


class TestPage:
    FOUND = [{"id": f"o{n}", "created": n, "type": f"t.{n}"} for n in range(9, 0, -1)]  # noqa: RUF012

    def page(self, **parameters):
        page = pages.page(self.FOUND, parameters, url="/v1/things")
        return [one["created"] for one in page["data"]], page["has_more"]

    def test_it_walks_forwards_and_backwards(self):
        assert self.page(limit="4") == ([9, 8, 7, 6], True)
        assert self.page(limit="4", starting_after="o6") == ([5, 4, 3, 2], True)
        assert self.page(limit="4", starting_after="o2") == ([1], False)
        assert self.page(limit="3", ending_before="o5") == ([8, 7, 6], True)

    def test_it_filters_by_creation(self):
        assert self.page(created={"gte": "3", "lt": "5"}) == ([4, 3], False)

    @pytest.mark.parametrize("limit", ["0", "101", "many"])
    def test_a_limit_that_stripe_refuses_is_refused(self, limit):
        with pytest.raises(StripeError):
            self.page(limit=limit)

    def test_types_may_have_wildcards(self):
        wanted = pages.of_types({"types": ["charge.*", "refund.failed"]})
        kept = [
            name
            for name in ("charge.refunded", "refund.failed", "refund.created")
            if wanted({"type": name})
        ]
        assert kept == ["charge.refunded", "refund.failed"]
