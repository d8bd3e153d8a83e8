"""The formats of secrets: what is taken, and what is said of what is not."""

import pytest

from services.credentials.domain.credentials import CredentialKind
from services.credentials.domain.formats import (
    api_key_fault,
    is_stripe_test_key,
    secret_fault,
    signing_secret_fault,
)
from services.credentials.domain.sources import Provider

STRIPE, POLAR = Provider.STRIPE, Provider.POLAR
LONG = "a" * 40


class TestApiKey:
    @pytest.mark.parametrize(
        ("provider", "key"),
        [
            (STRIPE, "sk_test_abc"),
            (STRIPE, "sk_live_51AbCdEf"),
            (STRIPE, "rk_test_51_x9"),
            (STRIPE, "rk_live_" + "a" * 100),
            (POLAR, "polar_oat_abc"),
            (POLAR, "polar_pat_abc"),
            (POLAR, "polar_at_u_abc"),
            (POLAR, "polar_at_o_abc"),
        ],
    )
    def test_a_key_of_the_provider_is_taken(self, provider: Provider, key: str) -> None:
        assert api_key_fault(provider, key) is None

    @pytest.mark.parametrize("provider", Provider)
    @pytest.mark.parametrize(
        ("key", "saying"),
        [
            ("", "is blank"),
            (" \t", "is blank"),
            (" sk_test_abc", "white space: remove"),
            ("polar_oat_abc\n", "white space: remove"),
            ("sk_test_a bc", "white space inside"),
            ("sk_test_äbc", "characters that no secret has"),
            ("sk_test_a\u0000bc", "characters that no secret has"),
            ("sk_test_a\u200bbc", "characters that no secret has"),
            ("sk_test_" + "a" * 500, "longer than"),
            ("whsec_abcdefgh", "webhook signing secret"),
            ("polar_whs_abcdefgh", "webhook signing secret"),
        ],
    )
    def test_what_is_no_key_at_all_is_named(
        self, provider: Provider, key: str, saying: str
    ) -> None:
        fault = api_key_fault(provider, key)
        assert fault is not None
        assert saying in fault

    @pytest.mark.parametrize(
        ("provider", "key", "saying"),
        [
            (STRIPE, "pk_live_abcdef", "publishable key"),
            (STRIPE, "polar_oat_abc", "key of Polar"),
            (STRIPE, "sk_test_ab", "only a part"),
            (STRIPE, "sk_other_abc", "not a Stripe API key"),
            (STRIPE, "SK_TEST_abc", "not a Stripe API key"),
            (STRIPE, "sk_test_abc!", "not a Stripe API key"),
            (POLAR, "sk_live_abc", "key of Stripe"),
            (POLAR, "pk_test_abc", "key of Stripe"),
            (POLAR, "polar_oat_ab", "only a part"),
            (POLAR, "polar_rt_u_abc", "not an access token"),
            (POLAR, LONG, "not an access token"),
        ],
    )
    def test_what_people_mix_up_is_told_apart(
        self, provider: Provider, key: str, saying: str
    ) -> None:
        fault = api_key_fault(provider, key)
        assert fault is not None
        assert saying in fault

    def test_the_mode_of_a_stripe_key_is_read_from_its_prefix(self) -> None:
        assert is_stripe_test_key("rk_test_abc")
        assert not is_stripe_test_key("sk_live_test_abc")


class TestSigningSecret:
    @pytest.mark.parametrize(
        ("provider", "secret"),
        [
            (STRIPE, "whsec_abcdefgh"),
            (STRIPE, "whsec_" + "a0+/=_-" * 5),
            (POLAR, "whsec_abcdefgh"),
            (POLAR, "polar_whs_abcdefgh"),
            (POLAR, "my own text with no blanks".replace(" ", "-") + "-at-all!"),
            (POLAR, "~" * 32),
        ],
    )
    def test_a_secret_of_the_provider_is_taken(self, provider: Provider, secret: str) -> None:
        assert signing_secret_fault(provider, secret) is None

    @pytest.mark.parametrize(
        ("provider", "secret", "saying"),
        [
            (STRIPE, "", "is blank"),
            (STRIPE, "whsec_", "only a part"),
            (STRIPE, "whsec_abcdefg", "only a part"),
            (STRIPE, "whsec_abcdefgh ", "white space: remove"),
            (STRIPE, LONG, "not a signing secret"),
            (STRIPE, "polar_whs_abcdefgh", "secret of Polar"),
            (STRIPE, "sk_live_" + LONG, "is an API key"),
            (POLAR, "polar_oat_" + LONG, "is an API key"),
            (POLAR, "rk_test_" + LONG, "is an API key"),
            (POLAR, "pk_test_" + LONG, "is an API key"),
            (POLAR, "whsec_short", "too short"),
            (POLAR, "~" * 31, "too short"),
            (POLAR, "ä" * 32, "characters that no secret has"),
        ],
    )
    def test_what_is_none_is_refused_with_what_to_do(
        self, provider: Provider, secret: str, saying: str
    ) -> None:
        fault = signing_secret_fault(provider, secret)
        assert fault is not None
        assert saying in fault


class TestSecretFault:
    @pytest.mark.parametrize("provider", Provider)
    @pytest.mark.parametrize("kind", CredentialKind)
    @pytest.mark.parametrize("text", ["CANARY", "CANARY CANARY", "pk_test_CANARY", "whsec_CANARY"])
    def test_no_fault_quotes_what_was_entered(
        self, provider: Provider, kind: CredentialKind, text: str
    ) -> None:
        assert "CANARY" not in (secret_fault(kind, text, provider=provider) or "")
