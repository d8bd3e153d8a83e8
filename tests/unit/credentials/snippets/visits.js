// Visits pages: takes a visit a line, as JSON, and answers with what came of it, in order.
"use strict";

const readline = require("node:readline");
const vm = require("node:vm");
const { Page } = require("./page.js");

const make = (visit) => {
  const page = new Page(visit.url);
  const { document, location, MutationObserver, requestAnimationFrame } = page;
  const context = vm.createContext({
    page, document, location, MutationObserver, requestAnimationFrame, URL, URLSearchParams,
  });
  vm.runInContext("globalThis.window = globalThis;", context);
  visit.lacks.forEach((name) => delete context[name]);
  return [page, context];
};

const run = async (visit) => {
  const [page, context] = make(visit);
  vm.runInContext(visit.before, context, { filename: "before.js" });
  visit.scripts.forEach((script) => vm.runInContext(script, context, { filename: "snippet.js" }));
  const act = `(async () => {${visit.act}\n})()`;
  const value = await vm.runInContext(act, context, { filename: "act.js" });
  await page.settled();
  if (page.uncaught.length) throw new Error(page.uncaught.join("; "));
  return value;
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = { value: await run(JSON.parse(line)) };
    } catch (error) {
      answer = { error: String((error && error.stack) || error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
})();
