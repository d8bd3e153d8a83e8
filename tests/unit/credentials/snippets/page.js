// A stand-in for a page of a shop: as much of a browser as the snippet touches, and no more.
"use strict";

// Domains that belong to nobody, and for which browsers keep no cookie.
const PUBLIC_SUFFIXES = new Set(["com", "test", "uk", "co.uk", "io", "github.io"]);
const ADDRESS = /^[\d.]+$|:/;

class Element {
  constructor(page, tag, attributes = {}) {
    this.page = page;
    this.tag = tag;
    this.attributes = { ...attributes };
    this.children = [];
  }

  getAttribute(name) {
    return name in this.attributes ? this.attributes[name] : null;
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
    this.page.note({ target: this, addedNodes: [], attribute: name });
  }

  removeAttribute(name) {
    delete this.attributes[name];
    this.page.note({ target: this, addedNodes: [], attribute: name });
  }

  matches(selectors) {
    return selectors.split(",").some((selector) => {
      const [, tag, attribute] = /^([a-z-]*)(?:\[([a-z-]+)\])?$/.exec(selector);
      return (!tag || tag === this.tag) && (!attribute || attribute in this.attributes);
    });
  }

  append(child) {
    this.children.push(child);
    child.parent = this;
    this.page.note({ target: this, addedNodes: [child] });
    return child;
  }

  remove() {
    this.parent.children = this.parent.children.filter((each) => each !== this);
    this.parent = undefined;
  }

  querySelectorAll(selectors) {
    return this.children.flatMap((child) => [
      ...(child.matches(selectors) ? [child] : []),
      ...child.querySelectorAll(selectors),
    ]);
  }
}

class Page {
  constructor(url) {
    this.written = [];
    this.jar = [];
    this.uncaught = [];
    this.observers = [];
    this.listeners = [];
    this.go(url);
    const page = this;
    this.body = new Element(this, "body");
    this.document = {
      get cookie() {
        return page.readCookies();
      },
      set cookie(text) {
        page.writeCookie(text);
      },
      get baseURI() {
        return page.base || page.url.href;
      },
      querySelectorAll: (selectors) => this.body.querySelectorAll(selectors),
      addEventListener: (kind, listener) => this.listeners.push([kind, listener]),
    };
    this.requestAnimationFrame = (draw) => setImmediate(draw);
    this.location = {};
    for (const part of ["href", "search", "hostname", "protocol", "host", "pathname"]) {
      Object.defineProperty(this.location, part, { get: () => page.url[part] });
    }
    this.MutationObserver = class {
      constructor(callback) {
        this.callback = callback;
      }
      observe(target, options) {
        page.observers.push({ callback: this.callback, options });
      }
    };
  }

  // Change the URL, as a page that is one application does it.
  go(url) {
    this.url = new URL(url);
  }

  // Give an element, in no page yet.
  make(tag, attributes) {
    return new Element(this, tag, attributes);
  }

  // Put an element into the page.
  add(tag, attributes) {
    return this.body.append(this.make(tag, attributes));
  }

  // Give an object that another frame has made.
  foreign() {
    return { metadata: { cart: "7" } };
  }

  // Let observers see what has changed.
  settled() {
    return new Promise((resolve) => setImmediate(resolve));
  }

  // Click on an element; the path goes outwards from it, through shadow trees.
  click(...path) {
    this.listeners
      .filter(([kind]) => kind === "click")
      .forEach(([, listener]) => listener({ composedPath: () => [...path, this.document] }));
  }

  // Come back to the page, from another one or another tab.
  comeBack() {
    this.listeners
      .filter(([kind]) => kind === "visibilitychange")
      .forEach(([, listener]) => listener({}));
  }

  note(change) {
    // What is in no page yet is watched by nobody.
    let top = change.target;
    while (top.parent) top = top.parent;
    if (top instanceof Element && top !== this.body) return;
    for (const { callback, options } of this.observers) {
      if (change.attribute && !options.attributeFilter.includes(change.attribute)) continue;
      queueMicrotask(() => {
        try {
          callback([change]);
        } catch (error) {
          this.uncaught.push(String(error));
        }
      });
    }
  }

  readCookies() {
    const host = this.url.hostname;
    return this.jar
      .filter(({ domain, hostOnly }) =>
        hostOnly ? domain === host : host === domain || host.endsWith("." + domain))
      .filter(({ secure }) => !secure || this.url.protocol === "https:")
      .map(({ name, value }) => name + "=" + value)
      .join("; ");
  }

  writeCookie(text) {
    this.written.push(text);
    const [pair, ...rest] = text.split(";");
    const [name, value] = pair.split("=");
    const told = Object.fromEntries(rest.map((each) => (each + "=").split("=", 2)));
    const host = this.url.hostname;
    const domain = told.domain || host;
    const isWider = host.endsWith("." + domain) && !ADDRESS.test(host);
    if (domain !== host && !isWider) return;
    if (told.domain && PUBLIC_SUFFIXES.has(domain)) return;
    if ("secure" in told && this.url.protocol !== "https:") return;
    const hostOnly = !told.domain;
    this.jar = this.jar.filter(
      (each) => each.name !== name || each.domain !== domain || each.hostOnly !== hostOnly
    );
    // What is no number is as if it were not there: the cookie lives as long as the browser runs.
    if (!/^-?\d+$/.test(told["max-age"]) || Number(told["max-age"]) > 0) {
      this.jar.push({ name, value, domain, hostOnly, secure: "secure" in told });
    }
  }
}

module.exports = { Page };
