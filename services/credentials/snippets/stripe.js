// What is Stripe's: a reference where there is no metadata, and the parameters of each mode.
({
  name: "stripe",
  parameter: "client_reference_id",
  links: /^(buy|book|donate)\.stripe\.com\//,
  elements: "stripe-buy-button,stripe-pricing-table",
  watched: ["href", "client-reference-id"],
  attach: (payload, click, named, isPlain) => {
    let copy = named(payload);
    // Each of them is refused in another mode than its own.
    const field =
      payload.mode === "payment" ? "payment_intent_data"
      : payload.mode === "subscription" ? "subscription_data" : "";
    if (field && (copy[field] == null || isPlain(copy[field]))) {
      copy = { ...copy, [field]: named(copy[field] || {}) };
    }
    // What is made without a checkout has no reference: a payment intent, a setup, a subscription.
    return copy.client_reference_id != null ||
      (!copy.mode && ["amount", "items", "currency", "usage"].some((key) => key in copy))
      ? copy
      : { ...copy, client_reference_id: click };
  },
  decorate: (element, change) => {
    const name = "client-reference-id";
    change(element.getAttribute(name), (id) =>
      id ? element.setAttribute(name, id) : element.removeAttribute(name)
    );
  },
})
