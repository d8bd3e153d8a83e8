import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.secret import Secret
from services.ingress.outcomes import Reason
from services.ingress.signatures.checking import UnreadableSignatureError
from services.ingress.signatures.stripe import StripeSignature, read_stripe_signature

SECRET = Secret("whsec_51Tq9mYpZ2kRvB7nXcLw0sHdGfJa8uEo")
BODY = '{"id": "evt_1"}'
T = 1795431363


def sign(body: str = BODY, timestamp: object = T, secret: Secret = SECRET) -> str:
    signed = f"{timestamp}.{body}".encode()
    return hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()


def read(header: str) -> StripeSignature:
    return read_stripe_signature([header])


def refusal(*values: str) -> Reason:
    with pytest.raises(UnreadableSignatureError) as raised:
        read_stripe_signature(values)
    return raised.value.reason


class TestReading:
    def test_reads_the_time_and_every_v1(self) -> None:
        header = f"t={T},v1={'a' * 64},v0={'b' * 64},v1={'c' * 64}"
        assert read(header) == StripeSignature(T, ("a" * 64, "c" * 64))

    def test_white_space_around_items_is_allowed(self) -> None:
        assert read(f" t={T} ,\tv1={'a' * 64}").entries == ("a" * 64,)

    @pytest.mark.parametrize("values", [(), ("",), ("  ", "")])
    def test_nothing_there_is_missing(self, values: tuple[str, ...]) -> None:
        assert refusal(*values) is Reason.SIGNATURE_MISSING

    @pytest.mark.parametrize(
        "timestamp",
        [
            "",
            "-1",
            "+1",
            "1.5",
            "1e9",
            "1_000",
            "0x10",
            "nan",
            "1795431363000",
            "9" * 5000,
            "\u0661\u0667\u0669\u0665",
            "17 95",
        ],
    )
    def test_a_time_that_is_not_plain_seconds_is_unreadable(self, timestamp: str) -> None:
        assert refusal(f"t={timestamp},v1={'a' * 64}") is Reason.SIGNATURE_UNREADABLE

    @pytest.mark.parametrize(
        "header",
        [
            "garbage",
            f"v1={'a' * 64}",
            f"t={T}",
            f"t={T},v0={'a' * 64}",
            f"t={T},t={T + 1},v1={'a' * 64}",
            f"T={T},v1={'a' * 64}",
            ",,,",
        ],
    )
    def test_without_one_time_and_a_v1_it_is_unreadable(self, header: str) -> None:
        assert refusal(header) is Reason.SIGNATURE_UNREADABLE

    def test_the_same_time_twice_is_no_contradiction(self) -> None:
        values = [f"t={T},v1={'a' * 64}", f"t={T},v1={'b' * 64}"]
        assert read_stripe_signature(values).entries == ("a" * 64, "b" * 64)

    def test_what_cannot_match_is_left_out(self) -> None:
        header = f"t={T},v1={'A' * 64},v1=\u00e9,v1=,v1={'a' * 63},v1={'a' * 64}=x"
        assert read(header).entries == ()

    def test_the_number_of_entries_is_bounded(self) -> None:
        header = f"t={T}," + ",".join([f"v1={'0' * 64}"] * 16 + [f"v1={sign()}"])
        signature = read(header)
        assert len(signature.entries) == 16
        assert not signature.made_with(SECRET, BODY)

    @given(st.text(max_size=200))
    def test_any_text_is_read_or_refused(self, header: str) -> None:
        try:
            signature = read(header)
        except UnreadableSignatureError:
            return
        assert not signature.made_with(SECRET, BODY)


class TestMadeWith:
    def test_its_own_secret(self) -> None:
        assert read(f"t={T},v1={sign()}").made_with(SECRET, BODY)

    def test_any_of_its_entries(self) -> None:
        assert read(f"t={T},v1={'0' * 64},v1={sign()}").made_with(SECRET, BODY)

    def test_however_old_it_is(self) -> None:
        assert read(f"t=1,v1={sign(timestamp=1)}").made_with(SECRET, BODY)

    def test_text_outside_of_ascii(self) -> None:
        body = '{"name": "é😀\u0000"}'
        assert read(f"t={T},v1={sign(body)}").made_with(SECRET, body)

    def test_not_another_secret_body_or_time(self) -> None:
        assert not read(f"t={T},v1={sign()}").made_with(Secret("whsec_other"), BODY)
        assert not read(f"t={T},v1={sign()}").made_with(SECRET, BODY + " ")
        assert not read(f"t={T + 1},v1={sign()}").made_with(SECRET, BODY)

    def test_not_under_another_scheme(self) -> None:
        assert not read(f"t={T},v0={sign()},v1={'0' * 64}").made_with(SECRET, BODY)

    @pytest.mark.parametrize("blank", ["", "  ", "\n"])
    def test_never_a_blank_secret(self, blank: str) -> None:
        forged = sign(secret=Secret(blank))
        assert not read(f"t={T},v1={forged}").made_with(Secret(blank), BODY)

    @pytest.mark.parametrize("position", [0, 31, 63])
    def test_not_with_one_digit_changed(self, position: int) -> None:
        good = sign()
        changed = "1" if good[position] == "0" else "0"
        bad = good[:position] + changed + good[position + 1 :]
        assert not read(f"t={T},v1={bad}").made_with(SECRET, BODY)
