"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const say = $("texts").dataset;
  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const prose = (text) => text.split("`").map((piece, index) => (index % 2 ? made("code", { textContent: piece }) : piece));
  let key = null, fields = [], paths = [], current = null, busy = 0, timer = 0;

  const tell = (text, kind = "") => { $("told").textContent = text; $("told").className = kind; };

  const fetched = async (action, body) => {
    try {
      return await fetch(`/${action}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) },
        body: JSON.stringify(body),
      });
    } catch {
      throw new Error(say.gone);
    }
  };

  const refused = async (response) => {
    const answer = await response.json();
    return new Error([answer.error, answer.hint].filter(Boolean).join(" – "));
  };

  const ask = async (action, body) => {
    const response = await fetched(action, body);
    if (!response.ok) throw await refused(response);
    return response.json();
  };

  // An answer in lines, each of them when it is there; the last one is returned.
  const follow = async (action, body, each) => {
    const response = await fetched(action, body);
    if (!response.ok) throw await refused(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "", last = null;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (text + value).split("\n");
      text = lines.pop();
      for (const line of lines) {
        last = JSON.parse(line);
        each(last);
      }
    }
    if (!last) throw new Error(say.gone);
    return last;
  };

  // --- the list

  const list = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    $("list").replaceChildren(...paths
      .filter((path) => words.every((word) => path.toLowerCase().includes(word)))
      .slice(0, 500)
      .map((path) => {
        const button = made("button", { type: "button", textContent: path.split("/").pop().replace(/\.yaml$/, ""), title: path });
        if (current?.path === path) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => open(path));
        return made("li", {}, button);
      }));
  };

  // --- the fields

  const control = (field, id) => {
    const described = { "aria-describedby": `${id}-help ${id}-findings` };
    let input;
    if (field.input === "choice") {
      input = made("select", { id }, made("option", { value: "", textContent: say.none }),
        ...field.choices.map((choice) => made("option", { value: choice, textContent: choice })));
    } else {
      const type = { check: "checkbox", date: "date" }[field.input] ?? "text";
      input = made("input", { id, type, autocomplete: "off", spellcheck: false });
      if (field.input === "number") input.inputMode = "numeric";
    }
    if (field.required) input.setAttribute("aria-required", "true");
    for (const [name, value] of Object.entries(described)) input.setAttribute(name, value);
    input.addEventListener(input.type === "text" ? "input" : "change", changed);
    return input;
  };

  const draw = () => {
    $("fields").replaceChildren(...fields.map((field, index) => {
      const id = `field-${index}`;
      const input = control(field, id);
      const label = made("label", { htmlFor: id, textContent: field.title });
      const hint = [field.help, field.example && `${say.example}: \`${field.example}\`.`, !field.required && field.input !== "check" && `(${say.optional})`];
      const help = made("p", { id: `${id}-help`, className: "quiet" }, ...prose(hint.filter(Boolean).join(" ")));
      const findings = made("ul", { id: `${id}-findings` });
      const head = field.input === "check" ? [made("span", {}, input, label)] : [label, input];
      const box = made("div", { className: "field" }, ...head, help, findings);
      Object.assign(field, { input_element: input, findings_element: findings, box });
      return box;
    }));
  };

  const values = () => Object.fromEntries(fields.map((field) =>
    [field.path, field.input === "check" ? field.input_element.checked : field.input_element.value]));

  const fill = (given) => {
    for (const field of fields) {
      const value = given[field.path] ?? "";
      if (field.input === "check") { field.input_element.checked = value === true; continue; }
      if (field.input === "choice" && value && !field.choices.includes(value)) {
        field.input_element.append(made("option", { value, textContent: value }));
      }
      field.input_element.value = value;
    }
    show();
  };

  const show = () => {
    const now = values();
    for (const field of fields) {
      field.box.hidden = !Object.entries(field.applies).every(([path, allowed]) => allowed.includes(now[path]));
    }
  };

  // --- findings

  const worst = (found) => ["error", "warning", "note"].find((severity) => found.some((item) => item.severity === severity)) ?? "";
  const line = (item) => 
    made("li", { className: item.severity }, ...prose([`${item.rule}: ${item.message}`, item.help].filter(Boolean).join(" – ")));

  const findings = (found) => {
    const placed = new Set();
    for (const field of fields) {
      const own = field.box.hidden ? [] : found.filter((item) => item.path === field.path);
      own.forEach((item) => placed.add(item));
      field.findings_element.replaceChildren(...own.map(line));
      field.box.className = `field ${worst(own)}`;
      field.input_element.setAttribute("aria-invalid", String(worst(own) === "error"));
    }
    const others = found.filter((item) => !placed.has(item));
    $("others").replaceChildren(...others.map(line));
    $("general").hidden = others.length === 0;
  };

  const difference = (lines) => {
    const classes = { "+": "add", "-": "del" };
    $("changes").replaceChildren(...(lines.length
      ? lines.map((item) => made("span", { className: classes[item.sign] ?? "", textContent: `${item.sign} ${item.text}\n` }))
      : [say.no_changes]));
    $("save").disabled = lines.length === 0;
    if ($("test")) $("test").disabled = lines.length > 0 || !current.path;
  };

  const changed = () => {
    show();
    clearTimeout(timer);
    timer = setTimeout(check, 200);
  };

  const check = async () => {
    const mine = ++busy;
    try {
      const answer = await ask("check", { path: current.path, values: values() });
      if (mine !== busy) return; // something was typed meanwhile
      findings(answer.findings);
      difference(answer.difference);
      tell("");
    } catch (error) {
      if (mine === busy) { $("save").disabled = true; tell(error.message, "error"); }
    }
  };

  // --- what the buttons do

  const shown = (answer) => {
    current = answer;
    $("file").textContent = answer.path || say.new;
    $("form").hidden = false;
    $("stages").replaceChildren();
    fill(answer.values);
    findings(answer.findings);
    difference([]);
    list();
  };

  const guarded = (work) => async (...given) => {
    try { await work(...given); } catch (error) { tell(error.message, "error"); }
  };

  const open = guarded(async (path) => { shown(await ask("show", { path })); tell(""); });

  const save = guarded(async () => {
    ++busy;
    shown(await ask("save", { path: current.path, values: values(), state: current.state }));
    paths = (await ask("operators", {})).paths;
    list();
    tell(say.saved, "good");
  });

  const test = guarded(async () => {
    tell(say.testing);
    $("test").disabled = true;
    $("stages").replaceChildren();
    try {
      const shownStage = (stage) =>
        made("li", { textContent: `${stage.outcome === "passed" ? "✓" : "✗"} ${stage.stage} (${stage.milliseconds} ms)` });
      const result = await follow("test", { path: current.path }, (line) => { if (line.stage) $("stages").append(shownStage(line)); });
      if (!("passed" in result)) throw new Error([result.error ?? say.gone, result.hint].filter(Boolean).join(" – "));
      $("stages").replaceChildren(...result.stages.map(shownStage));
      const why = [result.cause, result.detail, result.remedy].filter(Boolean);
      tell([result.passed ? say.passed : say.failed, ...why].join(" "), result.passed ? "good" : "error");
    } finally {
      $("test").disabled = false;
    }
  });

  $("search").addEventListener("input", list);
  $("new").addEventListener("click", () => {
    shown({ path: "", values: { enabled: true, role: "standard" }, state: "", findings: [] });
    fields[0].input_element.focus();
  });
  $("form").addEventListener("submit", (event) => { event.preventDefault(); save(); });
  $("test")?.addEventListener("click", test);

  const begin = guarded(async () => {
    const once = location.hash.slice(1);
    history.replaceState(null, "", "/");
    if (once) {
      try { sessionStorage.setItem("key", (await ask("begin", { once })).key); } catch { /* used already: perhaps here */ }
    }
    key = sessionStorage.getItem("key");
    if (!key) throw new Error(say.closed);
    const answer = await ask("operators", {});
    [fields, paths] = [answer.fields, answer.paths];
    draw();
    list();
  });
  begin();
})();
