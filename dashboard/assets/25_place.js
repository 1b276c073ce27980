// A page that is drawn again stays as the person left it: open details stay open, the focus and the scroll positions of lists stay.
(() => {
  const named = (element) => element.getAttribute("aria-label") || element.querySelector(":scope > .head h2, :scope h2, :scope > summary")?.textContent || "";
  // The path of an element by names, which is the same before and after.
  const called = (element) => {
    const names = [element.tagName, element.id, element.getAttribute("aria-label") || element.textContent.trim().slice(0, 200)];
    for (let outer = element.parentElement; outer && outer.id !== "view"; outer = outer.parentElement) {
      if (outer.matches("section, article, nav, [role=group], [role=region]")) names.push(named(outer));
    }
    return names.join(" / ");
  };
  const nth = (element, all) => [...all].filter((other) => called(other) === called(element)).indexOf(element);
  const key = (element, selector) => `${location.pathname} ${called(element)} ${nth(element, document.querySelectorAll(selector))}`;

  const LISTS = "#view .scroll, #view details ul";
  const opened = new Map(); // <details> that the person has opened or closed
  const scrolled = new Map();
  document.addEventListener("toggle", (event) => { if (event.target.matches("#view details")) opened.set(key(event.target, "#view details"), event.target.open); }, true);
  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.(LISTS)) scrolled.set(key(event.target, LISTS), [event.target.scrollLeft, event.target.scrollTop]);
  }, true);

  let held = null; // where the focus is: the element, and how to find it again
  document.addEventListener("focusin", ({ target }) => {
    held = target === document.body ? null : { target, tag: target.tagName, name: called(target), href: target.getAttribute("href"), nth: nth(target, document.querySelectorAll(target.tagName)) };
  });
  document.addEventListener("focusout", ({ target }) => queueMicrotask(() => { if (held?.target === target && target.isConnected && document.activeElement !== target) held = null; }));
  const refocus = () => {
    if (!held || held.target.isConnected || document.activeElement !== document.body) return;
    const all = [...document.querySelectorAll(held.tag)];
    const alike = all.filter((element) => called(element) === held.name);
    const found = alike[held.nth] ?? alike[0] ?? all.find((element) => held.href && element.getAttribute("href") === held.href);
    (found ?? document.getElementById("view"))?.focus({ preventScroll: true });
  };

  const seen = new WeakSet();
  const restore = () => {
    for (const details of document.querySelectorAll("#view details")) {
      if (seen.has(details)) continue;
      seen.add(details);
      if (opened.get(key(details, "#view details"))) details.open = true;
    }
    for (const list of document.querySelectorAll(LISTS)) {
      if (seen.has(list)) continue;
      seen.add(list);
      const [left, top] = scrolled.get(key(list, LISTS)) ?? [0, 0];
      if (left || top) list.scrollTo(left, top);
    }
    refocus();
  };
  const big = (node) => node.nodeType === Node.ELEMENT_NODE && !(node instanceof SVGElement);
  new MutationObserver((changes) => { if (changes.some((change) => change.target.closest("#view, #nav") && [...change.addedNodes].some(big))) restore(); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
