// Keys: / searches, ? helps, [ and ] step through the windows of a model; in a list of episodes j and k go to the next and the one before, and Enter opens it, as it does for every link.
(() => {
  const step = (forward) => {
    const rows = [...document.querySelectorAll(".episodes > .episode h2 a")];
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement?.closest(".episode")?.querySelector("h2 a"));
    const next = rows[at < 0 ? 0 : Math.min(Math.max(at + (forward ? 1 : -1), 0), rows.length - 1)];
    next.focus();
    next.closest(".episode").scrollIntoView({ block: "nearest" });
    return true;
  };
  const turn = (title) => {
    const link = document.querySelector(`#view .kept a:has([title="${title}"])`);
    link?.click();
    return Boolean(link);
  };
  const open = (path) => {
    window.watchkeeper.go({}, new URL(path, location.origin));
    return true;
  };
  const write = () => {
    const field = document.querySelector("#view .find input");
    field?.focus();
    field?.select();
    return Boolean(field);
  };
  // The page of search comes a moment later, and takes the focus when it is drawn.
  const search = () => {
    if (write()) return true;
    open("/ui/search");
    let left = 100;
    const wait = setInterval(() => {
      const there = location.pathname === "/ui/search" && !document.documentElement.hasAttribute("data-busy");
      if ((there && write()) || !(left -= 1)) clearInterval(wait);
    }, 50);
    return true;
  };
  const keys = {
    "/": search,
    "?": () => open("/ui/help"),
    "[": () => turn("Window before"),
    "]": () => turn("Window after"),
    j: () => step(true),
    k: () => step(false),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || (event.altKey && !["[", "]"].includes(event.key)) || !Object.hasOwn(keys, event.key)) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], [role=combobox], [role=grid]")) return;
    if (keys[event.key]()) event.preventDefault();
  });
})();
