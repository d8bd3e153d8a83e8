"""The pages of the shop, as HTML."""

from collections.abc import Sequence
from html import escape

from synaptyx.attribution.v1.conversion_pb2 import Conversion

from deploy.local import money
from deploy.local.shop import opening
from deploy.local.shop.opening import OpenShop

_ACCOUNT = "What became of it"
_COLUMNS = ("State", "Net", "Credited by", "Campaign", "Click", "Payment")
_BACK = '<a class="button quiet" href="/">Back to the shop</a>'


def front(shop: OpenShop, *, stripe_url: str) -> str:
    """Give the page that sells."""
    scripts = [
        f"{stripe_url}/v3/buy-button.js",
        f"{stripe_url}/v3/pricing-table.js",
        shop.stripe_snippet_url,
        shop.polar_snippet_url,
        "/assets/shop.js",
    ]
    return _page(
        "Shop",
        '<p class="lead">Everything here is paid at the sandboxes: no money moves. Come in '
        f'through <a id="tracking-link" href="{escape(shop.tracking_link_url)}?sub1=shop-page&amp;'
        'utm_source=newsletter&amp;utm_medium=email">the tracking link</a>, buy something, and '
        'look at <a href="/account">what became of it</a>.</p>'
        '<p class="click">Your click: <output id="click">none</output></p>'
        '<p id="failure" role="alert" hidden></p>'
        f'<h2>Stripe</h2><div class="offers">{"".join(_at_stripe(shop))}</div>'
        f'<h2>Polar</h2><div class="offers">{"".join(_at_polar(shop))}</div>',
        scripts=scripts,
    )


def _at_stripe(shop: OpenShop) -> list[str]:
    button_id = escape(shop.button_id)
    return [
        _offer(
            "Checkout by the server",
            opening.CHECKOUT_AMOUNT,
            "The page names the click with <code>synaptyx.attach()</code>; the server makes the "
            "session.",
            '<button data-checkout="stripe" data-mode="payment" id="stripe-checkout">'
            "Buy headphones</button>",
        ),
        _offer(
            "Subscription by the server",
            opening.SUBSCRIPTION_AMOUNT,
            "Likewise, in Stripe's subscription mode; renewals keep the click.",
            '<button data-checkout="stripe" data-mode="subscription" id="stripe-subscription">'
            "Subscribe to music</button>",
            per="a month",
        ),
        _offer(
            "Payment Link",
            opening.LINK_AMOUNT,
            "The snippet adds <code>client_reference_id</code> to the link.",
            f'<a class="button" id="payment-link" href="{escape(shop.payment_link_url)}">'
            "Buy a cable</a>",
        ),
        _offer(
            "Buy Button",
            opening.LINK_AMOUNT,
            "The snippet sets <code>client-reference-id</code> on the element.",
            f'<stripe-buy-button id="buy-button" buy-button-id="buy_btn_{button_id}" '
            'publishable-key="pk_test_shop" data-label="Buy a cable"></stripe-buy-button>',
        ),
        _offer(
            "Pricing Table",
            opening.LINK_AMOUNT,
            "Likewise, on the table.",
            f'<stripe-pricing-table id="pricing-table" pricing-table-id="prctbl_{button_id}" '
            'publishable-key="pk_test_shop" data-label="Choose a cable"></stripe-pricing-table>',
        ),
    ]


def _at_polar(shop: OpenShop) -> list[str]:
    return [
        _offer(
            "Checkout by the server",
            opening.POLAR_AMOUNT,
            "The page names the click with <code>synaptyx.attach()</code>.",
            '<button data-checkout="polar" id="polar-checkout">Buy an e-book</button>',
        ),
        _offer(
            "Checkout link",
            opening.POLAR_LINK_AMOUNT,
            "The snippet adds <code>reference_id</code> to the link.",
            f'<a class="button" id="polar-link" href="{escape(shop.polar_link_url)}">'
            "Buy a template</a>",
        ),
        _offer(
            "Embedded checkout",
            opening.POLAR_LINK_AMOUNT,
            "Likewise, on what Polar's embed reads.",
            '<a class="button" id="polar-embed" data-polar-checkout '
            f'href="{escape(shop.polar_link_url)}">Buy a template</a>',
        ),
    ]


def thanks() -> str:
    """Give the page after a payment."""
    return _page(
        "Thank you",
        '<p class="lead" id="thanks">Paid. The webhook is on its way to ingress.</p>'
        '<p class="actions"><a class="button" href="/account">See what became of it</a> '
        '<a class="button quiet" href="/">Buy more</a></p>',
    )


def account(conversions: Sequence[Conversion]) -> str:
    """Give the page that lists the newest conversions."""
    heads = "".join(f"<th{_class(name)}>{name}</th>" for name in _COLUMNS)
    rows = "".join(_row(each) for each in conversions)
    empty = '<tr><td colspan="6">Nothing was bought yet.</td></tr>'
    return _page(
        _ACCOUNT,
        '<p class="lead">The newest conversions, read from attribution over gRPC every two '
        'seconds.</p><p id="failure" role="alert" hidden></p>'
        f'<div class="scroll"><table id="conversions"><thead><tr>{heads}</tr></thead>'
        f'<tbody>{rows or empty}</tbody></table></div><p class="actions">{_BACK}</p>',
        scripts=["/assets/account.js"],
    )


def away() -> str:
    """Give the page that stands for the account while attribution does not answer."""
    return _page(
        _ACCOUNT,
        '<p class="lead">Attribution does not answer. Reload in a moment.</p>'
        f'<p class="actions"><a class="button" href="/account">Reload</a> {_BACK}</p>',
    )


def _row(conversion: Conversion) -> str:
    cells = (
        Conversion.State.Name(conversion.state).removeprefix("STATE_"),
        money.written(conversion.net.minor_units, conversion.net.currency_code),
        Conversion.Basis.Name(conversion.basis).removeprefix("BASIS_").replace("UNSPECIFIED", "-"),
        conversion.campaign.rpartition("/")[2] or "-",
        conversion.click.rpartition("/")[2] or "-",
        conversion.payment,
    )
    # Where there is no room for columns, each cell says what it is.
    told = (
        f'<td{_class(name)} data-column="{name}">{escape(cell)}</td>'
        for name, cell in zip(_COLUMNS, cells, strict=True)
    )
    return f"<tr>{''.join(told)}</tr>"


def _class(column: str) -> str:
    return ' class="number"' if column == "Net" else ""


def _offer(name: str, amount: int, how: str, control: str, *, per: str = "") -> str:
    return (
        f'<article><h3>{name}</h3><p class="price">${amount / 100:,.2f} <small>{per}</small></p>'
        f"<p>{how}</p>{control}</article>"
    )


def _page(title: str, inner: str, *, scripts: Sequence[str] = ()) -> str:
    tags = "".join(f'<script src="{escape(each)}" defer></script>' for each in scripts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title>"
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/shop.css">'
        f"{tags}</head><body><main><h1>{title}</h1>{inner}</main></body></html>"
    )
