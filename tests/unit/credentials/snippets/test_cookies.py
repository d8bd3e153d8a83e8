"""Snippets: where they read the click, and how they keep it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from services.credentials.domain.snippets import SnippetSettings
from services.credentials.domain.sources import Provider
from services.credentials.snippets.rendering import render
from tests.unit.credentials.snippets.browsing import (
    CLICKED,
    FIRST_TOUCH,
    PLAIN,
    POLAR,
    STRIPE,
    Visit,
)

KEPT = 'document.cookie = "_syx_cid=c0;domain=shop.test;max-age=9"; page.written.length = 0;'
STATE = "return [synaptyx.clickId(), page.readCookies()];"


class TestTheClickOfTheUrl:
    @pytest.mark.parametrize("script", [STRIPE, POLAR])
    @pytest.mark.parametrize("click_id", ["c", "A-Z_09", "x" * 200])
    def test_is_known_and_kept(self, visit: Visit, click_id: str, script: str) -> None:
        url = f"https://shop.test/a?b=c&clickid={click_id}&d#e"
        assert visit(STATE, url=url, scripts=[script]) == [click_id, f"_syx_cid={click_id}"]

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "%3Cscript%3Ealert(1)%3C/script%3E",
            "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
            *("x" * 201, "x" * 10_000, "%C3%BC", "%F0%9F%92%B8", "%EF%BC%A1", "\u0130"),
            *("c1%0A", "%0Ac1", "c1%0D%0A", "c1%20", "+c1", "c1%00", "c1%E2%80%A8"),
            *("a/b", "a;b", "a=b", "a,b", "a.b", "a%3Bdomain=x", "%E0%A4%A", "__proto__.x", "%"),
        ],
    )
    def test_is_ignored_where_it_can_be_none(self, visit: Visit, written: str) -> None:
        act = "return [synaptyx.clickId(), page.written];"
        assert visit(act, url=f"{PLAIN}?clickid={written}") == ["", []]
        # Nor does it push out the one that is kept.
        assert visit(STATE, url=f"{PLAIN}?clickid={written}", before=KEPT)[0] == "c0"

    @pytest.mark.parametrize("query", ["clickid", "xclickid=c1", "click=c1", "CLICKID=c1"])
    def test_is_named_clickid_and_nothing_else(self, visit: Visit, query: str) -> None:
        assert visit(STATE, url=f"{PLAIN}?{query}") == ["", ""]

    def test_is_the_first_of_several(self, visit: Visit) -> None:
        assert visit(STATE, url=CLICKED + "&clickid=c2")[0] == "c1"

    def test_is_known_of_the_url_that_the_page_was_loaded_with(self, visit: Visit) -> None:
        before = f"""
            globalThis.performance = {{getEntriesByType: () => [{{name: "{CLICKED}#top"}}]}};
        """
        assert visit(STATE, url=PLAIN, before=before)[0] == "c1"
        assert visit(STATE, url=PLAIN + "?clickid=c2", before=before)[0] == "c2"


class TestTheClickOfTheCookie:
    @pytest.mark.parametrize(
        "cookies",
        ["_syx_cid=c0", "a=b; _syx_cid=c0; d=e", "x_syx_cid=c9; _syx_cid=c0", "a=b;_syx_cid=c0"],
    )
    def test_is_known_where_the_url_names_none(self, visit: Visit, cookies: str) -> None:
        before = f"Object.defineProperty(document, 'cookie', {{get: () => '{cookies}'}});"
        assert visit("return synaptyx.clickId();", url=PLAIN, before=before) == "c0"

    @pytest.mark.parametrize(
        "cookies", ["", "_syx_cid=", "_syx_cid", "_syx_cid=a b", "_syx_cid=<b>", "x_syx_cid=c0"]
    )
    def test_is_ignored_where_it_can_be_none(self, visit: Visit, cookies: str) -> None:
        before = f"Object.defineProperty(document, 'cookie', {{get: () => '{cookies}'}});"
        assert visit("return synaptyx.clickId();", url=PLAIN, before=before) == ""

    @pytest.mark.parametrize("odd", ["", "<b>", "a b", "x" * 201])
    def test_is_known_behind_one_that_can_be_none(self, visit: Visit, odd: str) -> None:
        cookies = f"_syx_cid={odd}; _syx_cid=c0"
        before = f"Object.defineProperty(document, 'cookie', {{get: () => '{cookies}'}});"
        assert visit("return synaptyx.clickId();", url=PLAIN, before=before) == "c0"

    def test_is_left_alone_by_another_that_stands_in_front_of_it(self, visit: Visit) -> None:
        act = """
            Object.defineProperty(document, "cookie", {get: () => "_syx_cid=c0; _syx_cid=c1"});
            page.comeBack();
            return synaptyx.clickId();
        """
        assert visit(act) == "c1"

    def test_is_the_newer_one_for_who_comes_back_from_another_page(self, visit: Visit) -> None:
        newer = 'document.cookie = "_syx_cid=c2;domain=shop.test;max-age=9";'
        assert visit(newer + "page.comeBack();" + STATE) == ["c2", "_syx_cid=c2"]

    def test_is_not_written_again(self, visit: Visit) -> None:
        assert visit("return page.written;", url=PLAIN, before=KEPT) == []


class TestTouch:
    def test_the_last_click_counts(self, visit: Visit) -> None:
        assert visit(STATE, before=KEPT) == ["c1", "_syx_cid=c1"]

    def test_or_the_first_where_the_settings_say_so(self, visit: Visit) -> None:
        assert visit(STATE, before=KEPT, scripts=[FIRST_TOUCH]) == ["c0", "_syx_cid=c0"]
        assert visit("return page.written;", before=KEPT, scripts=[FIRST_TOUCH]) == []

    def test_the_first_is_kept_where_there_was_none(self, visit: Visit) -> None:
        assert visit(STATE, scripts=[FIRST_TOUCH]) == ["c1", "_syx_cid=c1"]


class TestTheCookie:
    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("https://shop.test/", "domain=shop.test;secure"),
            ("http://shop.test/", "domain=shop.test"),
        ],
    )
    def test_lives_on_all_pages_for_ninety_days_and_is_secure_on_https(
        self, visit: Visit, url: str, told: str
    ) -> None:
        [*_, last] = visit("return page.written;", url=f"{url}?clickid=c1")
        assert last == f"_syx_cid=c1;path=/;samesite=lax;max-age=7776000;{told}"

    def test_lives_as_long_as_the_settings_say(self, visit: Visit) -> None:
        script = render(Provider.POLAR, SnippetSettings(cookie_lifetime=timedelta(hours=36)))
        [*_, last] = visit("return page.written;", scripts=[script])
        assert ";max-age=129600;" in last

    @pytest.mark.parametrize(
        ("host", "tried", "domain"),
        [
            ("shop.test", ["shop.test"], "shop.test"),
            ("www.shop.test", ["shop.test"], "shop.test"),
            ("a.b.c.shop.test", ["shop.test"], "shop.test"),
            ("www.shop.co.uk", ["co.uk", "shop.co.uk"], "shop.co.uk"),
            ("a.b.shop.co.uk", ["co.uk", "shop.co.uk"], "shop.co.uk"),
            # On a suffix itself a browser takes a cookie for the host alone.
            ("github.io", ["github.io", None], "github.io"),
            ("me.github.io", ["github.io", "me.github.io"], "me.github.io"),
            ("localhost", [None], "localhost"),
            ("127.0.0.1", [None], "127.0.0.1"),
            ("[::1]", [None], "[::1]"),
        ],
    )
    def test_is_of_the_widest_domain_that_the_browser_takes(
        self, visit: Visit, host: str, tried: list[str | None], domain: str
    ) -> None:
        act = "return [page.written, page.jar];"
        written, jar = visit(act, url=f"https://{host}:8443/?clickid=c1")
        domains = [
            (re.findall(r";domain=([^;]*)", each) or [None])[0]
            for each in written
            if each.startswith("_syx_cid=c1;")
        ]
        assert domains == tried
        assert [(each["value"], each["domain"]) for each in jar] == [("c1", domain)]

    def test_replaces_narrower_ones_that_would_hide_it(self, visit: Visit) -> None:
        before = """
            document.cookie = "_syx_cid=c0;max-age=9";
            document.cookie = "_syx_cid=c0;domain=a.shop.test;max-age=9";
            document.cookie = "other=x;max-age=9";
        """
        act = "return page.jar.map(({name, value, domain}) => [name, value, domain]);"
        assert visit(act, url="https://a.shop.test/?clickid=c1", before=before) == [
            ["other", "x", "a.shop.test"],
            ["_syx_cid", "c1", "shop.test"],
        ]

    def test_is_written_once_where_another_stands_in_front_of_it(self, visit: Visit) -> None:
        before = """
            const jar = [];
            Object.defineProperty(document, "cookie", {
              get: () => ["_syx_cid=odd!", ...jar].join("; "),
              set: (text) => text.includes("max-age=0") || jar.push(text.split(";")[0]),
            });
        """
        assert visit("return [jar, synaptyx.clickId()];", before=before) == [
            ["_syx_cid=c1"],
            "c1",
        ]

    def test_is_forgotten_on_every_domain(self, visit: Visit) -> None:
        before = """
            document.cookie = "_syx_cid=c0;max-age=9";
            document.cookie = "_syx_cid=c0;domain=b.shop.co.uk;max-age=9";
            document.cookie = "_syx_cid=c0;domain=shop.co.uk;max-age=9";
            document.cookie = "other=x;max-age=9";
        """
        act = "synaptyx.consent(false); return page.readCookies();"
        assert visit(act, url="https://a.b.shop.co.uk/", before=before) == "other=x"

    def test_a_browser_that_keeps_none_still_knows_the_click_on_this_page(
        self, visit: Visit
    ) -> None:
        before = "Object.defineProperty(document, 'cookie', {get: () => '', set: () => {}});"
        assert visit("return synaptyx.clickId();", before=before) == "c1"
