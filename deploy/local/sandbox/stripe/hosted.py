"""The pages that Stripe serves to buyers, and the elements that a shop puts into its own.

GET  /c/pay/{session}        the page of a checkout session; its button pays
GET  /b/test_{link}          a Payment Link: opens a session, and shows its page
GET  /v3/buy-button.js       <stripe-buy-button>, which opens a Payment Link
GET  /v3/pricing-table.js    <stripe-pricing-table>, likewise
"""

from aiohttp import web

from deploy.local.sandbox import pay_page
from deploy.local.sandbox.state import JsonObject
from deploy.local.sandbox.stripe import checkout
from deploy.local.sandbox.stripe.elements import ELEMENTS
from deploy.local.sandbox.stripe.errors import StripeError
from deploy.local.sandbox.stripe.ledger import Ledger
from deploy.local.sandbox.stripe.merchants import Merchants

_AT_STRIPE = {
    "checkout.session": ("https://checkout.stripe.com/", "/"),
    "payment_link": ("https://buy.stripe.com/", "/b/"),
}
# Written without digits, and yet sent with two.
_A_HUNDREDFOLD = ("isk", "ugx")


def have_url(made: JsonObject, *, origin: str) -> None:
    """Have an object that was just made, and that has a page, lead to the page of the sandbox."""
    there, here = _AT_STRIPE.get(str(made.get("object")), ("", ""))
    if there and str(made.get("url")).startswith(there):
        made["url"] = origin + here + made["url"].removeprefix(there)


class StripeHosted:
    """Answers buyers."""

    def __init__(self, merchants: Merchants) -> None:
        self._merchants = merchants

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/c/pay/{id}", self._show),
            web.post("/c/pay/{id}", self._pay),
            web.get("/b/test_{link}", self._open_link),
            web.get("/v3/{element}.js", self._element),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        ledger, session = self._session(request)
        if ledger is None or session is None:
            return pay_page.message("Stripe", "There is no such checkout.", status=404)
        if session["status"] != "open":
            return pay_page.message("Stripe", "This checkout is complete.", back=_onward(session))
        name = ledger.note(session["id"]).get("name") or "Payment"
        currency, amount = session["currency"], session["amount_total"]
        return pay_page.to_pay(
            "Stripe",
            what=f"{name}, every month" if session["mode"] == "subscription" else name,
            minor_units=amount // 100 if currency in _A_HUNDREDFOLD else amount,
            currency=currency,
            back=session["cancel_url"],
        )

    async def _pay(self, request: web.Request) -> web.Response:
        ledger, session = self._session(request)
        if ledger is None or session is None:
            return pay_page.message("Stripe", "There is no such checkout.", status=404)
        try:
            checkout.pay(ledger, session)
        except StripeError as error:
            return pay_page.message(
                "Stripe", error.message, status=error.status, back=_onward(session)
            )
        return _after(session)

    async def _open_link(self, request: web.Request) -> web.Response:
        id_ = f"plink_{request.match_info['link']}"
        try:
            ledger = self._merchants.owner("payment_link", id_)
        except StripeError:
            return pay_page.message("Stripe", "There is no such link.", status=404)
        link = ledger.find("payment_link", id_, param="link")
        session = checkout.open_through_link(
            ledger, link, client_reference_id=request.query.get("client_reference_id")
        )
        have_url(session, origin=str(request.url.origin()))
        raise web.HTTPSeeOther(session["url"])

    async def _element(self, request: web.Request) -> web.Response:
        text = ELEMENTS.get(request.match_info["element"])
        if text is None:
            raise web.HTTPNotFound
        return web.Response(text=text, content_type="text/javascript")

    def _session(self, request: web.Request) -> tuple[Ledger | None, JsonObject | None]:
        id_ = request.match_info["id"]
        try:
            ledger = self._merchants.owner("checkout.session", id_)
        except StripeError:
            return None, None
        return ledger, ledger.find("checkout.session", id_, param="session")


def _after(session: JsonObject) -> web.Response:
    """Send the buyer back to the shop, or confirm the payment here."""
    url = _success_url(session)
    if not url:
        back = session["cancel_url"]
        return pay_page.message("Stripe", "Thank you for your payment.", back=back)
    raise web.HTTPSeeOther(url)


def _onward(session: JsonObject) -> str | None:
    """Give where a paid session leads to, or else where it was opened."""
    return _success_url(session) or session["cancel_url"]


def _success_url(session: JsonObject) -> str:
    return (session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
