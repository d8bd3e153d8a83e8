"""Snippets: what they do before a visitor consents, after it, and once consent is taken back."""

from __future__ import annotations

import pytest

from tests.unit.credentials.snippets.browsing import (
    CLICKED,
    PLAIN,
    POLAR,
    POLAR_WITH_CONSENT,
    STRIPE,
    WITH_CONSENT,
    Visit,
)

LINK = 'const link = page.add("a", {href: "https://buy.stripe.com/x"});'
STATE = """
    await page.settled();
    return [synaptyx.clickId(), page.jar.map(({value}) => value), link.getAttribute("href")];
"""
BARE, DECORATED = "https://buy.stripe.com/x", "https://buy.stripe.com/x?client_reference_id=c1"
NOTHING, KNOWN = ["", [], BARE], ["c1", ["c1"], DECORATED]


class TestWhereConsentIsRequired:
    def test_nothing_is_written_before_it(self, visit: Visit) -> None:
        assert visit(LINK + STATE, scripts=[WITH_CONSENT]) == NOTHING
        assert visit("return page.written;", scripts=[WITH_CONSENT]) == []

    def test_not_even_a_cookie_of_before_is_read(self, visit: Visit) -> None:
        before = """
            document.cookie = "_syx_cid=c0;max-age=9";
            let reads = 0;
            Object.defineProperty(document, "cookie", {get: () => (reads += 1, "_syx_cid=c0")});
        """
        act = "return [reads, synaptyx.clickId()];"
        assert visit(act, url=PLAIN, before=before, scripts=[WITH_CONSENT]) == [0, ""]

    def test_the_payload_stays_as_it_is(self, visit: Visit) -> None:
        act = "const payload = {mode: 'payment'}; return synaptyx.attach(payload) === payload;"
        assert visit(act, scripts=[WITH_CONSENT])

    def test_once_it_is_given_everything_is_done(self, visit: Visit) -> None:
        assert visit(LINK + "synaptyx.consent(true);" + STATE, scripts=[WITH_CONSENT]) == KNOWN

    @pytest.mark.parametrize("said", ["'denied'", "1", "{}", "undefined", "'true'"])
    def test_nothing_but_true_gives_it(self, visit: Visit, said: str) -> None:
        act = LINK + f"synaptyx.consent({said});" + STATE
        assert visit(act, scripts=[WITH_CONSENT]) == NOTHING
        before = f"globalThis.synaptyx = {{consented: {said}}};"
        if said != "undefined":
            assert visit(LINK + STATE, before=before, scripts=[STRIPE]) == NOTHING

    def test_the_click_survives_a_change_of_the_url_before_it_is_given(self, visit: Visit) -> None:
        act = LINK + f'page.go("{PLAIN}pricing"); synaptyx.consent(true);' + STATE
        assert visit(act, scripts=[WITH_CONSENT]) == KNOWN

    def test_a_click_that_the_url_names_by_now_is_newer_than_the_one_at_first(
        self, visit: Visit
    ) -> None:
        act = f'page.go("{PLAIN}?clickid=c2"); synaptyx.consent(true); return synaptyx.clickId();'
        assert visit(act, scripts=[WITH_CONSENT]) == "c2"

    def test_a_hostile_click_of_the_url_is_not_remembered_either(self, visit: Visit) -> None:
        act = LINK + f'page.go("{PLAIN}"); synaptyx.consent(true);' + STATE
        assert visit(act, url=PLAIN + "?clickid=%3Cb%3E", scripts=[WITH_CONSENT]) == NOTHING

    def test_a_cookie_of_before_is_taken_up(self, visit: Visit) -> None:
        act = "synaptyx.consent(true); return [synaptyx.clickId(), page.written.length];"
        before = 'document.cookie = "_syx_cid=c0;max-age=9";'
        # What is kept already is not written again, so its life does not grow longer.
        assert visit(act, url=PLAIN, before=before, scripts=[WITH_CONSENT]) == ["c0", 1]

    def test_a_refusal_reads_nothing(self, visit: Visit) -> None:
        before = "let reads = 0; const count = () => ((reads += 1), '');"
        before += "Object.defineProperty(document, 'cookie', {get: count, set: () => {}});"
        act = "synaptyx.consent(false); return reads;"
        assert visit(act, before=before, scripts=[WITH_CONSENT]) == 0

    def test_a_refusal_forgets_what_was_kept_before(self, visit: Visit) -> None:
        before = 'document.cookie = "_syx_cid=c0;domain=shop.test;max-age=9";'
        act = "synaptyx.consent(false); return page.jar;"
        assert visit(act, url=PLAIN, before=before, scripts=[WITH_CONSENT]) == []


class TestOnceConsentIsTakenBack:
    @pytest.mark.parametrize("script", [STRIPE, WITH_CONSENT])
    def test_everything_is_forgotten_and_links_are_as_they_were(
        self, visit: Visit, script: str
    ) -> None:
        act = LINK + "synaptyx.consent(true); synaptyx.consent(false);" + STATE
        assert visit(act, scripts=[script]) == NOTHING

    def test_elements_that_appear_later_are_left_alone(self, visit: Visit) -> None:
        assert visit("synaptyx.consent(false);" + LINK + STATE) == NOTHING

    def test_it_can_be_given_again_on_the_same_page(self, visit: Visit) -> None:
        act = f"""
            {LINK}
            synaptyx.consent(true); page.go("{PLAIN}pricing"); synaptyx.consent(false);
            await page.settled();
            const meanwhile = [synaptyx.clickId(), page.jar.length];
            synaptyx.consent(true);
            const after = await (async () => {{ {STATE} }})();
            return [meanwhile, after];
        """
        assert visit(act, scripts=[WITH_CONSENT]) == [["", 0], KNOWN]

    @pytest.mark.parametrize(
        "again",
        [
            # In a shadow tree, which nothing watches.
            "page.click(link);",
            "page.body.append(link);",
            'const box = page.make("div"); box.append(link); page.body.append(box);',
        ],
    )
    def test_a_link_that_was_in_no_page_is_as_it_was_once_it_is_seen(
        self, visit: Visit, again: str
    ) -> None:
        act = f"""
            {LINK}
            await page.settled();
            link.remove();
            synaptyx.consent(false);
            const meanwhile = link.getAttribute("href");
            {again}
            await page.settled();
            return [meanwhile, link.getAttribute("href")];
        """
        assert visit(act) == [DECORATED, BARE]

    def test_a_page_that_is_come_back_to_forgets_what_another_has(self, visit: Visit) -> None:
        act = LINK + "await page.settled(); page.jar = []; page.comeBack();" + STATE
        assert visit(act) == NOTHING

    def test_saying_so_twice_changes_nothing(self, visit: Visit) -> None:
        act = LINK + "synaptyx.consent(false); synaptyx.consent(false);" + STATE
        assert visit(act) == NOTHING


class TestGivenAgainAndAgain:
    def test_a_link_gets_one_reference(self, visit: Visit) -> None:
        act = LINK + "synaptyx.consent(true); synaptyx.consent(true);" + STATE
        assert visit(act) == KNOWN

    def test_links_follow_a_newer_click_of_the_url(self, visit: Visit) -> None:
        act = LINK + f'await page.settled(); page.go("{PLAIN}?clickid=c2"); synaptyx.consent(true);'
        assert visit(act + STATE) == ["c2", ["c2"], DECORATED.replace("c1", "c2")]

    def test_an_older_click_does_not_take_the_place_of_a_newer_one(self, visit: Visit) -> None:
        newer = 'document.cookie = "_syx_cid=c2;domain=shop.test;max-age=9";'
        act = LINK + f"await page.settled(); {newer} synaptyx.consent(true);" + STATE
        expected = ["c2", ["c2"], DECORATED.replace("c1", "c2")]
        assert visit(act) == expected
        assert visit(act.replace("synaptyx", f'page.go("{PLAIN}"); synaptyx', 1)) == expected

    def test_a_page_that_is_one_application_stays_with_its_newest_click(self, visit: Visit) -> None:
        act = f"""
            page.go("{PLAIN}p?clickid=c2"); synaptyx.consent(true);
            page.go("{PLAIN}cart"); synaptyx.consent(true);
            return [synaptyx.clickId(), page.jar.map(({{value}}) => value)];
        """
        assert visit(act) == ["c2", ["c2"]]

    def test_a_browser_that_keeps_no_cookie_goes_on_knowing_the_click(self, visit: Visit) -> None:
        before = "Object.defineProperty(document, 'cookie', {get: () => '', set: () => {}});"
        act = "synaptyx.consent(true); page.comeBack(); return synaptyx.clickId();"
        assert visit(act, before=before) == "c1"

    def test_what_has_not_changed_is_not_touched(self, visit: Visit) -> None:
        act = (
            LINK
            + """
            await page.settled();
            let changes = 0;
            link.setAttribute = () => (changes += 1);
            synaptyx.consent(true);
            return changes;
        """
        )
        assert visit(act) == 0


class TestSaidBeforeTheScript:
    def test_given_before_is_given(self, visit: Visit) -> None:
        before = "window.synaptyx = {consented: true};"
        assert visit(LINK + STATE, before=before, scripts=[WITH_CONSENT]) == KNOWN

    @pytest.mark.parametrize("script", [STRIPE, WITH_CONSENT])
    def test_refused_before_is_refused(self, visit: Visit, script: str) -> None:
        before = "window.synaptyx = {consented: false};"
        assert visit(LINK + STATE, before=before, scripts=[script]) == NOTHING

    def test_refused_before_and_given_later_keeps_the_cookie(self, visit: Visit) -> None:
        before = 'window.synaptyx = {consented: false}; document.cookie = "_syx_cid=c0;max-age=9";'
        act = "synaptyx.consent(true); return synaptyx.clickId();"
        assert visit(act, url=PLAIN, before=before) == "c0"

    def test_what_else_the_page_has_put_there_stays(self, visit: Visit) -> None:
        before = "window.synaptyx = {mine: 1};"
        assert visit("return [synaptyx.mine, synaptyx.clickId()];", before=before) == [1, "c1"]


class TestTwoProviders:
    def test_both_hear_of_it(self, visit: Visit) -> None:
        act = """
            const told = () => [synaptyx.stripe.clickId(), synaptyx.polar.clickId()];
            const before = told();
            synaptyx.consent(true);
            const given = told();
            synaptyx.consent(false);
            return [before, given, told(), page.jar.length];
        """
        scripts = [WITH_CONSENT, POLAR_WITH_CONSENT]
        assert visit(act, scripts=scripts) == [["", ""], ["c1", "c1"], ["", ""], 0]

    def test_one_that_comes_later_knows_what_was_said(self, visit: Visit) -> None:
        given = "window.synaptyx.consent(true);"
        act = "return synaptyx.polar.clickId();"
        assert visit(act, scripts=[WITH_CONSENT, given, POLAR_WITH_CONSENT]) == "c1"
        refused = "window.synaptyx.consent(false);"
        assert visit(act, scripts=[STRIPE, refused, POLAR]) == ""

    def test_a_script_that_is_loaded_again_changes_nothing(self, visit: Visit) -> None:
        act = "return [synaptyx.clickId(), page.jar.length, page.listeners.length];"
        assert visit(act, url=CLICKED, scripts=[STRIPE, STRIPE]) == visit(act, scripts=[STRIPE])
        refused = "window.synaptyx.consent(false);"
        assert visit(act, scripts=[STRIPE, refused, STRIPE])[:2] == ["", 0]
