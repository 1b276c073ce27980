// Buttons that act. The effect is shown first; what a silence would hold, how much would be sent again, or what applying would do, is asked of the API. A request that is refused says why.
(() => {
  const send = (path, body, method = "POST") => {
    const yaml = typeof body.yaml === "string"; // a definition that is applied
    const headers = { "content-type": yaml ? "application/yaml" : "application/json" };
    return fetch(path, { method, headers, body: yaml ? body.yaml : JSON.stringify(body), credentials: "same-origin" });
  };
  const after = (seconds) => new Date(Date.now() + 1000 * seconds).toISOString();
  const refused = async (answer) => {
    const problem = await answer.json().catch(() => ({}));
    window.alert([problem.detail ?? problem.title ?? `The server answered ${answer.status}.`, problem.remedy].filter(Boolean).join("\n"));
  };

  const act = async (button) => {
    const { act: path, effect, ask, question, until, field, dry, method, counted } = button.dataset;
    const body = JSON.parse(button.dataset.body);
    if (until) body[field] = after(Number(until));
    let said = effect;
    if (dry) {
      const answer = await send(`${path}${path.includes("?") ? "&" : "?"}dry_run=true`, body);
      if (!answer.ok) return refused(answer);
      const { effect: would, advice, items } = await answer.json();
      const told = items
        ? items.map(({ kind, name, result }) => `${kind} ${name}: ${result}`)
        : [`${would.count} ${counted.split("|")[would.count === 1 ? 0 : 1]} now.`, advice];
      said = [effect, ...told].filter(Boolean).join("\n");
    }
    if (ask) {
      const given = window.prompt(`${said}\n${question}`);
      if (given === null) return;
      body[ask] = given;
    } else if (!window.confirm(said)) return;
    const answer = await send(path, body, method);
    if (!answer.ok) return refused(answer);
    const { advice } = (await answer.json().catch(() => null)) ?? {};
    if (advice && !dry) window.alert(advice); // with `dry` it was said before
    location.reload();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-act]");
    if (!button || button.disabled) return;
    button.disabled = true; // one request for two clicks
    act(button).catch(() => window.alert("There is no connection. Nothing was changed, or it is not known.")).finally(() => { button.disabled = false; });
  });
})();
