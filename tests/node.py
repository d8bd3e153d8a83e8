"""Run the documents' examples for Node, with stand-ins of the packages that they use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.browser.chromium import find_node

# What stands between the examples and the sandbox in place of Stripe's own package: the parameters
# are written as that package writes them.
STRIPE = """
const written = (value, name) =>
  typeof value === "object"
    ? Object.entries(value).flatMap(([key, each]) => written(each, name ? `${name}[${key}]` : key))
    : [[name, String(value)]];
const stripeAt = (url, key) => {
  const at = (path) => ({
    async create(parameters) {
      const response = await fetch(`${url}/v1/${path}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}` },
        body: new URLSearchParams(written(parameters)),
      });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    },
  });
  return { checkout: { sessions: at("checkout/sessions") }, paymentIntents: at("payment_intents") };
};
"""

# In place of Express: `posted` calls the route that the example has made.
EXPRESS = """
const parser = () => {};
const express = { json: () => parser };
const routes = {};
const app = { post: (path, ...handlers) => { routes[path] = handlers; } };
const posted = async (path, body) => {
  const [first, handler] = routes[path];
  if (first !== parser) throw new Error("nothing reads the body");
  let answer;
  await handler({ body }, { json: (given) => { answer = given; } });
  return answer;
};
"""


def run(script: str, result: str, directory: Path) -> Any:
    """Run a module, and return what an expression at its end gives."""
    file = directory / "example.mjs"
    file.write_text(f"{script}\nconsole.log(JSON.stringify({result}));\n")
    done = subprocess.run(
        [find_node(), file], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
