"""Snippets never throw, whatever page or no page they are on."""

from __future__ import annotations

import json

import pytest

from tests.unit.credentials.snippets.browsing import POLAR, STRIPE, WITH_CONSENT, Visit

# Everything that a page can call.
USE = """
    synaptyx.consent(true);
    const known = synaptyx.clickId();
    const named = synaptyx.attach({});
    synaptyx.consent(false);
    return [known, named.metadata && named.metadata.synaptyx_clickid, synaptyx.clickId()];
"""
THROWS = "() => { throw new Error('no'); }"
EVERYTHING = [
    *("window", "document", "location", "MutationObserver", "URL", "URLSearchParams", "page"),
]


class TestWithoutABrowser:
    @pytest.mark.parametrize("script", [STRIPE, POLAR, WITH_CONSENT])
    def test_there_need_be_nothing_at_all(self, visit: Visit, script: str) -> None:
        act = "return typeof synaptyx;"
        assert visit(act, scripts=[script], lacks=EVERYTHING) == "undefined"

    @pytest.mark.parametrize("script", [STRIPE, POLAR, WITH_CONSENT])
    @pytest.mark.parametrize("lacking", ["document", "MutationObserver", "URL"])
    def test_the_click_is_known_without(self, visit: Visit, lacking: str, script: str) -> None:
        assert visit(USE, scripts=[script], lacks=[lacking]) == ["c1", "c1", ""]

    @pytest.mark.parametrize("lacking", ["location", "URLSearchParams"])
    def test_no_click_is_known_without(self, visit: Visit, lacking: str) -> None:
        assert visit(USE, lacks=[lacking]) == ["", None, ""]


class TestWithoutCookies:
    @pytest.mark.parametrize(
        "cookie",
        [
            f"{{get: {THROWS}, set: {THROWS}}}",
            f"{{get: {THROWS}, set: () => {{}}}}",
            f"{{get: () => '', set: {THROWS}}}",
            "{value: undefined, writable: false}",
        ],
    )
    def test_the_click_is_known_on_this_page(self, visit: Visit, cookie: str) -> None:
        before = f'Object.defineProperty(document, "cookie", {cookie});'
        assert visit(USE, before=before) == ["c1", "c1", ""]


class TestHostilePages:
    @pytest.mark.parametrize(
        "before",
        [
            f"document.querySelectorAll = {THROWS};",
            f"document.addEventListener = {THROWS};",
            f"MutationObserver.prototype.observe = {THROWS};",
            f"Element = Node = null; MutationObserver = {THROWS};",
            f"URL = {THROWS};",
            "window.synaptyx = {};",
            "window.synaptyx = null;",
            "window.synaptyx = () => {};",
            f"page.add('a', {{href: 'https://buy.stripe.com/x'}}).setAttribute = {THROWS};",
            f"page.add('a').matches = {THROWS};",
            f"page.add('stripe-buy-button').getAttribute = {THROWS};",
        ],
    )
    def test_the_click_is_known_on(self, visit: Visit, before: str) -> None:
        assert visit(USE, before=before) == ["c1", "c1", ""]

    @pytest.mark.parametrize(
        "before",
        [
            "window.synaptyx = Object.freeze({});",
            "window.synaptyx = 'taken';",
            "window.synaptyx = 7;",
            "Object.defineProperty(window, 'synaptyx', {value: undefined, writable: false});",
            f"Object.defineProperty(window, 'synaptyx', {{get: {THROWS}, set: {THROWS}}});",
        ],
    )
    def test_nothing_is_done_where_the_name_cannot_be_had(self, visit: Visit, before: str) -> None:
        assert visit("return page.written;", before=before) == []

    def test_a_page_that_freezes_our_functions_can_still_call_them(self, visit: Visit) -> None:
        act = "Object.freeze(synaptyx);" + USE
        assert visit(act)[:2] == ["c1", "c1"]

    def test_one_link_that_throws_does_not_keep_others_from_being_seen_to(
        self, visit: Visit
    ) -> None:
        before = f"""
            page.add("a", {{href: "https://buy.stripe.com/x"}}).getAttribute = {THROWS};
            page.add("a", {{href: "https://buy.stripe.com/y"}});
        """
        act = 'return document.querySelectorAll("a")[1].attributes.href;'
        assert visit(act, before=before) == "https://buy.stripe.com/y?client_reference_id=c1"

    @pytest.mark.parametrize("path", [[], [None], [1], ["x"], [{}]])
    def test_events_may_have_come_through_anything(self, visit: Visit, path: list[object]) -> None:
        visit(f"page.click(...{json.dumps(path)}, window);")

    def test_an_event_that_cannot_tell_its_path_is_no_fault(self, visit: Visit) -> None:
        visit("page.listeners.forEach(([, listener]) => listener({}));")

    @pytest.mark.parametrize("nodes", ["[null]", "[{}]", "[1]", "[{nodeType: 3}]"])
    def test_nodes_that_appear_may_be_anything(self, visit: Visit, nodes: str) -> None:
        visit(f"page.note({{target: {{}}, addedNodes: {nodes}}});")
