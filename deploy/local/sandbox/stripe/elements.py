"""Stand-ins of the elements that Stripe serves to shops. Each opens a Payment Link.

As Stripe's own they live in a shadow tree, and read their attributes when the buyer clicks.
"""

_ELEMENT = """
customElements.get(NAME) || customElements.define(NAME, class extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const button = document.createElement("button");
    button.textContent = this.getAttribute("data-label") || LABEL;
    button.part = "button";
    const sandbox = new URL(SCRIPT).origin;
    button.addEventListener("click", () => {
      const link = (this.getAttribute(ID) || "").replace(PREFIX, "");
      const reference = this.getAttribute("client-reference-id");
      location.assign(sandbox + "/b/test_" + link +
        (reference ? "?client_reference_id=" + encodeURIComponent(reference) : ""));
    });
    this.attachShadow({ mode: "open" }).append(button);
  }
});
"""


def _element(name: str, *, attribute: str, prefix: str, label: str) -> str:
    text = _ELEMENT.replace("NAME", f'"{name}"').replace("ID", f'"{attribute}"')
    text = text.replace("PREFIX", f'"{prefix}"').replace("LABEL", f'"{label}"')
    # Where the script came from is known while it runs, and not when a button is clicked.
    return "{ const source = document.currentScript.src;" + text.replace("SCRIPT", "source") + "}"


ELEMENTS = {
    "buy-button": _element(
        "stripe-buy-button", attribute="buy-button-id", prefix="buy_btn_", label="Buy now"
    ),
    "pricing-table": _element(
        "stripe-pricing-table", attribute="pricing-table-id", prefix="prctbl_", label="Choose"
    ),
}
"""The scripts, by their names at Stripe."""
