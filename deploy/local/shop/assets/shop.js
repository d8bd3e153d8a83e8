// The shop's own script: it asks the snippet who clicked, and its server for a checkout.
"use strict";

const failure = document.getElementById("failure");

function showClick() {
  const click = window.synaptyx && window.synaptyx.clickId && window.synaptyx.clickId();
  const output = document.getElementById("click");
  // It is read out whenever it is written.
  if (output.textContent !== (click || "none")) output.textContent = click || "none";
}

// Gives where to pay. Only the shop's own sentences are shown, and no word of a parser or a network.
async function openCheckout(provider, payload) {
  const silent = "the shop does not answer. Try again in a moment.";
  const response = await fetch("/checkout/" + provider, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(payload),
  }).catch(() => null);
  const answer = response && (await response.json().catch(() => null));
  if (answer && answer.url) return answer.url;
  throw new Error((answer && answer.error) || silent);
}

async function checkOut(button) {
  const payload =
    button.dataset.checkout === "polar"
      ? { products: ["e-book"] }
      : { mode: button.dataset.mode, line_items: [{ price: "headphones", quantity: 1 }] };
  const attach = (window.synaptyx && window.synaptyx.attach) || ((unchanged) => unchanged);
  button.disabled = true;
  try {
    location.assign(await openCheckout(button.dataset.checkout, attach(payload)));
  } catch (error) {
    failure.textContent = "This could not be sold: " + error.message;
    failure.hidden = false;
    button.disabled = false;
  }
}

document.querySelectorAll("button[data-checkout]").forEach((button) => {
  button.addEventListener("click", () => checkOut(button));
});
showClick();
// Consent may be given or taken back at any time, and nothing tells of it.
setInterval(showClick, 1000);
