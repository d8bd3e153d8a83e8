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
            ({"wbraid": "abc"}, PAID),
            ({"gbraid": "abc"}, PAID),
            ({"dclid": "abc"}, PAID),
            ({"msclkid": "abc", "utm_source": "bing"}, PAID),
            ({"twclid": "abc"}, PAID),
            ({"li_fat_id": "abc"}, PAID),
            ({"rdt_cid": "abc"}, PAID),
            ({"ScCid": "abc"}, PAID),
            ({"sccid": "abc"}, PAID),
            ({"yclid": "abc"}, PAID),
            ({"gclid": ""}, DIRECT),
            ({"utm_medium": "cpc"}, PAID),
            ({"utm_medium": "CPM"}, PAID),
            ({"utm_medium": "paid_social", "utm_source": "facebook"}, PAID),
            ({"utm_medium": "display"}, PAID),
            ({"utm_medium": "ads"}, PAID),
            ({"utm_medium": "paid social", "utm_source": "facebook"}, PAID),
            ({"utm_medium": "email", "utm_source": "spring"}, EMAIL),
            ({"utm_medium": "e_mail"}, EMAIL),
            ({"utm_medium": "E mail"}, EMAIL),
            ({"utm_medium": "mail"}, EMAIL),
            ({"utm_medium": "sms", "utm_source": "klaviyo"}, REFERRAL),
            ({"utm_medium": "organic_search"}, ORGANIC),
            ({"utm_medium": "organic_social", "utm_source": "google"}, SOCIAL),
            ({"utm_medium": "Organic Social"}, SOCIAL),
            ({"utm_medium": "social network"}, SOCIAL),
            ({"utm_medium": "social_network"}, SOCIAL),
            ({"utm_medium": "social-network"}, SOCIAL),
            ({"utm_medium": "social media"}, SOCIAL),
            ({"utm_medium": "social_media"}, SOCIAL),
            ({"utm_source": "newsletter"}, EMAIL),
            ({"utm_medium": "social", "utm_source": "x"}, SOCIAL),
            ({"fbclid": "abc"}, SOCIAL),
            ({"fbclid": "abc", "utm_medium": "cpc"}, PAID),
            ({"epik": "abc"}, SOCIAL),
            ({"epik": "abc", "utm_medium": "paid"}, PAID),
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
            ({"utm_source": "(direct)", "utm_medium": "(none)"}, DIRECT),
            ({"utm_source": "(direct)", "utm_medium": "(not set)"}, DIRECT),
            ({"utm_source": "(direct)", "utm_campaign": "(not set)"}, DIRECT),
            ({"utm_source": "(direct)", "utm_medium": "(none)", "utm_campaign": "a"}, REFERRAL),
            ({"utm_source": "partner-blog", "utm_medium": "(none)"}, REFERRAL),
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
            ("https://images.google.com/", ORGANIC),
            ("https://images.google.de/", ORGANIC),
            ("https://lens.google.com/", ORGANIC),
            ("https://ya.ru/search", ORGANIC),
            ("https://search.daum.net/", ORGANIC),
            ("https://m.sm.cn/", ORGANIC),
            ("https://cn.bing.com/", ORGANIC),
            ("android-app://com.microsoft.bing/", ORGANIC),
            ("https://mail.yahoo.co.jp/", EMAIL),
            ("https://mail.yandex.ru/", EMAIL),
            ("https://email.seznam.cz/", EMAIL),
            ("https://outlook.cloud.microsoft/", EMAIL),
            ("android-app://com.google.android.gm/", EMAIL),
            ("android-app://com.microsoft.office.outlook/", EMAIL),
            ("https://www.copilot.com/", AI),
            ("https://m365.cloud.microsoft/chat", AI),
            ("https://edgeservices.bing.com/", AI),
            ("https://www.deepseek.com/", AI),
            ("https://chat.deepseek.com/", AI),
            ("https://chat.qwen.ai/", AI),
            ("https://duck.ai/", AI),
            ("https://notebooklm.google.com/", AI),
            ("android-app://com.openai.chatgpt/", AI),
            ("android-app://com.google.android.apps.bard/", AI),
            ("https://www.pinterest.com/pin/1", SOCIAL),
            ("https://pinterest.de/", SOCIAL),
            ("https://www.pinterest.co.uk/", SOCIAL),
            ("https://br.pinterest.com/", SOCIAL),
            ("https://pin.it/abc", SOCIAL),
            ("https://wa.me/1", SOCIAL),
            ("https://www.xing.com/", SOCIAL),
            ("android-app://com.facebook.katana/", SOCIAL),
            ("android-app://com.instagram.android/", SOCIAL),
            ("android-app://com.twitter.android/", SOCIAL),
            ("android-app://com.reddit.frontpage/", SOCIAL),
            ("android-app://com.pinterest/", SOCIAL),
            ("android-app://com.zhiliaoapp.musically/", SOCIAL),
            ("android-app://com.whatsapp/", SOCIAL),
            ("android-app://com.snapchat.android/", SOCIAL),
            ("android-app://com.linkedin.android/", SOCIAL),
            ("android-app://org.telegram.messenger/", SOCIAL),
            ("android-app://com.example.shop/", REFERRAL),
            ("https://pinterest.com.evil.example/", REFERRAL),
            ("https://mypinterest.de/", REFERRAL),
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

    def test_a_link_that_says_nothing_leaves_it_to_where_it_stood(self) -> None:
        nothing = {"utm_source": "(direct)", "utm_medium": "(none)"}
        assert traffic_category(nothing, "https://www.google.com/") is ORGANIC
        assert traffic_category(nothing, "https://blog.example/post") is REFERRAL

    @pytest.mark.timeout(30)
    @pytest.mark.parametrize("part", ["a", "cp", "a.", "pinterest.", "google.de.", "social ", "("])
    def test_the_longest_values_take_no_time(self, part: str) -> None:
        value = part * 2048
        traffic_category({"utm_medium": value[:500], "utm_source": value[:500]}, None)
        traffic_category({}, f"https://{value}"[:2048])
