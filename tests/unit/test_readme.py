"""What the README shows is so."""

from services.attribution.domain.outcomes import SENTENCES, Outcome
from services.ingress.outcomes import Reason
from tests import reasons_table
from tests.settings_table import README, rendered


def test_its_table_of_settings_is_the_settings():
    text = README.read_text()
    assert text == rendered(text), "run `python -m tests.settings_table`"


def test_its_table_of_reasons_is_the_reasons():
    text = README.read_text()
    assert text == reasons_table.rendered(text), "run `python -m tests.reasons_table`"


def test_it_names_every_outcome_that_can_come():
    text = README.read_text()
    later = {Outcome.UNKNOWN_ACCOUNT}
    assert [o for o in Outcome if o not in later and f"| `{o}` |" not in text] == []


def test_its_reasons_are_reasons():
    table = README.read_text().partition("Bad input, and")[2].partition("Every reason")[0]
    last = [line.split("|")[3] for line in table.splitlines() if line.startswith("|")]
    reasons = {token.strip(" `") for cell in last[2:] for token in cell.split(",")}
    assert reasons - {""} <= set(SENTENCES)
    assert len(reasons) > 15


def test_every_reason_of_a_refusal_has_a_sentence():
    # Those of 503 are no refusals: nothing is logged, and the sender comes again.
    unlogged = {"secrets_unavailable", "attribution_unavailable", "overloaded"}
    assert {reason.value for reason in Reason} - unlogged <= set(SENTENCES)
