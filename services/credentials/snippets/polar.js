// What is Polar's: a reference in the link of a checkout, wherever its embed reads it.
({
  name: "polar",
  parameter: "reference_id",
  links: /^(buy\.polar\.sh\/|((www|sandbox|api|sandbox-api)\.)?polar\.sh\/.*(polar_cl_|checkout-links\/))/,
  elements: "[data-polar-checkout]",
  watched: ["href", "data-polar-checkout"],
  attach: (payload, click, named) => named(payload),
  decorate: (element, change, link) => link(element, "data-polar-checkout"),
})
