// The shop's own script: it asks the snippet who clicked, and its server for a checkout.
"use strict";

const failure = document.getElementById("failure");

function showClick() {
  const click = window.synaptyx && window.synaptyx.clickId && window.synaptyx.clickId();
  document.getElementById("click").textContent = click || "none";
}

async function checkOut(button) {
  const payload =
    button.dataset.checkout === "polar"
      ? { products: ["e-book"] }
      : { mode: button.dataset.mode, line_items: [{ price: "headphones", quantity: 1 }] };
  const attach = (window.synaptyx && window.synaptyx.attach) || ((unchanged) => unchanged);
  button.disabled = true;
  try {
    const response = await fetch("/checkout/" + button.dataset.checkout, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(attach(payload)),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    location.assign(answer.url);
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
