// The grid of events: its theme follows that of the page; a cell holds text only, and may be a link. Functions are called by name, since the policy forbids code in texts.
(() => {
  const params = (dark) => ({
    backgroundColor: "var(--ground)", foregroundColor: "var(--ink)", headerBackgroundColor: "var(--ground)", headerTextColor: "var(--quiet)", borderColor: "var(--line)",
    accentColor: "var(--accent)", rowHoverColor: "var(--tag-ground)", browserColorScheme: dark ? "dark" : "light", wrapperBorderRadius: 6, fontSize: 13, fontFamily: "inherit", headerFontWeight: 400,
  });
  window.dashAgGridFunctions = { ...window.dashAgGridFunctions, watchkeeperTheme: (theme) => theme.withParams(params(false), "light").withParams(params(true), "dark") };
  const mode = () => { document.documentElement.dataset.agThemeMode = document.documentElement.dataset.mantineColorScheme; };
  new MutationObserver(mode).observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  mode();

  const cell = ({ value }) => {
    if (!value) return null;
    const shown = { className: value.kind || undefined, title: value.text.length > 14 ? value.text : undefined };
    return window.React.createElement(value.href ? "a" : "span", value.href ? { ...shown, href: value.href, tabIndex: -1 } : shown, value.text);
  };
  window.dashAgGridComponentFunctions = { ...window.dashAgGridComponentFunctions, WatchkeeperCell: cell };

  // With the keyboard a cell has the focus, and not the link in it.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.closest?.(".grid .ag-cell")) return;
    event.target.closest(".ag-row")?.closest(".grid")?.querySelector(`.ag-row[row-index="${event.target.closest(".ag-row").getAttribute("row-index")}"] a[href]`)?.click();
  });
})();
