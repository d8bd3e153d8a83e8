// Keeps the account as new as it is: reads its page again and again, and takes over the table.
"use strict";

const EVERY_MS = 2000;
const failure = document.getElementById("failure");
let waiting;

async function newRows() {
  const response = await fetch(location.pathname);
  if (!response.ok) throw new Error("status " + response.status);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.querySelector("#conversions tbody");
}

async function refresh() {
  clearTimeout(waiting);
  // Nobody looks; whoever comes back to the tab is noticed below.
  if (document.hidden) return;
  try {
    const rows = await newRows();
    const shown = document.querySelector("#conversions tbody");
    // What is as it was is left alone, and so is what a person has selected of it.
    if (rows.innerHTML !== shown.innerHTML) shown.replaceWith(rows);
    failure.hidden = true;
  } catch (error) {
    failure.textContent = "Attribution does not answer. This is what it last said.";
    failure.hidden = false;
  }
  clearTimeout(waiting);
  waiting = setTimeout(refresh, EVERY_MS);
}

document.addEventListener("visibilitychange", refresh);
waiting = setTimeout(refresh, EVERY_MS);
