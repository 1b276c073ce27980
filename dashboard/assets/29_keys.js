// In a list of episodes j and k go to the next and the one before; Enter opens it, as it does for every link.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !["j", "k"].includes(event.key)) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], [role=combobox], [role=grid]")) return;
  const rows = [...document.querySelectorAll(".episodes > .episode h2 a")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest(".episode")?.querySelector("h2 a"));
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), rows.length - 1)];
  next.focus();
  next.closest(".episode").scrollIntoView({ block: "nearest" });
  event.preventDefault();
});
