"""A key tried at the providers, which answer in every way that they do."""

import gc
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.chassis.errors import CredentialRefused, ProviderUnavailable
from services.chassis.secret import Secret
from services.credentials.domain.sources import ProviderAccount
from services.credentials.providers.polar import PolarApi
from services.credentials.providers.stripe import StripeApi
from tests.fakes.provider_apis import Behaviour, ProviderApis
from tests.integration.credentials.service import POLAR_KEY, STRIPE_KEY

SHORT = timedelta(milliseconds=200)


@pytest.fixture
async def stripe(apis: ProviderApis) -> AsyncIterator[StripeApi]:
    api = StripeApi(apis.stripe_url, timeout=SHORT)
    yield api
    await api.close()


@pytest.fixture
async def polar(apis: ProviderApis) -> AsyncIterator[PolarApi]:
    api = PolarApi(apis.polar_url, timeout=SHORT)
    yield api
    await api.close()


BAD = [behaviour for behaviour in Behaviour if behaviour is not Behaviour.NORMAL]


class TestStripe:
    async def test_it_is_asked_for_events_and_then_for_the_account(
        self, stripe: StripeApi, apis: ProviderApis
    ) -> None:
        apis.add_key(STRIPE_KEY, account="acct_7")
        assert await stripe.check(Secret(STRIPE_KEY)) == ProviderAccount("acct_7", test=True)
        assert [asked.path for asked in apis.requests] == [
            "/stripe/v1/events",
            "/stripe/v1/account",
        ]
        assert apis.requests[0].query == {"limit": "1"}

    # The SDK forgets the connection of a body that it cannot read to its end.
    @pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
    @pytest.mark.parametrize("behaviour", BAD)
    async def test_every_other_answer_means_that_it_is_away(
        self, stripe: StripeApi, apis: ProviderApis, behaviour: Behaviour
    ) -> None:
        apis.add_key(STRIPE_KEY)
        apis.behave(behaviour)
        with pytest.raises(ProviderUnavailable):
            await stripe.check(Secret(STRIPE_KEY))
        gc.collect()

    async def test_a_refused_connection_means_that_it_is_away(self) -> None:
        api = StripeApi("http://127.0.0.1:9", timeout=SHORT)
        with pytest.raises(ProviderUnavailable):
            await api.check(Secret(STRIPE_KEY))
        await api.close()

    async def test_a_refusal_shows_nothing_of_the_key(self, stripe: StripeApi) -> None:
        with pytest.raises(CredentialRefused) as raised:
            await stripe.check(Secret("sk_test_CANARYCANARY"))
        assert "NARY" not in str(raised.value)
        assert raised.value.__cause__ is None


class TestPolar:
    async def test_it_is_asked_for_orders_and_then_for_the_organisation(
        self, polar: PolarApi, apis: ProviderApis
    ) -> None:
        apis.add_key(POLAR_KEY, account="org-7")
        assert await polar.check(Secret(POLAR_KEY)) == ProviderAccount("org-7", test=False)
        assert [(asked.path, asked.polar_version) for asked in apis.requests] == [
            ("/polar/v1/orders/", "2026-10"),
            ("/polar/v1/organizations/", "2026-10"),
        ]
        assert apis.requests[0].query == {"limit": "1"}

    async def test_a_token_that_may_not_read_the_organisation_is_enough(
        self, polar: PolarApi, apis: ProviderApis
    ) -> None:
        apis.add_key(POLAR_KEY, account=None)
        assert await polar.check(Secret(POLAR_KEY)) == ProviderAccount(None, test=False)

    @pytest.mark.parametrize("behaviour", BAD)
    async def test_every_other_answer_means_that_it_is_away(
        self, polar: PolarApi, apis: ProviderApis, behaviour: Behaviour
    ) -> None:
        apis.add_key(POLAR_KEY)
        apis.behave(behaviour)
        with pytest.raises(ProviderUnavailable):
            await polar.check(Secret(POLAR_KEY))

    async def test_a_refused_connection_means_that_it_is_away(self) -> None:
        api = PolarApi("http://127.0.0.1:9", timeout=SHORT)
        with pytest.raises(ProviderUnavailable):
            await api.check(Secret(POLAR_KEY))
        await api.close()

    async def test_an_unknown_and_a_weak_token_are_refused(
        self, polar: PolarApi, apis: ProviderApis
    ) -> None:
        with pytest.raises(CredentialRefused, match="revoked"):
            await polar.check(Secret(POLAR_KEY))
        apis.add_key(POLAR_KEY, permitted=False)
        with pytest.raises(CredentialRefused, match="orders:read"):
            await polar.check(Secret(POLAR_KEY))
