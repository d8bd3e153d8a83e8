// What all snippets do: know the visitor's click, keep it, and name it to the provider.
//
// A page may have a snippet of each provider. Each works by itself, and all are reached through
// window.synaptyx. Nothing here may ever break the page that it is on: what can throw is caught.
(provider, settings) => {
  "use strict";

  const NAME = "_syx_cid=";
  const KEY = "synaptyx_clickid";
  let click = "";
  let api;

  const attempt = (what, otherwise) => {
    try {
      return what();
    } catch (error) {
      return otherwise;
    }
  };

  const checked = (id) => (/^[\w-]{1,200}$/.test(id || "") ? id : "");

  const fromUrl = () =>
    attempt(() => checked(new URLSearchParams(location.search).get("clickid")), "");

  const fromCookie = () =>
    attempt(() => checked((/(?:^|; ?)_syx_cid=([^;]*)/.exec(document.cookie) || [])[1]), "");

  // What the URL said when the script ran: a page that is one application may change it before the
  // visitor consents. It is remembered here and kept nowhere.
  const entered = fromUrl();

  // For every domain that a cookie may be for, the widest first, until one keeps the id. An address
  // has no wider one, and a browser refuses those that belong to nobody, such as co.uk. Without an
  // id the cookies of all of them are deleted.
  const keep = (id) =>
    attempt(() => {
      const labels = /^[\d.]+$/.test(location.hostname) ? [] : location.hostname.split(".");
      labels
        .map((_, index) => ";domain=" + labels.slice(-2 - index).join("."))
        .slice(0, -1)
        .concat("")
        .some((domain) => {
          document.cookie =
            NAME + id + ";path=/;samesite=lax;max-age=" + (id ? settings.age : 0) + domain +
            (location.protocol === "https:" ? ";secure" : "");
          return id && fromCookie() === id;
        });
    });

  const isPlain = (value) => Object.prototype.toString.call(value) === "[object Object]";

  // A copy that names the click in its metadata, of which providers take fifty entries.
  const named = (payload) => {
    const own = payload.metadata == null ? {} : payload.metadata;
    return !isPlain(own) || own[KEY] != null || Object.keys(own).length > 49
      ? payload
      : { ...payload, metadata: { ...own, [KEY]: click } };
  };

  // The parameter is added to the link as it is written, and taken away from there.
  const link = (element, attribute, add) => {
    // Blanks around it belong to no URL, and would come to stand inside.
    const text = (element.getAttribute(attribute) || "").trim();
    const url = new URL(text, document.baseURI);
    const told = element.getAttribute("data-synaptyx");
    const given = url.searchParams.get(provider.parameter);
    const pair = provider.parameter + "=" + click;
    const [, address, fragment] = /([^#]*)([^]*)/.exec(text);
    const isMine =
      told === "" || told === provider.name || settings.hosts.includes(url.host) ||
      provider.links.test(url.host + url.pathname);
    if (!text || !/^http/.test(url.protocol) || !isMine) return;
    if (add && given === null) {
      element.setAttribute(
        attribute, address + (address.includes("?") ? "&" : "?") + pair + fragment
      );
    } else if (!add && given === click) {
      element.setAttribute(
        attribute,
        address.replace(RegExp("([?&])" + pair + "&?"), "$1").replace(/[?&]$/, "") + fragment
      );
    }
  };

  const decorate = (element, add) =>
    click &&
    attempt(() => {
      if (element.matches("a,area")) link(element, "href", add);
      if (element.matches(provider.elements)) provider.decorate(element, click, add, link);
    });

  const decorateAll = (add, root) => {
    decorate(root, add);
    attempt(() =>
      (root || document)
        .querySelectorAll("a,area," + provider.elements)
        .forEach((element) => decorate(element, add))
    );
  };

  const consent = (given) => {
    const seen = fromUrl() || entered;
    const kept = given && fromCookie();
    const next = given ? (settings.first && kept) || seen || kept : "";
    if (click !== next) decorateAll(false);
    click = next;
    // One that is there already would hide whether the browser takes the new one.
    if (!given || (click && click === seen)) keep("");
    if (click && click === seen) keep(click);
    decorateAll(true);
  };

  attempt(() => {
    api = window.synaptyx = window.synaptyx || {};
    if (api[provider.name]) return;
    api[provider.name] = {
      attach: (payload) =>
        attempt(
          () => (click && isPlain(payload) ? provider.attach(payload, click, named, isPlain) : payload),
          payload
        ),
      clickId: () => click,
      consent,
    };
    const all = () => [api.stripe, api.polar].filter(Boolean);
    api.attach = (payload) =>
      attempt(() => {
        const isPolars = ["products", "product_id", "product_price_id"].some((key) => key in payload);
        return all()[isPolars ? "pop" : "shift"]().attach(payload);
      }, payload);
    api.clickId = () => all()[0].clickId();
    api.consent = (given) =>
      attempt(() => {
        all().forEach((each) => each.consent(given));
        api.consented = !!given;
      });
    if (api.consented === undefined ? !settings.consent : api.consented) consent(true);
    attempt(() =>
      new MutationObserver((changes) =>
        changes.forEach((change) => {
          decorate(change.target, true);
          change.addedNodes.forEach((node) => decorateAll(true, node));
        })
      ).observe(document, {
        childList: true, subtree: true, attributes: true, attributeFilter: provider.watched
      })
    );
    // What was changed a moment ago, or lies in a shadow tree, is seen to when it is clicked.
    ["click", "auxclick"].forEach((kind) =>
      document.addEventListener(
        kind,
        (event) => attempt(() => event.composedPath().forEach((each) => decorate(each, true))),
        true
      )
    );
  });
}
