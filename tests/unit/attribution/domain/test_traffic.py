"""What brought a visitor."""

from __future__ import annotations

import pytest

from services.attribution.domain.traffic import TrafficCategory, traffic_category

PAID, ORGANIC, SOCIAL = TrafficCategory.PAID, TrafficCategory.ORGANIC, TrafficCategory.SOCIAL
AI, REFERRAL, EMAIL = TrafficCategory.AI, TrafficCategory.REFERRAL, TrafficCategory.EMAIL
DIRECT = TrafficCategory.DIRECT


class TestTrafficCategory:
    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({"gclid": "abc"}, PAID),
            ({"ttclid": "abc"}, PAID),
            ({"gclid": ""}, DIRECT),
            ({"utm_medium": "cpc"}, PAID),
            ({"utm_medium": "CPM"}, PAID),
            ({"utm_medium": "paid_social", "utm_source": "facebook"}, PAID),
            ({"utm_medium": "display"}, PAID),
            ({"utm_medium": "ads"}, PAID),
            ({"utm_medium": "email", "utm_source": "spring"}, EMAIL),
            ({"utm_source": "newsletter"}, EMAIL),
            ({"utm_medium": "social", "utm_source": "x"}, SOCIAL),
            ({"fbclid": "abc"}, SOCIAL),
            ({"fbclid": "abc", "utm_medium": "cpc"}, PAID),
            ({"utm_source": "chatgpt.com"}, AI),
            ({"utm_source": "Perplexity"}, AI),
            ({"utm_source": "google"}, ORGANIC),
            ({"utm_source": "linkedin"}, SOCIAL),
            ({"utm_source": "meta"}, SOCIAL),
            ({"utm_source": " IG "}, SOCIAL),
            ({"utm_source": "x"}, SOCIAL),
            ({"utm_source": "bluesky"}, SOCIAL),
            ({"utm_source": "meta.ai"}, AI),
            ({"utm_source": "you.com"}, AI),
            ({"utm_source": "gemini"}, AI),
            ({"utm_source": "copilot"}, AI),
            ({"utm_source": "yandex"}, ORGANIC),
            ({"utm_source": "Klaviyo"}, EMAIL),
            ({"utm_source": "hs_email"}, EMAIL),
            ({"utm_source": "you"}, REFERRAL),
            ({"utm_source": "so"}, REFERRAL),
            ({"utm_source": "ask"}, REFERRAL),
            ({"utm_source": "t"}, REFERRAL),
            ({"utm_source": "hubspot"}, REFERRAL),
            ({"utm_source": "partner-blog", "utm_medium": "affiliate"}, REFERRAL),
            ({"utm_source": "partner-blog"}, REFERRAL),
            ({"sub1": "a"}, DIRECT),
            ({}, DIRECT),
        ],
    )
    def test_is_told_by_the_link(
        self, parameters: dict[str, str], expected: TrafficCategory
    ) -> None:
        assert traffic_category(parameters, None) is expected

    @pytest.mark.parametrize(
        ("referrer", "expected"),
        [
            ("https://www.google.com/", ORGANIC),
            ("https://www.google.co.uk/search", ORGANIC),
            ("https://duckduckgo.com/", ORGANIC),
            ("https://yandex.ru/", ORGANIC),
            ("android-app://com.google.android.googlequicksearchbox/", ORGANIC),
            ("https://mail.google.com/mail/u/0", EMAIL),
            ("https://gemini.google.com/app", AI),
            ("https://chatgpt.com/", AI),
            ("https://www.perplexity.ai/search", AI),
            ("https://l.facebook.com/l.php?u=x", SOCIAL),
            ("https://t.co/abc", SOCIAL),
            ("https://old.reddit.com/r/x", SOCIAL),
            ("https://notfacebook.com/", REFERRAL),
            ("https://google.com.evil.example/", REFERRAL),
            ("https://blog.example/post", REFERRAL),
            ("https://[broken", DIRECT),
            ("no url at all", DIRECT),
            ("", DIRECT),
            (None, DIRECT),
        ],
    )
    def test_is_told_by_the_referring_page(
        self, referrer: str | None, expected: TrafficCategory
    ) -> None:
        assert traffic_category({}, referrer) is expected

    def test_what_the_link_says_counts_more_than_where_it_stood(self) -> None:
        assert traffic_category({"utm_medium": "email"}, "https://www.google.com/") is EMAIL
