// What all snippets do: know the visitor's click, keep it, and name it to the provider.
//
// A page may have a snippet of each provider. Each works by itself, and all are reached through
// window.synaptyx. Nothing here may ever break the page that it is on: what can throw is caught.
(provider, settings) => {
  "use strict";

  const KEY = "synaptyx_clickid";
  // Ids that were named on this page and are not to be any more.
  const past = [];
  // How often changes were seen since the last frame, and how often that was too often.
  let rounds = 0;
  let fights = 0;
  let click = "";
  // Whether the click is in a cookie, and the last one that was taken up from the URL.
  let kept = false;
  let taken = "";
  let api;

  const attempt = (what, otherwise) => {
    try {
      return what();
    } catch (error) {
      return otherwise;
    }
  };

  const idIn = (url) =>
    attempt(() => {
      const id = new URLSearchParams(/\?[^#]*|$/.exec(url())[0]).get("clickid");
      return /^[\w-]{1,200}$/.test(id || "") ? id : "";
    }, "");

  const fromUrl = () => idIn(() => location.href);

  // All that there are, for one on another path or domain may stand in front of ours.
  const cookies = () =>
    attempt(
      () =>
        document.cookie
          .split(/; ?/)
          .map((each) => (/^_syx_cid=([\w-]{1,200})$/.exec(each) || [])[1])
          .filter(Boolean),
      []
    );

  // What the URL said last, when the page was loaded or since: a page that is one application may
  // change it before the script runs, or before the visitor consents. It is kept nowhere else.
  let entered =
    fromUrl() || idIn(() => performance.getEntriesByType("navigation")[0].name);

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
            "_syx_cid=" + id + ";path=/;samesite=lax;max-age=" + (id ? settings.age : 0) + domain +
            (location.protocol === "https:" ? ";secure" : "");
          return id && cookies().includes(id);
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

  // Call `write` with what is to stand where `given` stands: a reference of the page's own stays.
  const change = (given, write) => {
    if (given !== (click || null) && (given === null || past.includes(given))) write(click);
  };

  // The parameter is added to the link as it is written, and taken away from there.
  const link = (element, attribute) => {
    // Blanks around it belong to no URL, and would come to stand inside.
    const text = (element.getAttribute(attribute) || "").trim();
    const url = new URL(text, document.baseURI);
    const told = element.getAttribute("data-synaptyx");
    const given = url.searchParams.get(provider.parameter);
    const pair = provider.parameter + "=";
    const [, address, fragment] = /([^#]*)([^]*)/.exec(text);
    const isMine =
      told === "" || told === provider.name || settings.hosts.includes(url.host) ||
      provider.links.test(url.host + url.pathname);
    if (text && /^http/.test(url.protocol) && isMine) change(given, (id) => {
      const bare = given
        ? address.replace(RegExp("([?&])" + pair + given + "&?"), "$1").replace(/[?&]$/, "")
        : address;
      element.setAttribute(
        attribute, bare + (id && (bare.includes("?") ? "&" : "?") + pair + id) + fragment
      );
    });
  };

  const decorate = (element) =>
    attempt(() => {
      if (element.matches("a,area")) link(element, "href");
      if (element.matches(provider.elements)) provider.decorate(element, change, link);
    });

  const decorateAll = (root) =>
    attempt(() =>
      root.querySelectorAll("a,area," + provider.elements).forEach(decorate)
    );

  const know = (id) => {
    if (click && click !== id) past.push(click);
    click = id;
    kept = !!id && cookies().includes(id);
    decorateAll(document);
  };

  const consent = (given) => {
    const old = given && cookies()[0];
    entered = fromUrl() || entered;
    // Saying so again is no new click.
    const fresh = given && entered !== taken && entered;
    const id = (settings.first && old) || fresh || old || (given && click) || "";
    taken = given && entered;
    // One that is there already would hide whether the browser takes the new one.
    if (!given || (fresh && id === fresh)) keep("");
    if (fresh && id === fresh) keep(id);
    know(id);
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
        const isPolars =
          !payload.mode && ["products", "product_id", "product_price_id"].some((key) => key in payload);
        return all()[isPolars ? "pop" : "shift"]().attach(payload);
      }, payload);
    api.clickId = () => attempt(() => all().map((each) => each.clickId()).find(Boolean)) || "";
    api.consent = (given) =>
      attempt(() => {
        api.consented = given === true;
        all().forEach((each) => each.consent(api.consented));
      });
    if (api.consented === undefined ? !settings.consent : api.consented === true) consent(true);
    const observed = ({ target, addedNodes }) => {
      decorate(target);
      addedNodes.forEach((node) => {
        if (node.matches) {
          decorate(node);
          decorateAll(node);
        }
      });
    };
    const nextFrame = () => {
      if (rounds > 99 && fights++ < 9) decorateAll(document);
      rounds = 0;
    };
    attempt(() =>
      new MutationObserver((records) => {
        // Another script may set back what is set here, before anything else gets its turn. What
        // was left alone for that is seen to in the next frame; but not for ever.
        attempt(() => {
          if (!rounds) requestAnimationFrame(nextFrame);
          rounds += 1;
        });
        if (rounds < 99) records.forEach((record) => attempt(() => observed(record)));
      }).observe(document, {
        childList: true, subtree: true, attributes: true, attributeFilter: provider.watched
      })
    );
    const listen = (kind, listener) =>
      document.addEventListener(kind, (event) => attempt(() => listener(event)), true);
    // What was changed a moment ago, or lies in a shadow tree, is seen to when it is pressed.
    ["pointerdown", "click"].forEach((kind) =>
      listen(kind, (event) => event.composedPath().forEach(decorate))
    );
    // Whoever comes back may have been elsewhere: the click was forgotten, or there is a newer one.
    listen("visibilitychange", () => {
      if (kept && !cookies().includes(click)) know(cookies()[0] || "");
    });
  });
}
