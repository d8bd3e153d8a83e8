import pytest

from services.ingress.user_agents import DESKTOP, MOBILE, OTHER, TABLET, UserAgents

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WEBVIEW = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {SAFARI}"

VISITORS = [
    ("Chrome", DESKTOP, f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36"),
    ("Chrome", DESKTOP, f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36"),
    (
        "Edge",
        DESKTOP,
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/131.0.0.0",
    ),
    ("Firefox", DESKTOP, "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"),
    (
        "Firefox",
        DESKTOP,
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    ),
    (
        "Safari",
        DESKTOP,
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Version/18.1 Safari/605.1.15",
    ),
    ("Mobile Safari", MOBILE, f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1"),
    ("Chrome Mobile iOS", MOBILE, f"{IPHONE} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1"),
    ("Google", MOBILE, f"{IPHONE} GSA/314.0.626720417 Mobile/15E148 Safari/604.1"),
    ("Instagram", MOBILE, f"{IPHONE} Mobile/15E148 Instagram 335.0.3.25.96 (iPhone14,5; iOS 17_5)"),
    ("Facebook", MOBILE, f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/466.0.0.33.105;FBLC/en_US]"),
    ("Pinterest", MOBILE, f"{IPHONE} Mobile/15E148 [Pinterest/iOS]"),
    ("Twitter", MOBILE, f"{IPHONE} Mobile/15E148 Twitter for iPhone/10.40"),
    ("Snapchat", MOBILE, f"{IPHONE} Mobile/15E148 Snapchat/12.85.0.38 (like Safari/8617, panda)"),
    ("Mobile Safari UI/WKWebView", MOBILE, f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.6478"),
    (
        "Mobile Safari",
        TABLET,
        f"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) {SAFARI} Version/17.6 Mobile/15E148"
        " Safari/604.1",
    ),
    ("Chrome Mobile", MOBILE, f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36"),
    ("Chrome", TABLET, f"Mozilla/5.0 (Linux; Android 14; SM-X710) {CHROME} Safari/537.36"),
    (
        "Firefox Mobile",
        MOBILE,
        "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0",
    ),
    (
        "Firefox Mobile",
        TABLET,
        "Mozilla/5.0 (Android 13; Tablet; rv:133.0) Gecko/133.0 Firefox/133.0",
    ),
    (
        "Chrome Mobile",
        MOBILE,
        f"Mozilla/5.0 (Linux; Android 8.1.0; CUBOT_X18_Plus) {CHROME} Mobile Safari/537.36",
    ),
    (
        "Chrome Mobile",
        MOBILE,
        f"Mozilla/5.0 (Linux; Android 9; CUBOT NOTE 20) {CHROME} Mobile Safari/537.36",
    ),
    (
        "TikTok",
        MOBILE,
        "Mozilla/5.0 (Linux; Android 12; SM-G991B; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Version/4.0 Chrome/124.0 Mobile Safari/537.36 musical_ly_2023400040"
        " BytedanceWebview/d8a21c6",
    ),
    ("Mobile Safari UI/WKWebView", MOBILE, f"{IPHONE} Mobile/15E148 KAKAOTALK 10.4.5"),
    (
        "Chrome Mobile WebView",
        MOBILE,
        f"Mozilla/5.0 (Linux; Android 14; SM-S911N Build/UP1A; wv) {WEBVIEW} Mobile Safari/537.36;"
        "KAKAOTALK 2410450",
    ),
    ("LINE", MOBILE, f"{IPHONE} Mobile/15E148 Safari Line/13.1.0"),
    (
        "LINE",
        MOBILE,
        f"Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) {WEBVIEW} Mobile Safari/537.36"
        " Line/13.1.0/IAB",
    ),
    (
        "Chrome Mobile WebView",
        MOBILE,
        f"Mozilla/5.0 (Linux; Android 10; SM-G986B; wv) {WEBVIEW} Mobile Safari/537.36"
        " Viber/16.5.0.18",
    ),
    (
        "Qt Web Engine",
        DESKTOP,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_4) AppleWebKit/537.36 (KHTML, like Gecko)"
        " QtWebEngine/5.6.0 Chrome/45.0.2454.101 Safari/537.36 Viber",
    ),
    (
        "IE",
        DESKTOP,
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0; Tablet PC 2.0)",
    ),
    ("Safari", OTHER, f"Mozilla/5.0 (PlayStation; PlayStation 5/6.00) {SAFARI} Safari/605.1.15"),
    ("Chrome", OTHER, f"Mozilla/5.0 (Web0S; Linux/SmartTV) {CHROME} Safari/537.36"),
    (
        "HeadlessChrome",
        DESKTOP,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " HeadlessChrome/131.0.0.0 Safari/537.36",
    ),
    ("curl", OTHER, "curl/8.5.0"),
    ("Python Requests", OTHER, "python-requests/2.32.3"),
    ("", OTHER, ""),
    ("", OTHER, "something else"),
]

NEXUS = f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {CHROME} Mobile Safari/537.36"
APPLE = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible;"
ROBOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    f"{NEXUS} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Googlebot-Image/1.0",
    "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
    f"{NEXUS} (compatible; Google-InspectionTool/1.0;)",
    "GoogleOther",
    f"{NEXUS} (compatible; GoogleOther)",
    "AdsBot-Google (+http://www.google.com/adsbot.html)",
    "Mediapartners-Google",
    "FeedFetcher-Google; (+http://www.google.com/feedfetcher.html)",
    "APIs-Google (+https://developers.google.com/webmasters/APIs-Google.html)",
    f"{NEXUS} (compatible; Google-Read-Aloud; +https://support.google.com/webmasters/answer/1)",
    "Google-Safety",
    "Mozilla/5.0 (compatible; Google-Site-Verification/1.0)",
    f"Mozilla/5.0 (Linux; Android 11; moto g power) {CHROME} Safari/537.36 Chrome-Lighthouse",
    f"{APPLE} bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) MicrosoftPreview/2.0 {CHROME} Safari/537.36",
    f"{APPLE} GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0;"
    " +https://openai.com/bot",
    f"{APPLE} OAI-SearchBot/1.0; +https://openai.com/searchbot",
    f"{APPLE} ClaudeBot/1.0; +claudebot@anthropic.com)",
    f"{APPLE} Claude-User/1.0; +Claude-User@anthropic.com)",
    "anthropic-ai/1.0",
    "cohere-ai",
    f"{APPLE} PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
    f"{APPLE} Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)",
    f"{APPLE} MistralAI-User/1.0; +https://docs.mistral.ai/robots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "meta-externalfetcher/1.1",
    "facebookcatalog/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slackbot 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Twitterbot/1.0",
    "WhatsApp/2.23.20.0",
    "WhatsApp/2.21.12.21 A",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) {SAFARI} Version/13.1.1 Safari/605.1.15"
    " (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Quora Link Preview/1.0 (http://www.quora.com)",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)",
    "Mozilla/5.0 (compatible; Iframely/1.3.1; +https://iframely.com/docs/about)",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
    "Pinterest/0.2 (+https://www.pinterest.com/bot.html)",
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    f"{NEXUS} (compatible; Bytespider; spider-feedback@bytedance.com)",
    f"{NEXUS} (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Viber",
    "Viber/20.9.0.8 CFNetwork/1410.0.3 Darwin/22.6.0",
    "kakaotalk-scrap/1.0",
    "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    "LINE-Poker/1.0",
    "facebookexternalhit/1.1;line-poker/1.0",
    "Embedly/0.2",
    "MistralAI-User/1.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36 DatadogSynthetics",
    "Datadog/Synthetics",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36 GTmetrix",
    "Site24x7",
    "W3C_Validator/1.3 http://validator.w3.org/services",
    "Mozilla/5.0 zgrab/0.x",
    "sqlmap/1.7.2#stable (https://sqlmap.org)",
    "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
]


@pytest.fixture(scope="module")
def user_agents() -> UserAgents:
    return UserAgents()


class TestVisitors:
    @pytest.mark.parametrize(("browser", "device", "line"), VISITORS)
    def test_their_browser_and_device_are_told(
        self, user_agents: UserAgents, browser: str, device: str, line: str
    ) -> None:
        agent = user_agents.read(line)

        assert (agent.browser, agent.device, agent.robot) == (browser, device, False)


class TestRobots:
    @pytest.mark.parametrize("line", ROBOTS)
    def test_known_ones_are_told_apart(self, user_agents: UserAgents, line: str) -> None:
        assert user_agents.read(line).robot


class TestHostileLines:
    @pytest.mark.parametrize(
        "line",
        [
            "Mozilla/5.0 (Windows NT 10.0) \udcff\udcfe Chrome/131.0.0.0",
            "Caf\udce9Browser/1.0",
            "\x00\x01\x1f\x7f",
            "Mozilla/5.0 (" * 10_000,
            "A" * 100_000,
            "Chrome/" + "9" * 5_000,
            "日本語😀/1.0",
            "(((((((((([[[[[[[[[[",
        ],
    )
    def test_no_line_is_too_strange_to_be_read(self, user_agents: UserAgents, line: str) -> None:
        agent = user_agents.read(line)

        assert len(agent.browser) <= 64
        agent.browser.encode()
        assert agent.device in (DESKTOP, MOBILE, TABLET, OTHER)

    def test_what_stands_after_512_characters_is_not_read(self, user_agents: UserAgents) -> None:
        assert not user_agents.read("x" * 512 + " Googlebot/2.1").robot
        assert user_agents.read("x" * 400 + " Googlebot/2.1").robot

    def test_made_up_lines_do_not_fill_the_memory(self) -> None:
        agents = UserAgents()
        for number in range(5_000):
            agents.read(f"x/{number}")

        assert len(agents._known) == 4096
