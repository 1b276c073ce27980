// The connection: failed requests are sent again, the page says since when there has been no connection, and polls for changes.
(() => {
  const BEAT = 15000; // milliseconds between two polls for changes
  const AGAIN = 2000; // between two attempts while the server is away
  const PATIENCE = 10000; // milliseconds after which a poll has failed
  const root = document.documentElement;
  const plain = window.fetch.bind(window);
  const pending = new Set(); // requests under way
  const newest = new Map(); // by output of a callback: the request that counts
  const waiting = []; // requests that wait for the server
  let pressed = false;
  for (const name of ["pointerdown", "pointerup", "pointercancel"]) window.addEventListener(name, () => { pressed = name === "pointerdown"; }, true);

  const away = () => root.hasAttribute("data-away");
  const lost = () => {
    if (away()) return;
    root.setAttribute("data-away", "");
    window.watchkeeper.away(true);
    beat(AGAIN);
  };
  const back = () => {
    if (!away()) return;
    root.removeAttribute("data-away");
    window.watchkeeper.away(false);
    for (const control of pending) control.abort(); // sent before the server went away: no answer will come
    for (const go of waiting.splice(0)) go();
    tag = null;
    stale = true;
    ask();
  };
  const failed = (answer) => !answer || [502, 503, 504].includes(answer.status);

  // The session is over: after the log-in the browser comes back to this address, or to the one that was chosen.
  const leave = () => {
    const { pathname, search } = window.watchkeeper.here();
    location.assign("/login?next=" + encodeURIComponent(pathname + search));
  };

  // A refresh waits while a list is open or something is dragged.
  const held = () => pressed || document.querySelector("main [aria-expanded=true]");
  const calm = async () => { while (held()) await new Promise((go) => setTimeout(go, 100)); };

  const attempt = async (resource, options) => {
    const control = new AbortController();
    pending.add(control);
    try {
      const answer = await plain(resource, { ...options, signal: control.signal });
      const body = [204, 304].includes(answer.status) ? null : await answer.arrayBuffer(); // the whole body: the server can go away in the middle of it
      return new Response(body, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
    } catch (error) {
      return control.signal.aborted ? undefined : null;
    } finally {
      pending.delete(control);
    }
  };

  window.fetch = async (resource, options = {}) => {
    const path = new URL(resource.url ?? resource, location.href).pathname;
    if (!path.startsWith("/ui/_dash-")) return plain(resource, options);
    const asked = options.body && path.endsWith("_dash-update-component") ? JSON.parse(options.body) : {};
    const turn = Symbol(path);
    newest.set(asked.output ?? path, turn);
    for (;;) {
      if (away()) await new Promise((go) => waiting.push(go));
      if (newest.get(asked.output ?? path) !== turn) return new Promise(() => {}); // a later request replaces it
      const answer = await attempt(resource, options);
      if (answer === undefined) continue;
      if (answer?.status === 401) {
        leave();
        return new Promise(() => {});
      }
      if (!failed(answer)) {
        back();
        if (asked.changedPropIds?.includes("version.data")) await calm();
        return answer;
      }
      lost();
    }
  };

  let id = null; // the id of the store that holds the version
  let tag = null;
  let stale = false; // the page was drawn before the server went away
  let timer;
  const beat = (pause) => { clearTimeout(timer); timer = setTimeout(ask, pause); };
  const ask = async () => {
    clearTimeout(timer);
    if (!document.hidden && !held()) {
      let answer = null, body = null;
      try {
        const come = await plain("/v1/version", { headers: tag ? { "If-None-Match": tag } : {}, signal: AbortSignal.timeout(PATIENCE) });
        body = await come.text(); // the whole body: the server can stop in the middle of it
        answer = come;
      } catch (error) { /* away */ }
      if (answer?.status === 401) return leave();
      if (failed(answer)) lost();
      else if (away()) return back();
      else if (answer.ok) {
        const first = tag === null && !stale; // the page has just been drawn
        stale = false;
        tag = answer.headers.get("etag");
        const version = JSON.parse(body).version;
        if (!first && id) dash_clientside.set_props(id, { data: version });
      }
    }
    beat(away() ? AGAIN : BEAT);
  };
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  beat(BEAT); // the first answers may never come
  const watch = (store) => { id = store; ask(); return dash_clientside.no_update; };

  window.watchkeeper = { ...window.watchkeeper, again: ask };
  window.dash_clientside = { ...window.dash_clientside, watchkeeper: { ...window.dash_clientside?.watchkeeper, watch } };
})();
