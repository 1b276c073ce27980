// Charts: colours by name come from the style sheet, in the theme of the page; a person's zoom survives a refresh; a click selects a window.
(() => {
  const root = document.documentElement;
  const paint = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  const tinted = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? paint(value) : value;
    if (Array.isArray(value)) {
      const plain = value.slice(0, 2).every((item) => item === null || typeof item === "number"); // rows of numbers hold no colours
      return plain ? value : value.map(tinted);
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

  // On a telephone the plot takes the whole width: thresholds are named inside of it, and the scale of a heat map is above it.
  const phone = matchMedia("(max-width: 700px)");
  const narrow = (figure) => {
    const { layout, data } = figure;
    if (!phone.matches || !layout) return figure;
    const map = data.some((trace) => trace.type === "heatmap");
    const axes = Object.entries(layout).filter(([name]) => /^yaxis\d*$/.test(name)).map(([name, axis]) => [name, { ...axis, title: { ...axis.title, text: "" } }]);
    return {
      data: data.map((trace) => (trace.type !== "heatmap" ? trace : { ...trace, colorbar: {
        ...trace.colorbar, orientation: "h", x: 0.5, y: 1.01, yanchor: "bottom", thickness: 8, title: { ...trace.colorbar.title, text: trace.colorbar.title.text.replace("<br>", " "), side: "top" },
      } })),
      layout: {
        ...layout, ...Object.fromEntries(axes), height: layout.height + (map ? 52 : 0),
        margin: { ...layout.margin, l: 40, r: 10, ...(map ? { t: 64 } : {}) },
        legend: { ...layout.legend, font: { size: 11 }, entrywidth: 0.49, entrywidthmode: "fraction" }, // two beside one another
        annotations: layout.annotations?.map((label) => (label.xanchor === "left" ? { ...label, xanchor: "right", xshift: 0, bgcolor: "--ground", borderpad: 0, yanchor: label.yshift < 0 ? "top" : "bottom", yshift: 0 } : label)),
        xaxis: { ...layout.xaxis, tickangle: 0, ...(layout.xaxis?.type === "date" ? { nticks: map ? 3 : 4 } : {}) },
        ...(layout.xaxis2 ? { xaxis2: { ...layout.xaxis2, tickangle: 90, title: { ...layout.xaxis2.title, text: layout.xaxis2.title.text.replace(" and ", "<br>and ") } } } : {}),
      },
    };
  };

  // A refresh makes the chart again, so the ranges that the person chose are kept here, by page, chart and uirevision.
  const zooms = new Map();
  const axes = (layout) => Object.fromEntries(Object.entries(layout || {}).filter(([name, axis]) => /^[xy]axis\d*$/.test(name) && axis.range).map(([name, axis]) => [name, [...axis.range]]));
  const place = (gd) => `${location.pathname}#${gd.closest(".dash-graph")?.id ?? gd.id}`;
  const zoomed = (gd, layout) => {
    if (layout.uirevision === undefined) return layout;
    if (gd.home?.revision !== layout.uirevision) gd.home = { revision: layout.uirevision, ranges: axes(layout) };
    const kept = zooms.get(place(gd));
    if (kept?.revision !== layout.uirevision) return layout;
    const changed = Object.entries(kept.ranges).map(([name, range]) => [name, { ...layout[name], range, autorange: false }]);
    return { ...layout, ...Object.fromEntries(changed) };
  };
  const remember = (gd) => {
    if (!gd.home) return;
    const moved = Object.entries(axes(gd.layout)).filter(([name, range]) => gd.layout[name].autorange === false && String(range) !== String(gd.home.ranges[name]));
    if (moved.length) zooms.set(place(gd), { revision: gd.home.revision, ranges: Object.fromEntries(moved) });
    else zooms.delete(place(gd));
  };

  // Time charts: a click selects a window, a brush selects the period. A window is known by its start in `customdata`, not by where plotly
  // drew the point; the times that plotly gives back are UTC without a zone.
  const START = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
  const choose = (event, meta) => {
    const starts = event.points.map((point) => [point.customdata].flat()[0]).filter((start) => START.test(start));
    if (starts.length) window.watchkeeper.go({ window: starts[0] }, meta.page && new URL(meta.page, location.origin));
  };
  const utc = (text) => {
    const seconds = Math.round(Date.parse(`${text.replace(" ", "T")}${text.length > 10 ? "" : "T00:00"}Z`) / 1000);
    return new Date(seconds * 1000).toISOString().replace(".000", "");
  };
  const brush = (event) => {
    const [from, to] = (event["xaxis.range"] ?? [event["xaxis.range[0]"], event["xaxis.range[1]"]]).map((text) => text && utc(text));
    if (!from || !to) return;
    const window_ = new URLSearchParams(location.search).get("window");
    const kept = !window_ || (from <= window_ && window_ < to) ? {} : { window: null };
    window.watchkeeper.go({ from, to, ...kept });
  };
  // A map of segments over time: a brush or a click selects cells, named by the rows in `meta` and by times. What was dragged is no zoom: the map keeps its ranges.
  const select = (meta, times, rows) => window.watchkeeper.go({ cells: JSON.stringify([...times, ...meta.rows.slice(rows[0], rows[1] + 1)]) });
  // The start of the window after one. Windows of a calendar are not as long as the slots in which they are drawn.
  const next = (starts, start, meta) => starts.find((one) => one > start) ?? new Date(Date.parse(start) + meta.step * 1000).toISOString().replace(".000", "");
  const mark = (gd, event) => {
    const { meta } = gd.layout, { xaxis, yaxis } = gd.figureByName.layout;
    const range = (axis, whole) => event[`${axis}.range`] ?? (event[`${axis}.range[0]`] === undefined ? whole : [event[`${axis}.range[0]`], event[`${axis}.range[1]`]]);
    if (gd.settling || !Object.keys(event).some((key) => key.includes("range["))) return;
    const starts = gd.figureByName.data[0].customdata[0], slot = (text) => (Date.parse(utc(text)) - Date.parse(xaxis.range[0])) / (meta.step * 1000);
    const [from, to] = range("xaxis", xaxis.range), rows = range("yaxis", yaxis.range).map(Number).sort((a, b) => a - b);
    gd.settling = true;
    plotly.relayout(gd, { "xaxis.range": [...xaxis.range], "yaxis.range": [...yaxis.range] }).then(() => { gd.settling = false; });
    const low = Math.min(starts.length - 1, Math.max(0, Math.floor(slot(from)))), high = Math.min(starts.length, Math.max(low + 1, Math.ceil(slot(to))));
    select(meta, [starts[low], next(starts, starts[high - 1], meta)], [Math.max(0, Math.round(rows[0])), Math.min(meta.rows.length - 1, Math.round(rows[1]))]);
  };
  const cell = (gd, event) => {
    const { customdata, pointIndex } = event.points[0], { meta } = gd.layout;
    const start = [customdata].flat()[0];
    select(meta, [start, next(gd.figureByName.data[0].customdata[0], start, meta)], [pointIndex[0], pointIndex[0]]);
  };
  const onTime = (gd, then, picks = ["window", "span"]) => (event) => { if (picks.includes(gd.layout?.meta?.pick)) then(event, gd.layout.meta); };

  const finish = (gd) => {
    for (const svg of gd.querySelectorAll(".main-svg")) svg.setAttribute("aria-hidden", "true");
    if (!gd.watched && gd.on) {
      gd.watched = true;
      gd.on("plotly_relayout", () => remember(gd));
      gd.on("plotly_click", onTime(gd, choose, ["window"]));
      gd.on("plotly_click", onTime(gd, (event) => {
        const to = event.points[0].customdata?.[0];
        if (to) window.watchkeeper.go({}, new URL(to, location.origin));
      }, ["address", "span"]));
      gd.on("plotly_relayout", onTime(gd, brush));
      gd.on("plotly_doubleclick", onTime(gd, () => window.watchkeeper.go({ from: null, to: null })));
      gd.on("plotly_relayout", onTime(gd, (event) => mark(gd, event), ["cells"]));
      gd.on("plotly_click", onTime(gd, (event) => cell(gd, event), ["cells"]));
      gd.on("plotly_doubleclick", onTime(gd, () => window.watchkeeper.go({ cells: null }), ["cells"]));
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
        element.figureByName = figure;
        drawn.add(element);
        const fitted = narrow(figure);
        const layout = zoomed(element, fitted.layout || {});
        if (layout.height) element.closest(".dash-graph")?.style.setProperty("height", `${layout.height}px`);
        return original.call(plotly, gd, { ...figure, data: tinted(fitted.data), layout: { ...tinted(layout), template: template() } }, ...rest).then(finish);
      };
    }
    return plotly;
  };
  // It is there already, or set later. While it is being fetched, Dash's loader gets its promise and does not fetch it again.
  let plotly = dress(window.Plotly);
  Object.defineProperty(window, "Plotly", { configurable: true, get: () => plotly ?? window.watchkeeper.plotly, set: (next) => { plotly = dress(next); } });

  const repaint = () => {
    root.style.colorScheme = root.dataset.mantineColorScheme;
    for (const gd of drawn) {
      if (!gd.isConnected) drawn.delete(gd);
      else if (gd.figureByName) plotly.react(gd, gd.figureByName, gd._context);
    }
  };
  new MutationObserver(repaint).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  // The scale of a heat map cannot be turned: it leaves its words and its margin behind. So it is taken away first.
  const turn = async () => {
    for (const gd of [...drawn].filter((gd) => gd.isConnected && gd.figureByName?.data?.some((trace) => trace.type === "heatmap"))) {
      const figure = gd.figureByName;
      await plotly.react(gd, { ...figure, data: figure.data.map((trace) => ({ ...trace, showscale: false })) }, gd._context);
      gd.figureByName = figure;
    }
    repaint();
  };
  phone.addEventListener("change", turn);
  repaint();
})();
