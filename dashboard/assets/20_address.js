// The address is the state. Links, lists and charts request another address; the browser shows it once its page is drawn.
(() => {
  const root = document.documentElement;
  let drawn = null; // the address of the page that is shown
  let wanted = null; // the address that was requested

  const same = (one, other) => one.pathname === other.pathname && one.search === other.search;
  const place = (url) => ({ path: url.pathname, search: url.search });

  const ask = (url) => {
    wanted = url;
    root.setAttribute("data-busy", "");
    document.getElementById("view")?.setAttribute("aria-busy", "true");
    dash_clientside.set_props("asked", { data: place(url) });
  };
  const move = (url) => {
    if (same(url, wanted ?? location)) return false;
    ask(url);
    return true;
  };

  // The page of `shown` is on the screen.
  const commit = (shown) => {
    if (!shown) return dash_clientside.no_update;
    const url = new URL(shown.path + shown.search, location.origin);
    document.title = shown.title;
    const before = drawn;
    drawn = url;
    if (!wanted || same(url, wanted)) {
      if (!same(url, location)) history.pushState({}, "", url.href);
      wanted = null;
      root.removeAttribute("data-busy");
      document.getElementById("view")?.removeAttribute("aria-busy");
      for (const link of document.querySelectorAll("[data-pending]")) link.removeAttribute("data-pending");
      // A new page begins at its top and is read from there; a change within a page leaves the reader where they are.
      if (before && before.pathname !== url.pathname) {
        window.scrollTo(0, 0);
        document.getElementById("view")?.focus({ preventScroll: true });
      }
    }
    tell();
    return dash_clientside.no_update;
  };

  // While the server is away: since when, and whether the page belongs to this address. Back and Forward change the address at once.
  let since = "";
  const tell = () => {
    if (window.watchkeeper.reloading) return; // a script is missing, and the page says so already
    const elsewhere = !drawn || !same(drawn, location);
    root.toggleAttribute("data-elsewhere", Boolean(since) && elsewhere);
    const left = elsewhere ? "This page has not been loaded." : wanted ? "What was chosen has not been loaded; what is shown is from before." : "What is shown is from before.";
    document.getElementById("away").hidden = !since;
    document.getElementById("away-text").textContent = since ? `No connection since ${since} UTC, trying again. ${left}` : "";
  };
  const away = (lost) => {
    since = lost ? new Date().toISOString().slice(0, 16).replace("T", " ") : "";
    tell();
  };

  const go = (changes, from) => {
    const url = new URL((from || wanted || location).href);
    const defaults = { segment: "all", range: "90d" };
    for (const [key, value] of Object.entries(changes)) {
      if (value == null || value === "" || value === defaults[key]) url.searchParams.delete(key);
      else url.searchParams.set(key, value);
    }
    if (move(url)) tell();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.getAttribute("href").startsWith("#")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith("/ui/")) return;
    event.preventDefault();
    if (!move(url)) return;
    for (const other of document.querySelectorAll("[data-pending]")) other.removeAttribute("data-pending");
    link.setAttribute("data-pending", ""); // marked before its page has come
    tell();
  });
  window.addEventListener("popstate", () => {
    if (drawn && same(drawn, location) && !wanted) return;
    ask(new URL(location.href));
    tell();
  });

  const pick = () => {
    const changes = {};
    for (const input of dash_clientside.callback_context.inputs_list[0] || []) {
      const [key, usual = ""] = input.id.pick.split(/=(.*)/s); // the key of the address, and the value that stands for none
      const shown = (wanted ?? new URL(location.href)).searchParams.get(key) ?? usual;
      const value = input.value == null ? null : String(input.value);
      if (value != null && value !== shown) changes[key] = value === usual ? null : value;
    }
    if ("positive" in changes) changes.bin = null; // of another class
    if ("column" in changes) changes.value = null; // of another column
    if (["find", "measure", "segment"].some((key) => key in changes)) changes.page = null; // other rows begin with the first
    if (Object.keys(changes).length) go(changes);
    return dash_clientside.no_update;
  };

  // Text that is typed into a searchable list replaces what is in it.
  let fresh = null;
  const list = (target) => (target.matches?.("main input[aria-haspopup=listbox]") ? target : null);
  document.addEventListener("focusin", ({ target }) => { fresh = list(target); fresh?.select(); });
  document.addEventListener("click", ({ target }) => { if (fresh && target === fresh) fresh.select(); fresh = null; });

  const start = () => {
    wanted = new URL(location.href);
    return place(wanted);
  };

  document.addEventListener("DOMContentLoaded", () => document.getElementById("again").addEventListener("click", () => window.watchkeeper.again()));
  window.watchkeeper = { ...window.watchkeeper, go, away, here: () => wanted ?? location };
  window.dash_clientside = { ...window.dash_clientside, watchkeeper: { ...window.dash_clientside?.watchkeeper, start, pick, commit } };
})();
