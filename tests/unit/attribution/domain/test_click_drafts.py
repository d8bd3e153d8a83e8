"""What a click may be, and when two calls tell of the same one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.attribution.domain.click_drafts import ClickDraft
from services.attribution.domain.clicks import NAMED_PARAMETERS, PARAMETERS
from services.attribution.domain.money import Money
from tests.builders import CLICKED_AT, a_draft

NOW = CLICKED_AT + timedelta(hours=1)


def faulty_fields(draft: ClickDraft) -> list[str]:
    return [fault.field for fault in draft.faults(now=NOW)]


class TestFaults:
    def test_a_usual_click_has_none(self) -> None:
        assert faulty_fields(a_draft(cost=Money("USD", 12))) == []

    def test_everything_may_be_left_out(self) -> None:
        draft = a_draft(click_id=None, clicked_at=None, referrer=None, parameters={})
        assert faulty_fields(draft) == []

    @pytest.mark.parametrize("click_id", ["a b", "ü", "a" * 201, "a\n", "a.b", "a/b"])
    def test_a_click_id_keeps_to_its_alphabet(self, click_id: str) -> None:
        assert faulty_fields(a_draft(click_id=click_id)) == ["click_id"]

    @pytest.mark.parametrize("click_id", ["a" * 200, "-", "_", "A9"])
    def test_the_whole_alphabet_is_accepted(self, click_id: str) -> None:
        assert faulty_fields(a_draft(click_id=click_id)) == []

    def test_a_click_may_lie_five_minutes_ahead(self) -> None:
        assert faulty_fields(a_draft(clicked_at=NOW + timedelta(minutes=5))) == []

    def test_a_click_may_not_lie_further_ahead(self) -> None:
        ahead = timedelta(minutes=5, microseconds=1)
        assert faulty_fields(a_draft(clicked_at=NOW + ahead)) == ["click.click_time"]

    def test_a_referrer_has_an_end(self) -> None:
        assert faulty_fields(a_draft(referrer="x" * 2048)) == []
        assert faulty_fields(a_draft(referrer="x" * 2049)) == ["click.referrer"]

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
    def test_what_postgres_cannot_store_is_refused(self, text: str) -> None:
        draft = a_draft(referrer=text, parameters={"sub1": text})
        assert faulty_fields(draft) == ["click.referrer", "click.parameters.sub1"]

    def test_every_documented_parameter_is_accepted(self) -> None:
        assert faulty_fields(a_draft(parameters=dict.fromkeys(PARAMETERS, "x" * 500))) == []

    def test_a_parameter_has_an_end(self) -> None:
        draft = a_draft(parameters={"gclid": "x" * 501})
        assert faulty_fields(draft) == ["click.parameters.gclid"]

    @pytest.mark.parametrize("key", ["sub0", "sub31", "UTM_SOURCE", "", "email"])
    def test_other_parameters_are_refused_and_not_repeated(self, key: str) -> None:
        [fault] = a_draft(parameters={key: "mail@example.org"}).faults(now=NOW)
        assert fault.field == "click.parameters"
        assert "example" not in fault.description
        assert key == "" or key not in fault.description.split()
        assert fault.description.partition("sub30, ")[2].split(", ") == list(NAMED_PARAMETERS)

    @pytest.mark.parametrize("minor_units", [0, 2**53 - 1])
    def test_a_cost_is_from_nothing_to_the_largest_amount(self, minor_units: int) -> None:
        assert faulty_fields(a_draft(cost=Money("EUR", minor_units))) == []

    @pytest.mark.parametrize("minor_units", [-1, 2**53])
    def test_other_costs_are_refused(self, minor_units: int) -> None:
        draft = a_draft(cost=Money("EUR", minor_units))
        assert faulty_fields(draft) == ["click.cost.minor_units"]

    @pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "U$D"])
    def test_a_currency_is_three_upper_case_letters(self, currency: str) -> None:
        draft = a_draft(cost=Money(currency, 1))
        assert faulty_fields(draft) == ["click.cost.currency_code"]


class TestDescribes:
    def test_a_draft_describes_the_click_made_of_it(self) -> None:
        draft = a_draft(cost=Money("USD", 1), campaign_id="launch")
        assert draft.describes(draft.to_click("acme", click_id="clk_1", at=NOW))

    def test_a_draft_without_a_time_describes_the_click_at_any_time(self) -> None:
        draft = a_draft(clicked_at=None)
        click = draft.to_click("acme", click_id="clk_1", at=NOW)
        assert click.clicked_at == click.created_at == NOW
        assert draft.describes(click)

    @pytest.mark.parametrize(
        "other",
        [
            a_draft(clicked_at=CLICKED_AT + timedelta(microseconds=1)),
            a_draft(referrer=None),
            a_draft(campaign_id="launch"),
            a_draft(parameters={"utm_source": "mail"}),
            a_draft(cost=Money("USD", 0)),
        ],
    )
    def test_a_draft_that_says_something_else_does_not(self, other: ClickDraft) -> None:
        assert not other.describes(a_draft().to_click("acme", click_id="clk_1", at=NOW))
