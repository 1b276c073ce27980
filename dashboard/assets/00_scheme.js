// In the head, not deferred: the theme before the first paint, and the nonce for the styles that Dash, Mantine and plotly add.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("mantine-color-scheme-value"); } catch (error) { /* storage is closed: follow the system */ }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.mantineColorScheme = /^(light|dark)$/.test(chosen) ? chosen : dark ? "dark" : "light";
  const nonce = document.currentScript.nonce;
  const plain = Document.prototype.createElement;
  if (nonce) Document.prototype.createElement = function (...given) {
    const element = plain.apply(this, given);
    if (element.nodeName === "STYLE") element.nonce = nonce;
    return element;
  };
})();
