"""Places: where links stand, told by a host or by the name that people write for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """Places of one kind, in lower case.

    A host stands for all hosts under it, where no longer one is known: `gemini.google.com` is no
    search engine. `names` are what links call them in `utm_source`.
    """

    hosts: tuple[str, ...]
    names: tuple[str, ...]


ASSISTANTS = Places(
    hosts=(
        "chatgpt.com",
        "chat.openai.com",
        "openai.com",
        "perplexity.ai",
        "claude.ai",
        "gemini.google.com",
        "bard.google.com",
        "copilot.microsoft.com",
        "chat.mistral.ai",
        "chat.deepseek.com",
        "grok.com",
        "meta.ai",
        "you.com",
        "phind.com",
        "poe.com",
    ),
    names=(
        "chatgpt",
        "openai",
        "perplexity",
        "claude",
        "gemini",
        "copilot",
        "deepseek",
        "grok",
        "mistral",
        "notebooklm",
        "phind",
        "poe",
        "qwen",
    ),
)

MAILBOXES = Places(
    hosts=(
        "mail.google.com",
        "outlook.live.com",
        "outlook.office.com",
        "outlook.office365.com",
        "mail.yahoo.com",
        "mail.proton.me",
        "app.fastmail.com",
        "mail.aol.com",
        "com.google.android.gm",
    ),
    # Services that send much else too, such as HubSpot, are none.
    names=(
        "email",
        "e-mail",
        "newsletter",
        "hs_email",
        "hubspot_email",
        "klaviyo",
        "mailchimp",
        "mailerlite",
        "sendgrid",
    ),
)

SEARCH_ENGINES = Places(
    hosts=(
        "bing.com",
        "duckduckgo.com",
        "search.yahoo.com",
        "yahoo.co.jp",
        "baidu.com",
        "ecosia.org",
        "qwant.com",
        "startpage.com",
        "search.brave.com",
        "kagi.com",
        "naver.com",
        "seznam.cz",
        "so.com",
        "sogou.com",
        "search.aol.com",
        "ask.com",
        "com.google.android.googlequicksearchbox",
    ),
    names=(
        "google",
        "bing",
        "yahoo",
        "duckduckgo",
        "baidu",
        "yandex",
        "ecosia",
        "qwant",
        "startpage",
        "kagi",
        "naver",
        "seznam",
        "sogou",
    ),
)

SOCIAL_NETWORKS = Places(
    hosts=(
        "facebook.com",
        "fb.com",
        "fb.me",
        "instagram.com",
        "threads.net",
        "threads.com",
        "x.com",
        "twitter.com",
        "t.co",
        "linkedin.com",
        "lnkd.in",
        "com.linkedin.android",
        "reddit.com",
        "pinterest.com",
        "tiktok.com",
        "youtube.com",
        "youtu.be",
        "snapchat.com",
        "t.me",
        "telegram.org",
        "org.telegram.messenger",
        "whatsapp.com",
        "bsky.app",
        "mastodon.social",
        "vk.com",
        "weibo.com",
        "quora.com",
        "news.ycombinator.com",
        "producthunt.com",
        "discord.com",
        "tumblr.com",
    ),
    names=(
        "facebook",
        "fb",
        "instagram",
        "ig",
        "meta",
        "threads",
        "x",
        "twitter",
        "linkedin",
        "lnkd",
        "reddit",
        "pinterest",
        "tiktok",
        "youtube",
        "snapchat",
        "telegram",
        "whatsapp",
        "bluesky",
        "bsky",
        "mastodon",
        "discord",
        "quora",
        "hackernews",
        "producthunt",
        "tumblr",
        "vk",
        "weibo",
        "xing",
    ),
)
