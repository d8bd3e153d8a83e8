import copy
import json
import pickle
from dataclasses import dataclass, replace

import orjson
import pytest

from services.chassis.secret import Secret

CANARY = "whsec_canary"


@dataclass(frozen=True)
class _Holder:
    secret: Secret
    name: str


class TestSecret:
    def test_gives_its_text_to_who_asks_for_it(self):
        assert Secret(CANARY).reveal() == CANARY

    @pytest.mark.parametrize(
        "write",
        [
            repr,
            str,
            "{}".format,
            "{:>40}".format,
            "{!r}".format,
            lambda secret: f"{secret:.3}",
            lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
            lambda secret: repr(_Holder(secret, "a")),
            lambda secret: repr([secret, {"key": secret}]),
        ],
    )
    def test_is_redacted_however_it_is_written(self, write):
        text = write(Secret(CANARY))
        assert "[redacted]" in text
        assert "canary" not in text

    @pytest.mark.parametrize("write", [pickle.dumps, json.dumps, orjson.dumps, vars])
    def test_is_not_serialized(self, write):
        with pytest.raises(TypeError) as raised:
            write(Secret(CANARY))
        assert "canary" not in str(raised.value)

    def test_equals_a_secret_of_the_same_text_only(self):
        assert Secret("a") == Secret("a")
        assert Secret("a") != Secret("b")
        assert Secret("a") != Secret("aa")
        assert Secret("a") != "a"

    def test_works_as_a_key(self):
        assert {Secret("a"): 1}[Secret("a")] == 1

    @pytest.mark.parametrize("text", ["", "ключ", "\udcff", "a\0b"])
    def test_takes_any_text(self, text):
        assert Secret(text) == Secret(text)
        assert Secret(text).reveal() == text

    def test_does_not_change(self):
        secret = Secret(CANARY)
        with pytest.raises(AttributeError):
            setattr(secret, "_text", "other")  # noqa: B010
        with pytest.raises(AttributeError):
            delattr(secret, "_text")
        assert secret.reveal() == CANARY

    def test_is_copied_with_what_holds_it(self):
        holder = _Holder(Secret(CANARY), "a")
        assert copy.deepcopy(holder) == holder
        assert copy.copy(holder.secret) == holder.secret
        assert replace(holder, name="b").secret == holder.secret
