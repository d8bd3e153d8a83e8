"""Snippets: the payloads of checkouts that they name the click in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.credentials.snippets.browsing import (
    PLAIN,
    POLAR,
    POLAR_WITH_CONSENT,
    STRIPE,
    WITH_CONSENT,
    Visit,
)

NAMED = {"synaptyx_clickid": "c1"}
FREEZE = """
    const freeze = (value) => {
        if (value && typeof value === "object") Object.values(value).forEach(freeze);
        return Object.freeze(value);
    };
"""


def attached(visit: Visit, payload: object, *, script: str = STRIPE) -> Any:
    """Give what becomes of a payload; it is deeply frozen, and must be as it was."""
    written = json.dumps(payload)
    act = f"""
        {FREEZE}
        const payload = freeze({written});
        const copy = synaptyx.attach(payload);
        if (JSON.stringify(payload) !== JSON.stringify({written})) throw new Error("changed");
        return [copy, copy === payload];
    """
    copy, is_same = visit(act, scripts=[script])
    # A page can tell by identity that nothing was done.
    assert is_same == (copy == payload)
    return copy


def entries(count: int) -> dict[str, str]:
    return {f"key_{number}": "x" for number in range(count)}


class TestModesOfStripe:
    def test_a_payment_names_it_in_its_payment_intent_too(self, visit: Visit) -> None:
        items = [{"price": "p", "quantity": 1}]
        assert attached(visit, {"mode": "payment", "line_items": items}) == {
            "mode": "payment",
            "line_items": items,
            "metadata": NAMED,
            "payment_intent_data": {"metadata": NAMED},
            "client_reference_id": "c1",
        }

    def test_a_subscription_names_it_in_its_subscription_too(self, visit: Visit) -> None:
        payload = {"mode": "subscription", "subscription_data": {"trial_period_days": 7}}
        assert attached(visit, payload) == {
            "mode": "subscription",
            "metadata": NAMED,
            "subscription_data": {"trial_period_days": 7, "metadata": NAMED},
            "client_reference_id": "c1",
        }

    @pytest.mark.parametrize("mode", [{"mode": "setup"}, {}, {"mode": None}, {"mode": "new"}])
    def test_other_modes_name_it_in_the_session_alone(
        self, visit: Visit, mode: dict[str, str]
    ) -> None:
        assert attached(visit, mode) == {**mode, "metadata": NAMED, "client_reference_id": "c1"}

    def test_what_the_page_has_for_a_mode_that_is_not_its_own_stays(self, visit: Visit) -> None:
        payload = {"mode": "payment", "subscription_data": {"description": "x"}}
        assert attached(visit, payload)["subscription_data"] == {"description": "x"}

    @pytest.mark.parametrize(
        "payload",
        [
            {"amount": 500, "currency": "eur"},
            {"items": []},
            {"currency": "eur", "automatic_payment_methods": {"enabled": True}},
            {"usage": "off_session"},
        ],
    )
    def test_what_is_made_without_a_checkout_has_no_reference(
        self, visit: Visit, payload: dict[str, object]
    ) -> None:
        assert attached(visit, payload) == {**payload, "metadata": NAMED}


class TestWhatThePageHasSet:
    @pytest.mark.parametrize("reference", ["mine", "", 0])
    def test_a_reference_stays(self, visit: Visit, reference: object) -> None:
        copy = attached(visit, {"client_reference_id": reference})
        assert copy == {"client_reference_id": reference, "metadata": NAMED}

    def test_one_that_is_null_is_free(self, visit: Visit) -> None:
        assert attached(visit, {"client_reference_id": None})["client_reference_id"] == "c1"

    def test_metadata_is_added_to(self, visit: Visit) -> None:
        copy = attached(visit, {"mode": "payment", "metadata": {"cart": "7"}})
        assert copy["metadata"] == {"cart": "7", **NAMED}
        assert copy["payment_intent_data"] == {"metadata": NAMED}

    @pytest.mark.parametrize(
        "metadata",
        [
            "text",
            "",
            0,
            7,
            True,
            False,
            [],
            ["x"],
            {"synaptyx_clickid": "mine"},
            {"synaptyx_clickid": ""},
            entries(50),
        ],
    )
    def test_metadata_that_cannot_take_the_click_stays(
        self, visit: Visit, metadata: object
    ) -> None:
        payload = {
            "mode": "payment",
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
        }
        assert attached(visit, payload) == {**payload, "client_reference_id": "c1"}
        polars = {"products": ["p"], "metadata": metadata}
        assert attached(visit, polars, script=POLAR) == polars

    @pytest.mark.parametrize("metadata", [None, {}, {"synaptyx_clickid": None}, entries(49)])
    def test_metadata_with_room_takes_it(self, visit: Visit, metadata: object) -> None:
        copy = attached(visit, {"metadata": metadata})
        assert copy["metadata"] == {**(metadata or {}), **NAMED}  # type: ignore[dict-item]

    @pytest.mark.parametrize("data", ["text", 7, [], True])
    def test_parameters_of_a_mode_that_are_no_object_stay(self, visit: Visit, data: object) -> None:
        copy = attached(visit, {"mode": "subscription", "subscription_data": data})
        assert copy["subscription_data"] == data
        assert copy["metadata"] == NAMED


class TestPolar:
    def test_a_checkout_names_it_in_its_metadata_alone(self, visit: Visit) -> None:
        payload = {"products": ["p"], "mode": "payment", "metadata": {"cart": 7}}
        copy = attached(visit, payload, script=POLAR)
        assert copy == {**payload, "metadata": {"cart": 7, **NAMED}}


class TestBothProviders:
    @pytest.mark.parametrize("scripts", [[STRIPE, POLAR], [POLAR, STRIPE]])
    @pytest.mark.parametrize("key", ["products", "product_id", "product_price_id"])
    def test_payloads_are_told_apart(self, visit: Visit, scripts: list[str], key: str) -> None:
        act = f"""
            const both = [{{mode: "setup"}}, {{{key}: "p"}}].map(synaptyx.attach);
            const each = [synaptyx.stripe, synaptyx.polar].map((it) => it.attach({{}}));
            return [both, each];
        """
        stripes = {"metadata": NAMED, "client_reference_id": "c1"}
        assert visit(act, scripts=scripts) == [
            [{"mode": "setup", **stripes}, {key: "p", "metadata": NAMED}],
            [stripes, {"metadata": NAMED}],
        ]

    def test_a_mode_is_stripes_whatever_else_is_there(self, visit: Visit) -> None:
        act = "return synaptyx.attach({mode: 'payment', products: []}).payment_intent_data;"
        assert visit(act, scripts=[STRIPE, POLAR]) == {"metadata": NAMED}

    @pytest.mark.parametrize(
        "scripts", [[WITH_CONSENT, POLAR], [STRIPE, POLAR_WITH_CONSENT], [STRIPE, POLAR]]
    )
    def test_a_click_that_one_of_them_may_name_is_told(
        self, visit: Visit, scripts: list[str]
    ) -> None:
        assert visit("return synaptyx.clickId();", scripts=scripts) == "c1"

    @pytest.mark.parametrize("script", [STRIPE, POLAR])
    def test_one_alone_takes_every_payload(self, visit: Visit, script: str) -> None:
        act = "return [{products: []}, {mode: 'setup'}].map((it) => synaptyx.attach(it).metadata);"
        assert visit(act, scripts=[script]) == [NAMED, NAMED]


class TestOddPayloads:
    @pytest.mark.parametrize("script", [STRIPE, POLAR])
    @pytest.mark.parametrize(
        "payload",
        [
            *("null", "undefined", "0", "7", "NaN", "true", "'text'", "''", "Symbol('x')", "10n"),
            *("[]", "[{mode: 'payment'}]", "() => 1", "new Map()", "new Date()", "/x/"),
            "Promise.resolve({mode: 'payment'})",
            "new URLSearchParams()",
            "{get mode() { throw new Error('mode'); }}",
            "{mode: 'payment', get metadata() { throw new Error('metadata'); }}",
            "{metadata: {get cart() { throw new Error('cart'); }}}",
            "new Proxy({}, {get() { throw new Error('get'); }})",
            "new Proxy({}, {has() { throw new Error('has'); }})",
            "new Proxy({}, {ownKeys() { throw new Error('keys'); }})",
            "{metadata: new Proxy({}, {getOwnPropertyDescriptor() { throw new Error('own'); },"
            " ownKeys() { return ['x']; }})}",
            "(() => { const gone = Proxy.revocable({}, {}); gone.revoke(); return gone.proxy; })()",
        ],
    )
    def test_are_given_back_as_they_are(self, visit: Visit, payload: str, script: str) -> None:
        act = f"const payload = {payload}; return Object.is(synaptyx.attach(payload), payload);"
        assert visit(act, scripts=[script])

    def test_no_payload_at_all_is_none(self, visit: Visit) -> None:
        assert visit("return synaptyx.attach() === undefined;")

    def test_an_object_without_a_prototype_is_taken(self, visit: Visit) -> None:
        act = "return synaptyx.attach(Object.assign(Object.create(null), {mode: 'setup'}));"
        assert visit(act)["metadata"] == NAMED

    def test_an_object_of_another_frame_is_taken(self, visit: Visit) -> None:
        # JSON of the page that runs the tests makes objects that are none of this page's.
        act = "return synaptyx.attach(page.foreign());"
        assert visit(act)["metadata"] == {"cart": "7", **NAMED}

    def test_one_that_holds_itself_is_taken(self, visit: Visit) -> None:
        act = "const it = {}; it.self = it; return synaptyx.attach(it).self === it;"
        assert visit(act)

    def test_a_key_named_proto_stays_a_key(self, visit: Visit) -> None:
        act = """
            const copy = synaptyx.attach(JSON.parse('{"__proto__": {"x": 1}, "metadata": {}}'));
            return [Object.keys(copy).includes("__proto__"), copy.x, {}.x];
        """
        assert visit(act) == [True, None, None]

    def test_attaching_can_be_passed_on_as_a_function(self, visit: Visit) -> None:
        assert visit("const {attach} = synaptyx; return attach({}).metadata;") == NAMED

    def test_attaching_twice_is_as_good_as_once(self, visit: Visit) -> None:
        act = """
            const once = synaptyx.attach({mode: "payment"});
            return JSON.stringify(once) === JSON.stringify(synaptyx.attach(once));
        """
        assert visit(act)

    @pytest.mark.parametrize("script", [STRIPE, POLAR])
    def test_without_a_click_every_payload_is_given_back(self, visit: Visit, script: str) -> None:
        act = """
            return [{mode: "payment"}, {products: []}, null, undefined, 7]
                .every((payload) => synaptyx.attach(payload) === payload);
        """
        assert visit(act, url=PLAIN, scripts=[script])
