// Charts: colours by name from the style sheet, in one theme with the page; a reader's zoom survives a refresh; a click chooses a window.
(() => {
  const root = document.documentElement;
  const paint = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  const tinted = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? paint(value) : value;
    if (Array.isArray(value)) {
      const first = value.find((item) => item !== null);
      return typeof first === "string" || typeof first === "object" ? value.map(tinted) : value;
    }
    if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tinted(item)]));
    }
    return value;
  };

  const template = () => {
    const axis = { gridcolor: paint("--line"), zerolinecolor: paint("--line"), linecolor: paint("--line"), automargin: true };
    return { layout: {
      paper_bgcolor: paint("--ground"), plot_bgcolor: paint("--ground"), font: { color: paint("--ink") }, xaxis: axis, yaxis: axis,
      modebar: { color: paint("--quiet"), activecolor: paint("--accent"), bgcolor: "rgba(0,0,0,0)" },
      hoverlabel: { bgcolor: paint("--raised"), bordercolor: paint("--line"), font: { color: paint("--ink") } },
    } };
  };

  // Dash copies the zoom into the figure and reacts again, which empties plotly's own memory of it.
  const zoomed = (now, next) => {
    const kept = {};
    if (now && next.uirevision !== undefined && next.uirevision === now.uirevision) {
      for (const key in now) {
        if (/^[xy]axis\d*$/.test(key) && now[key].autorange === false && now[key].range && gone(now[key].range, next[key]?.range)) {
          kept[key] = { ...next[key], range: now[key].range, autorange: false };
        }
      }
    }
    return { ...next, ...kept };
  };
  const gone = (now, next) => !next || String(now) !== String(next);

  const chosen = (event) => {
    const layout = event.points[0].fullData && event.points[0].xaxis;
    if (!layout) return;
    const at = event.points[0].x;
    const time = new Date(typeof at === "number" ? at : at.replace(" ", "T") + (/:/.test(at) ? "Z" : "T00:00Z"));
    if (!Number.isNaN(time.valueOf())) window.watchkeeper.go({ window: time.toISOString().replace(/\.\d+Z$/, "Z") });
  };

  const finish = (gd) => {
    for (const svg of gd.querySelectorAll(".main-svg")) svg.setAttribute("aria-hidden", "true");
    if (!gd.watched && gd.on) {
      gd.watched = true;
      gd.on("plotly_click", (event) => { if (gd.layout?.meta?.pick === "window") chosen(event); });
    }
    return gd;
  };

  const drawn = new Set();
  let plain = {};
  const dress = (plotly) => {
    for (const name of plotly?.react ? ["react", "newPlot"] : []) {
      const original = plain[name] = plotly[name];
      plotly[name] = (gd, figure, ...rest) => {
        if (Array.isArray(figure)) return original.call(plotly, gd, figure, ...rest);
        const element = typeof gd === "string" ? document.getElementById(gd) : gd;
        const layout = zoomed(element.layout, figure.layout || {});
        element.figureByName = figure;
        drawn.add(element);
        return original.call(plotly, gd, { ...figure, data: tinted(figure.data), layout: { ...tinted(layout), template: template() } }, ...rest).then(finish);
      };
    }
    return plotly;
  };
  let plotly = dress(window.Plotly); // there already, or set later by Dash's lazy loader
  Object.defineProperty(window, "Plotly", { configurable: true, get: () => plotly, set: (next) => { plotly = dress(next); } });

  const repaint = () => {
    root.style.colorScheme = root.dataset.mantineColorScheme;
    for (const gd of drawn) {
      if (!gd.isConnected) drawn.delete(gd);
      else if (gd.figureByName) plotly.react(gd, gd.figureByName, gd._context);
    }
  };
  new MutationObserver(repaint).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  repaint();
})();
