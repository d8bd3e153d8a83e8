from deploy.local.shop.opening import POLAR_LINK_AMOUNT
from tests.unit.local.shop.conftest import THANKS, shop_of


class TestLinks:
    async def test_a_payment_link_is_made_once_and_found_again(self, market):
        first, again, other = [
            await market.stripe.payment_link(name="Cable", amount=2500, success_url=url)
            for url in (THANKS, THANKS, "https://other.example/thanks")
        ]
        assert first == again != other
        assert first.startswith(f"{market.stripe.url}/b/test_")

    async def test_so_is_a_checkout_link(self, market):
        first, again, other = [
            await market.polar.checkout_link(amount=POLAR_LINK_AMOUNT, success_url=url)
            for url in (THANKS, THANKS, "https://other.example/thanks")
        ]
        assert first == again != other
        assert first.startswith(f"{market.polar.url}/polar_cl_")

    def test_the_buy_button_is_that_of_the_payment_link(self):
        assert shop_of(payment_link_url="http://127.0.0.1:1/b/test_abc").button_id == "abc"
