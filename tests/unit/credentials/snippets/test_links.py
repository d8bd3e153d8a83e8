"""Snippets: the links and elements that they name the click in."""

from __future__ import annotations

import json

import pytest

from services.credentials.domain.snippets import SnippetSettings
from services.credentials.domain.sources import Provider
from services.credentials.snippets.rendering import render
from tests.unit.credentials.snippets.browsing import PLAIN, POLAR, STRIPE, Visit

OWN_HOST = render(Provider.STRIPE, SnippetSettings(link_hosts=("pay.shop.test", "127.0.0.1:81")))
LINK = "https://buy.stripe.com/x"
POLAR_LINK = "https://buy.polar.sh/polar_cl_x"
NAMED, POLAR_NAMED = "client_reference_id=c1", "reference_id=c1"


def decorated(
    visit: Visit, href: str, *, script: str = STRIPE, told: str | None = None, then: str = ""
) -> str:
    """Give the href of a link that appears in a page, once the snippet has seen it."""
    attributes = {"href": href} | ({} if told is None else {"data-synaptyx": told})
    act = f"""
        const link = page.add("a", {json.dumps(attributes)});
        await page.settled();
        {then}
        return link.getAttribute("href");
    """
    return str(visit(act, scripts=[script]))


class TestLinksOfStripe:
    @pytest.mark.parametrize(
        ("written", "after"),
        [
            (LINK, f"{LINK}?{NAMED}"),
            ("https://book.stripe.com/x", f"https://book.stripe.com/x?{NAMED}"),
            ("https://donate.stripe.com/test_x", f"https://donate.stripe.com/test_x?{NAMED}"),
            (f"{LINK}?locale=de&x=%20", f"{LINK}?locale=de&x=%20&{NAMED}"),
            (f"{LINK}?", f"{LINK}?&{NAMED}"),
            (f"{LINK}#top", f"{LINK}?{NAMED}#top"),
            (f"{LINK}?a=b#c?d", f"{LINK}?a=b&{NAMED}#c?d"),
            (f" {LINK} ", f"{LINK}?{NAMED}"),
            (f"{LINK}#a\nb", f"{LINK}?{NAMED}#a\nb"),
            ("HTTPS://BUY.STRIPE.COM/x", f"HTTPS://BUY.STRIPE.COM/x?{NAMED}"),
            ("//buy.stripe.com/x", f"//buy.stripe.com/x?{NAMED}"),
        ],
    )
    def test_name_the_click_and_are_else_as_they_were(
        self, visit: Visit, written: str, after: str
    ) -> None:
        assert decorated(visit, written) == after
        assert decorated(visit, written, then="synaptyx.consent(false);") == written.strip()

    def test_what_the_page_has_added_since_stays(self, visit: Visit) -> None:
        then = 'link.attributes.href += "&locale=de"; synaptyx.consent(false);'
        assert decorated(visit, LINK, then=then) == f"{LINK}?locale=de"

    @pytest.mark.parametrize(
        "href",
        [
            f"{LINK}?client_reference_id=mine",
            f"{LINK}?client_reference_id=",
            f"{LINK}?client_reference_id=mine&client_reference_id=c1",
            f"{LINK}?client%5Freference%5Fid=mine",
        ],
    )
    def test_a_reference_of_the_page_stays(self, visit: Visit, href: str) -> None:
        assert decorated(visit, href) == href
        assert decorated(visit, href, then="synaptyx.consent(false);") == href

    @pytest.mark.parametrize(
        "href",
        [
            "https://stripe.com/x",
            "https://evil-buy.stripe.com/x",
            "https://xbuy.stripe.com/x",
            "https://buy.stripe.com.evil.test/x",
            "https://buy.stripe.com@evil.test/x",
            "https://buyxstripe.com/x",
            "https://evil.test/buy.stripe.com/x",
            "https://evil.test/?buy.stripe.com/x",
            POLAR_LINK,
            "/buy.stripe.com/x",
            "buy.stripe.com/x",
            "",
            "#top",
            "javascript:alert('https://buy.stripe.com/x')",
            "javascript://buy.stripe.com/x%0Aalert(1)",
            "mailto:someone@buy.stripe.com",
            "data:text/html,https://buy.stripe.com/x",
            "ftp://buy.stripe.com/x",
            "https://",
            "https://[",
        ],
    )
    def test_other_links_are_left_alone(self, visit: Visit, href: str) -> None:
        assert decorated(visit, href) == href


class TestLinksOfPolar:
    @pytest.mark.parametrize(
        "href",
        [
            POLAR_LINK,
            "https://sandbox-api.polar.sh/v1/checkout-links/polar_cl_x/redirect",
            "https://api.polar.sh/v1/checkout-links/x/redirect",
            "https://polar.sh/polar_cl_x",
            "https://www.polar.sh/checkout/polar_cl_x",
            "https://sandbox.polar.sh/polar_cl_x",
        ],
    )
    def test_name_the_click(self, visit: Visit, href: str) -> None:
        after = decorated(visit, href, script=POLAR)
        assert after == f"{href}?{POLAR_NAMED}"
        assert decorated(visit, href, script=POLAR, then="synaptyx.consent(false);") == href

    @pytest.mark.parametrize(
        "href",
        [
            "https://polar.sh/shop",
            "https://docs.polar.sh/polar_cl_x",
            "https://evil-polar.sh/polar_cl_x",
            "https://evilpolar.sh/polar_cl_x",
            "https://evil-api.polar.sh/polar_cl_x",
            "https://evil.buy.polar.sh/polar_cl_x",
            "https://xbuy.polar.sh/polar_cl_x",
            "https://polar.sh.evil.com/polar_cl_x",
            "https://buy.polar.sh.evil.com/polar_cl_x",
            "https://buyxpolar.sh/polar_cl_x",
            "https://evil.test/buy.polar.sh/polar_cl_x",
            "https://polar.sh/shop?polar_cl_x",
            "javascript://polar.sh/polar_cl_x",
            LINK,
        ],
    )
    def test_other_links_are_left_alone(self, visit: Visit, href: str) -> None:
        assert decorated(visit, href, script=POLAR) == href

    def test_a_reference_of_the_page_stays(self, visit: Visit) -> None:
        href = f"{POLAR_LINK}?reference_id=mine"
        assert decorated(visit, href, script=POLAR) == href


class TestLinksOfOtherHosts:
    @pytest.mark.parametrize("told", ["", "stripe"])
    @pytest.mark.parametrize("href", ["/buy", "buy", "https://elsewhere.test/buy", "?"])
    def test_a_link_that_is_told_names_the_click_as_it_is_written(
        self, visit: Visit, href: str, told: str
    ) -> None:
        after = decorated(visit, href, told=told)
        assert after == f"{href}{'&' if '?' in href else '?'}{NAMED}"

    @pytest.mark.parametrize("href", ["", "javascript:buy()", "mailto:a@b.test", "tel:+1"])
    def test_what_leads_to_no_page_is_left_alone_even_so(self, visit: Visit, href: str) -> None:
        assert decorated(visit, href, told="") == href

    def test_a_link_of_the_other_provider_is_left_to_it(self, visit: Visit) -> None:
        assert decorated(visit, "/buy", told="polar") == "/buy"
        assert decorated(visit, "/buy", told="polar", script=POLAR) == f"/buy?{POLAR_NAMED}"

    @pytest.mark.parametrize("href", ["https://pay.shop.test/x", "http://127.0.0.1:81/x"])
    def test_hosts_of_the_settings_are_the_providers_too(self, visit: Visit, href: str) -> None:
        assert decorated(visit, href, script=OWN_HOST) == f"{href}?{NAMED}"

    @pytest.mark.parametrize(
        "href",
        ["https://shop.test/x", "https://x.pay.shop.test/x", "http://127.0.0.1/x", "https:x"],
    )
    def test_but_no_hosts_like_them(self, visit: Visit, href: str) -> None:
        assert decorated(visit, href, script=OWN_HOST) == href

    def test_a_relative_link_is_of_the_host_that_the_pages_base_names(self, visit: Visit) -> None:
        act = """
            page.base = "https://pay.shop.test/";
            return page.add("a", {href: "x"}), await page.settled(),
                document.querySelectorAll("a")[0].getAttribute("href");
        """
        assert visit(act, scripts=[OWN_HOST]) == f"x?{NAMED}"


class TestElements:
    @pytest.mark.parametrize("tag", ["stripe-buy-button", "stripe-pricing-table"])
    def test_those_of_stripe_take_the_click_as_an_attribute(self, visit: Visit, tag: str) -> None:
        act = f"""
            const elements = [
                page.add("{tag}"), ...["mine", ""].map((reference) =>
                    page.add("{tag}", {{"client-reference-id": reference}})),
            ];
            await page.settled();
            const told = () => elements.map((each) => each.getAttribute("client-reference-id"));
            const named = told();
            synaptyx.consent(false);
            return [named, told()];
        """
        # What the page has set stays, be it empty.
        assert visit(act) == [["c1", "mine", ""], [None, "mine", ""]]

    def test_an_embed_of_polar_takes_it_wherever_it_has_its_link(self, visit: Visit) -> None:
        act = f"""
            const link = "{POLAR_LINK}";
            const button = page.add("button", {{"data-polar-checkout": link}});
            const anchor = page.add("a", {{href: link, "data-polar-checkout": ""}});
            const bare = page.add("a", {{"data-polar-checkout": link}});
            await page.settled();
            const told = () => [button, anchor, bare].flatMap((each) =>
                [each.getAttribute("href"), each.getAttribute("data-polar-checkout")]);
            const named = told();
            synaptyx.consent(false);
            return [named, told()];
        """
        named = f"{POLAR_LINK}?{POLAR_NAMED}"
        assert visit(act, scripts=[POLAR]) == [
            [None, named, named, "", None, named],
            [None, POLAR_LINK, POLAR_LINK, "", None, POLAR_LINK],
        ]

    def test_areas_of_image_maps_are_links_too(self, visit: Visit) -> None:
        act = f'const area = page.add("area", {{href: "{LINK}"}}); await page.settled();'
        assert visit(act + 'return area.getAttribute("href");') == f"{LINK}?{NAMED}"


class TestWhenTheyAppear:
    @pytest.mark.parametrize(
        "appearing",
        [
            'page.body.append(page.make("div")).append(link);',
            'const box = page.make("div"); box.append(link); page.body.append(box);',
            'link.attributes.href = "/"; page.body.append(link); await page.settled();'
            f'link.setAttribute("href", "{LINK}");',
            # In a shadow tree, which nothing watches: seen to when it is clicked.
            'page.click(page.make("span"), link, page.make("x-box"));',
            "page.click({}, null, 1, link, window);",
        ],
    )
    def test_after_the_script_they_name_the_click(self, visit: Visit, appearing: str) -> None:
        act = f"""
            const link = page.make("a", {{href: "{LINK}"}});
            {appearing}
            await page.settled();
            return link.getAttribute("href");
        """
        assert visit(act) == f"{LINK}?{NAMED}"

    def test_another_script_that_sets_them_back_is_let_have_its_way(self, visit: Visit) -> None:
        act = f"""
            const link = page.add("a", {{href: "{LINK}"}});
            let times = 0;
            const restore = () => {{
              if ((times += 1) < 9999 && link.attributes.href !== "{LINK}") {{
                link.setAttribute("href", "{LINK}");
              }}
            }};
            page.observers.push({{callback: restore, options: {{attributeFilter: ["href"]}}}});
            restore();
            for (let frame = 0; frame < 50; frame += 1) await page.settled();
            const found = [times < 4000, link.getAttribute("href")];
            page.click(link);
            return [...found, link.getAttribute("href")];
        """
        assert visit(act) == [True, LINK, f"{LINK}?{NAMED}"]

    def test_so_is_one_that_draws_them_anew(self, visit: Visit) -> None:
        act = f"""
            const box = page.add("div");
            let times = 0;
            const draw = () => {{
              const [link] = box.children;
              if ((times += 1) < 9999 && (!link || link.attributes.href !== "{LINK}")) {{
                box.children = [];
                box.append(page.make("a", {{href: "{LINK}"}}));
              }}
            }};
            page.observers.push({{callback: draw, options: {{attributeFilter: ["href"]}}}});
            draw();
            for (let frame = 0; frame < 50; frame += 1) await page.settled();
            return [times < 4000, box.children[0].getAttribute("href")];
        """
        assert visit(act) == [True, LINK]

    def test_many_that_appear_one_after_the_other_all_name_the_click(self, visit: Visit) -> None:
        act = f"""
            for (let number = 0; number < 500; number += 1) {{
              page.add("a", {{href: "{LINK}"}});
              await null;
            }}
            for (let frame = 0; frame < 3; frame += 1) await page.settled();
            const named = "{LINK}?{NAMED}";
            return page.body.children.filter((it) => it.attributes.href !== named).length;
        """
        assert visit(act) == 0

    def test_before_the_script_they_name_the_click(self, visit: Visit) -> None:
        before = f'page.add("div").append(page.make("a", {{href: "{LINK}"}}));'
        act = 'return document.querySelectorAll("a")[0].getAttribute("href");'
        assert visit(act, before=before) == f"{LINK}?{NAMED}"

    def test_without_a_click_nothing_is_touched(self, visit: Visit) -> None:
        act = f"""
            const link = page.add("a", {{href: "{LINK}", "data-synaptyx": ""}});
            const button = page.add("stripe-buy-button");
            await page.settled();
            page.click(link);
            return [link.attributes, button.attributes];
        """
        assert visit(act, url=PLAIN) == [{"href": LINK, "data-synaptyx": ""}, {}]

    def test_two_providers_see_to_their_own(self, visit: Visit) -> None:
        act = f"""
            const links = ["{LINK}", "{POLAR_LINK}"].map((href) => page.add("a", {{href}}));
            await page.settled();
            return links.map((each) => each.getAttribute("href"));
        """
        for scripts in ([STRIPE, POLAR], [POLAR, STRIPE]):
            named = visit(act, scripts=scripts)
            assert named == [f"{LINK}?{NAMED}", f"{POLAR_LINK}?{POLAR_NAMED}"]
