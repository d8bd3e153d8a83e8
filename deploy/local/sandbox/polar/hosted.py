"""The pages that Polar serves to buyers.

GET  /polar_cl_{secret}      a checkout link: opens a checkout, and shows its page
GET  /checkout/{secret}      the page of a checkout; its button pays
GET  /checkout/{secret}/confirmation
                             confirms a payment where no shop does
"""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from deploy.local.sandbox import pay_page
from deploy.local.sandbox.polar import objects, selling
from deploy.local.sandbox.polar.errors import PolarError
from deploy.local.sandbox.polar.ledger import Ledger
from deploy.local.sandbox.polar.organizations import Organizations
from deploy.local.sandbox.state import JsonObject

# What a link hands on from its own URL to the metadata of its checkouts.
_TAKEN = (
    "reference_id",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
)
_LONGEST = 500


def have_url(made: JsonObject, *, origin: str) -> None:
    """Have a checkout or a link that was just made lead to the page of the sandbox."""
    for field in ("url", "success_url"):
        for there in ("https://polar.sh/", "https://buy.polar.sh/"):
            if str(made.get(field, "")).startswith(there):
                made[field] = f"{origin}/{made[field].removeprefix(there)}"


class PolarHosted:
    """Answers buyers."""

    def __init__(self, organizations: Organizations) -> None:
        self._organizations = organizations

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/{link:polar_cl_[A-Za-z0-9_-]+}", self._open_link),
            web.get("/checkout/{secret}", self._show),
            web.post("/checkout/{secret}", self._pay),
            web.get("/checkout/{secret}/confirmation", self._confirm),
        ]

    async def _open_link(self, request: web.Request) -> web.Response:
        found = self._organizations.having("checkout_link", request.match_info["link"])
        if found is None:
            return pay_page.message("Polar", "There is no such link.", status=404)
        ledger, link = found
        metadata = dict(link["metadata"])
        for key in _TAKEN:
            value = request.query.get(key)
            # What the link itself says counts more than what its URL says.
            if value and len(value) <= _LONGEST:
                metadata.setdefault(key, value)
        checkout = objects.checkout(
            objects.new_id(),
            link["products"][0],
            at=ledger.now(),
            expires_at=objects.written(datetime.now(UTC) + timedelta(hours=1)),
            amount=link["sandbox_amount"],
            tax_amount=0,
            currency="usd",
            metadata=metadata,
            success_url=link["success_url"],
        )
        have_url(checkout, origin=str(request.url.origin()))
        ledger.add("checkout", checkout)
        raise web.HTTPSeeOther(checkout["url"])

    async def _show(self, request: web.Request) -> web.Response:
        found = self._checkout(request)
        if found is None:
            return pay_page.message("Polar", "There is no such checkout.", status=404)
        checkout = found[1]
        if checkout["status"] != "open":
            return pay_page.message("Polar", "This checkout is complete.", back=_onward(checkout))
        name = checkout["product"]["name"]
        return pay_page.to_pay(
            "Polar",
            what=f"{name}, every month" if checkout["product"]["is_recurring"] else name,
            minor_units=checkout["total_amount"],
            currency=checkout["currency"],
            back=checkout["return_url"],
        )

    async def _pay(self, request: web.Request) -> web.Response:
        found = self._checkout(request)
        if found is None:
            return pay_page.message("Polar", "There is no such checkout.", status=404)
        ledger, checkout = found
        try:
            selling.pay(ledger, checkout)
        except PolarError as error:
            return pay_page.message(
                "Polar", "This checkout is complete.", status=error.status, back=_onward(checkout)
            )
        raise web.HTTPSeeOther(checkout["success_url"])

    async def _confirm(self, request: web.Request) -> web.Response:
        found = self._checkout(request)
        if found is None:
            return pay_page.message("Polar", "There is no such checkout.", status=404)
        if found[1]["status"] == "open":
            raise web.HTTPSeeOther(found[1]["url"])
        back = found[1]["return_url"]
        return pay_page.message("Polar", "Thank you for your payment.", back=back)

    def _checkout(self, request: web.Request) -> tuple[Ledger, JsonObject] | None:
        return self._organizations.having("checkout", request.match_info["secret"])


def _onward(checkout: JsonObject) -> str | None:
    """Give where the shop is: the page after a payment unless it is Polar's, or the one before."""
    url: str | None = checkout["success_url"]
    return checkout["return_url"] if url == f"{checkout['url']}/confirmation" else url
