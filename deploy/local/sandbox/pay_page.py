"""The page on which a buyer pays at a sandbox: plain HTML that works without a script."""

from html import escape

from aiohttp import web

from deploy.local import money

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
  --ink: #1c2230; --soft: #667085; --paper: #fff; --ground: #f4f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaf0; --soft: #98a2b3; --paper: #1b2230; --ground: #11151d; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: var(--ground); color: var(--ink); }
main { box-sizing: border-box; width: min(26rem, 100vw - 2rem); background: var(--paper);
  border-radius: 12px; padding: 2rem; box-shadow: 0 1px 3px #0002, 0 8px 24px #0001; }
small { color: var(--soft); text-transform: uppercase; letter-spacing: .06em; }
h1 { font-size: 1.25rem; margin: .25rem 0 0; overflow-wrap: anywhere; }
.amount { font-size: 2.25rem; font-weight: 600; margin: .75rem 0 1.5rem; }
.note { margin: 1rem 0 0; color: var(--soft); font-size: .9rem; }
a { color: inherit; }
button { width: 100%; padding: .8rem; border: 0; border-radius: 8px; font: inherit;
  font-weight: 600; color: #fff; background: COLOR; cursor: pointer; }
button:hover { filter: brightness(1.1); }
"""
COLORS = {"Stripe": "#635bff", "Polar": "#0062ff"}

# A page that takes money lets nothing else onto it, and is in no other. It has no form-action:
# Chromium holds redirects after a form against that too, and they lead back to the shop.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def to_pay(
    provider: str, *, what: str, minor_units: int, currency: str, back: str | None
) -> web.Response:
    """Give the page with the price, the button that pays it, and a way back where there is one."""
    amount = money.written(minor_units, currency)
    return _page(
        provider,
        f"<h1>{escape(what)}</h1><p class=amount>{escape(amount)}</p>"
        "<form method=post><button id=pay>Pay</button></form>"
        "<p class=note>No money moves: the button does what a buyer's card would.</p>"
        f"{_link(back, 'Back')}",
    )


def message(
    provider: str, text: str, *, status: int = 200, back: str | None = None
) -> web.Response:
    """Give a page that only says something, and where the shop is if that is known."""
    inner = f"<h1 id=message>{escape(text)}</h1>{_link(back, 'Back to the shop')}"
    return _page(provider, inner, status=status)


def _link(url: str | None, text: str) -> str:
    # Merchants write these URLs, and some schemes are scripts.
    if url is None or not url.startswith(("http://", "https://")):
        return ""
    return f'<p class=note><a id=back href="{escape(url)}">{text}</a></p>'


def _page(provider: str, inner: str, *, status: int = 200) -> web.Response:
    style = STYLE.replace("COLOR", COLORS[provider])
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        f"<title>Pay with the {provider} sandbox</title><style>{style}</style>"
        f"<main><small>{provider} sandbox</small>{inner}</main></html>"
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=_HEADERS)
