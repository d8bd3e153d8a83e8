"""What credit given by hand says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.attribution.domain.attachments import Attachment, came_before
from services.attribution.domain.conversions import Basis, Credit
from tests.builders import PAID_AT, a_click, uuid7_at

CONVERSION = uuid7_at(PAID_AT)


def an_attachment(*, click_id: str | None = None, campaign_id: str | None = None) -> Attachment:
    return Attachment(
        workspace_id="acme",
        attachment_id=uuid7_at(PAID_AT),
        conversion_id=CONVERSION,
        click_id=click_id,
        campaign_id=campaign_id,
        actor="support/anna",
        reason="He called us.",
        attached_at=PAID_AT,
    )


class TestAttachment:
    def test_credits_a_click_and_its_campaign(self) -> None:
        click = a_click(click_id="clk_1", campaign_id="launch")
        assert an_attachment(click_id="clk_1").credit(click) == Credit(
            Basis.MANUAL, click, "launch", actor="support/anna", reason="He called us."
        )

    def test_credits_a_campaign(self) -> None:
        credit = an_attachment(campaign_id="launch").credit(None)
        assert credit is not None
        assert (credit.basis, credit.click, credit.campaign_id) == (Basis.MANUAL, None, "launch")

    def test_gives_the_credit_back(self) -> None:
        assert an_attachment().credit(None) is None

    def test_the_same_wish_may_be_worded_otherwise(self) -> None:
        first = an_attachment(click_id="clk_1")
        assert first.is_same_wish(replace(first, reason="Again.", actor="support/bert"))

    @pytest.mark.parametrize(
        "other",
        [
            an_attachment(),
            an_attachment(click_id="clk_2"),
            an_attachment(campaign_id="launch"),
            replace(an_attachment(click_id="clk_1"), conversion_id=uuid7_at(PAID_AT)),
        ],
    )
    def test_another_wish_is_another(self, other: Attachment) -> None:
        assert not an_attachment(click_id="clk_1").is_same_wish(other)


class TestCameBefore:
    def test_no_click_after_a_payment_has_earned_it(self) -> None:
        in_its_second = PAID_AT + timedelta(milliseconds=999)
        assert came_before(a_click(clicked_at=in_its_second), PAID_AT)
        assert not came_before(a_click(clicked_at=PAID_AT + timedelta(seconds=1)), PAID_AT)

    def test_a_payment_that_is_awaited_may_be_earned_by_any(self) -> None:
        assert came_before(a_click(clicked_at=PAID_AT), None)
