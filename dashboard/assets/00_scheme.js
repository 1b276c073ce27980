// In the head, not deferred: sets the theme before the first paint, sets the nonce for the styles that Dash, Mantine and plotly add,
// handles a script that cannot be loaded, and fetches plotly while the page is requested and not after.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("mantine-color-scheme-value"); } catch (error) { /* storage is closed: follow the system */ }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.mantineColorScheme = /^(light|dark)$/.test(chosen) ? chosen : dark ? "dark" : "light";
  const { nonce, dataset } = document.currentScript;
  const plain = Document.prototype.createElement;
  if (nonce) Document.prototype.createElement = function (...given) {
    const element = plain.apply(this, given);
    if (element.nodeName === "STYLE") element.nonce = nonce;
    return element;
  };

  // Without one of its scripts nothing can be drawn: say so, and load everything again once the server answers.
  const reload = async () => {
    try {
      if ((await fetch(location.href)).ok) return location.reload();
    } catch (error) { /* still away */ }
    setTimeout(reload, 2000);
  };
  window.addEventListener("error", ({ target }) => {
    if (target?.nodeName !== "SCRIPT" || window.watchkeeper.reloading) return;
    window.watchkeeper.reloading = true;
    const since = new Date().toISOString().slice(0, 16).replace("T", " ");
    document.documentElement.setAttribute("data-away", "");
    document.getElementById("away").hidden = false;
    document.getElementById("away-text").textContent = `No connection since ${since} UTC, trying again. This page has not been loaded.`;
    document.getElementById("again").addEventListener("click", reload);
    setTimeout(reload, 2000);
  }, true);

  window.watchkeeper = {};
  Object.defineProperty(window, "_dashPlotlyJSURL", { get: () => dataset.plotly, set: () => {} });
  const plotly = () => {
    window.watchkeeper.plotly = new Promise((loaded) => {
      const script = Object.assign(document.createElement("script"), { src: dataset.plotly, async: true });
      script.addEventListener("load", () => { delete window.watchkeeper.plotly; loaded(); });
      document.head.append(script);
    });
  };
  if (/^\/ui\/(models|alerts)\/./.test(location.pathname)) plotly();
  else window.addEventListener("load", () => setTimeout(plotly)); // the next page has charts
})();
