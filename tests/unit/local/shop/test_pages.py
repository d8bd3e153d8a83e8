import re

from synaptyx.attribution.v1.conversion_pb2 import Conversion
from synaptyx.type.v1 import money_pb2

from deploy.local.shop import pages
from tests.unit.local.shop.conftest import shop_of

HOSTILE = "x\"'><img src=x onerror=alert(1)>&"


def assert_harmless(text):
    """It has no element or attribute of HOSTILE's."""
    assert "<img" not in text
    for tag in re.findall(r"<[^>]*>", text):
        names = re.sub(r'="[^"]*"', "", tag)
        assert "onerror" not in names
        assert "'" not in names


class TestFront:
    def test_nothing_that_it_shows_is_taken_for_html(self):
        fields = (
            "tracking_link_url",
            "stripe_snippet_url",
            "polar_snippet_url",
            "payment_link_url",
            "polar_link_url",
        )
        shop = shop_of(**dict.fromkeys(fields, f"http://127.0.0.1/test_{HOSTILE}"))
        assert_harmless(pages.front(shop, stripe_url=f"http://127.0.0.1/{HOSTILE}"))

    def test_it_sells_in_every_way(self):
        text = pages.front(shop_of(), stripe_url="http://127.0.0.1:8014")
        for id_ in (
            "stripe-checkout",
            "stripe-subscription",
            "payment-link",
            "buy-button",
            "pricing-table",
            "polar-checkout",
            "polar-link",
            "polar-embed",
        ):
            assert text.count(f'id="{id_}"') == 1
        assert 'buy-button-id="buy_btn_abc"' in text
        assert 'href="http://127.0.0.1:8014/b/test_abc"' in text

    def test_it_has_both_snippets_and_nothing_inline(self):
        text = pages.front(shop_of(), stripe_url="http://127.0.0.1:8014")
        assert re.findall(r"<script(?! src=)", text) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=", text) == []
        for source in ("s1", "s2"):
            assert f'src="http://127.0.0.1:8000/sources/{source}/snippet.js" defer' in text


class TestAccount:
    def test_nothing_that_it_shows_is_taken_for_html(self):
        one = Conversion(
            payment=HOSTILE,
            campaign=f"workspaces/w/campaigns/{HOSTILE}",
            click=f"workspaces/w/clicks/{HOSTILE}",
            net=money_pb2.Money(currency_code=HOSTILE, minor_units=1),
        )
        assert_harmless(pages.account([one]))

    def test_it_tells_what_was_paid_and_who_is_credited(self):
        one = Conversion(
            payment="pi_1",
            state=Conversion.STATE_PAID,
            basis=Conversion.BASIS_CLIENT_REFERENCE,
            campaign="workspaces/w/campaigns/spring",
            click="workspaces/w/clicks/c1",
            net=money_pb2.Money(currency_code="USD", minor_units=124900),
        )
        cells = re.findall(r"<td[^>]*>([^<]*)</td>", pages.account([one]))
        assert cells == ["PAID", "1,249.00 USD", "CLIENT_REFERENCE", "spring", "c1", "pi_1"]

    def test_what_nobody_is_credited_for_says_so(self):
        one = Conversion(payment="pi_1", state=Conversion.STATE_PAID)
        cells = re.findall(r"<td[^>]*>([^<]*)</td>", pages.account([one]))
        assert cells[2:] == ["-", "-", "-", "pi_1"]

    def test_an_empty_one_says_so(self):
        assert "Nothing was bought yet." in pages.account([])
