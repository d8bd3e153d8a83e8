"""Open the shop: sources, a campaign, and something to sell, made once and found again."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from synaptyx.type.v1.provider_pb2 import PROVIDER_POLAR, PROVIDER_STRIPE

from deploy.local.merchant.connecting import connect
from deploy.local.merchant.sandboxes import PolarMerchant, StripeMerchant
from deploy.local.merchant.services import Services
from deploy.local.shop.settings import ShopSettings

# Always the same, so that another run finds what this one made.
STRIPE_KEY = "sk_test_shop000000000000000000000000000"
POLAR_TOKEN = "polar_oat_shop0000000000000000000000000"

CAMPAIGN = "spring"
LINK_AMOUNT, SUBSCRIPTION_AMOUNT, CHECKOUT_AMOUNT = 2500, 1200, 4900
POLAR_LINK_AMOUNT, POLAR_AMOUNT = 1900, 3900


@dataclass(frozen=True)
class OpenShop:
    """An open shop: how it is entered, and what is on its shelves."""

    tracking_link_url: str
    stripe_snippet_url: str
    polar_snippet_url: str
    payment_link_url: str
    polar_link_url: str
    polar_product: str

    @property
    def button_id(self) -> str:
        """Give what the Buy Button of the Payment Link is known by."""
        return self.payment_link_url.rpartition("/test_")[2]


async def open_shop(
    settings: ShopSettings, services: Services, *, stripe: StripeMerchant, polar: PolarMerchant
) -> OpenShop:
    """Make what the shop needs, or find what an earlier run made.

    Raises:
        StepFailed: something refuses, or does not answer.
    """
    campaign = await services.campaign(
        CAMPAIGN, display_name="Spring sale", landing_uri=f"{settings.url}/"
    )
    snippets = []
    for provider, merchant, name, key, url in (
        (PROVIDER_STRIPE, stripe, "Shop at Stripe", STRIPE_KEY, settings.stripe_url),
        (PROVIDER_POLAR, polar, "Shop at Polar", POLAR_TOKEN, settings.polar_url),
    ):
        source = await connect(services, merchant, provider=provider, name=name, key=key)
        await services.have_links_at(source.name, urlsplit(url).netloc)
        snippets.append((await services.snippet(source.name)).script_uri)
    thanks = f"{settings.url}/thanks"
    return OpenShop(
        tracking_link_url=campaign.tracking_uri,
        stripe_snippet_url=snippets[0],
        polar_snippet_url=snippets[1],
        payment_link_url=await stripe.payment_link(
            name="Cable", amount=LINK_AMOUNT, success_url=thanks
        ),
        polar_link_url=await polar.checkout_link(amount=POLAR_LINK_AMOUNT, success_url=thanks),
        polar_product=await polar.product(),
    )
