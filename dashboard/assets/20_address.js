// The address is the state: links, lists and charts change it, and the page follows it.
(() => {
  let here = location.pathname;

  const move = (url) => {
    if (url.href === location.href) return;
    history.pushState({}, "", url.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    arrived();
  };

  // A new page begins at its top and is read from there; a change within a page leaves the reader where they are.
  const arrived = () => {
    if (location.pathname === here) return;
    here = location.pathname;
    window.scrollTo(0, 0);
    document.getElementById("view")?.focus({ preventScroll: true });
  };

  const go = (changes) => {
    const url = new URL(location.href);
    const defaults = { segment: "all", range: "90d" };
    for (const [key, value] of Object.entries(changes)) {
      if (value == null || value === "" || value === defaults[key]) url.searchParams.delete(key);
      else url.searchParams.set(key, value);
    }
    move(url);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.getAttribute("href").startsWith("#")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith("/ui/")) return;
    event.preventDefault();
    move(url);
  });
  window.addEventListener("popstate", () => { here = location.pathname; });

  // Asks whether anything is new; the page asks for its numbers again only then.
  const watch = (id) => {
    let tag = null;
    let timer;
    const ask = async () => {
      clearTimeout(timer);
      if (!document.hidden && !document.querySelector("main [aria-expanded=true]")) { // not under an open list
        try {
          const answer = await fetch("/v1/version", tag ? { headers: { "If-None-Match": tag } } : {});
          if (answer.ok) {
            const first = tag === null; // the page has just been drawn
            tag = answer.headers.get("etag");
            const version = (await answer.json()).version;
            if (!first) dash_clientside.set_props(id, { data: version });
          }
        } catch (error) { /* the server is away: the next beat asks again */ }
      }
      timer = setTimeout(ask, 15000);
    };
    document.addEventListener("visibilitychange", () => document.hidden || ask());
    ask();
    return dash_clientside.no_update;
  };

  const pick = () => {
    const changes = {};
    for (const input of dash_clientside.callback_context.inputs_list[0] || []) {
      const key = input.id.pick;
      const shown = new URLSearchParams(location.search).get(key) ?? (key === "segment" ? "all" : "");
      if (input.value != null && input.value !== shown) changes[key] = input.value;
    }
    if (Object.keys(changes).length) go(changes);
    return dash_clientside.no_update;
  };

  const title = (text) => { if (text) document.title = text; return dash_clientside.no_update; };

  window.watchkeeper = { go };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { watchkeeper: { watch, pick, title } });
})();
