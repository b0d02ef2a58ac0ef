"use strict";
// The page can be read without this. It finds, filters, sorts and folds what is there, and loads nothing.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const $ = (id) => document.getElementById(id);
  const body = $("machines").tBodies[0];
  const rows = [...body.rows].map((row, at) => ({
    row, at, name: row.cells[0].textContent, groups: row.cells[1].textContent, outcome: Number(row.dataset.o),
    profile: row.dataset.p, text: (row.cells[0].textContent + " " + row.cells[1].textContent + " " +
      row.cells[3].textContent).toLowerCase(),
  }));
  const cases = new Map([...document.querySelectorAll("[data-c]")].map((p) => [p.id, new Set(p.dataset.c.split(" "))]));
  const chips = [...document.querySelectorAll("button[data-o]")];
  const state = { q: "", o: new Set(), g: "", c: "" };

  const show = () => {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const one of rows) {
      const fits = words.every((word) => one.text.includes(word)) && (!state.o.size || state.o.has(one.outcome)) &&
        (!state.g || one.groups.split(", ").includes(state.g)) && (!state.c || (cases.get(one.profile)?.has(state.c) ?? false));
      one.row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    $("shown").textContent = `${shown} of ${rows.length} machines`;
    for (const chip of chips) chip.setAttribute("aria-pressed", state.o.has(Number(chip.dataset.o)));
    $("search").value = state.q;
    $("group").value = state.g;
    const one = state.c && $(state.c);
    $("of-case").hidden = !state.c;
    $("of-case").textContent = one ? `only: ${one.querySelector("summary").textContent.trim()} ✕` : `only: ${state.c} ✕`;
  };
  const link = () => {
    const parts = new URLSearchParams();
    if (state.q) parts.set("q", state.q);
    if (state.o.size) parts.set("o", [...state.o].sort().join("."));
    if (state.g) parts.set("g", state.g);
    if (state.c) parts.set("c", state.c);
    history.replaceState(null, "", parts.size ? `#?${parts}` : location.pathname + location.search);
  };
  const change = () => { show(); link(); };
  const read = () => {
    const hash = location.hash;
    if (hash.startsWith("#?")) {
      const parts = new URLSearchParams(hash.slice(2));
      state.q = parts.get("q") ?? "";
      state.o = new Set((parts.get("o") ?? "").split(".").filter(Boolean).map(Number));
      state.g = parts.get("g") ?? "";
      state.c = parts.get("c") ?? "";
      show();
      $("of-machines").scrollIntoView();
      return;
    }
    // A link to something that is folded opens it.
    const found = hash.length > 1 && $(decodeURIComponent(hash.slice(1)));
    if (found instanceof HTMLDetailsElement) found.open = true;
    if (found) found.scrollIntoView();
  };
  let order = { by: "", up: true };
  const sort = (by, head) => {
    order = { by, up: order.by === by ? !order.up : true };
    const sign = order.up ? 1 : -1;
    const compare = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;
    rows.sort((a, b) => (by === "outcome" ? sign * (b.outcome - a.outcome) : sign * compare(a[by], b[by])) || a.at - b.at);
    body.append(...rows.map((one) => one.row));
    for (const th of head.closest("tr").cells) th.removeAttribute("aria-sort");
    head.closest("th").setAttribute("aria-sort", order.up ? "ascending" : "descending");
  };
  const fold = (open) => { for (const one of document.querySelectorAll("details")) one.open = open; };
  const clear = () => { Object.assign(state, { q: "", o: new Set(), g: "", c: "" }); change(); };

  $("search").addEventListener("input", (event) => { state.q = event.target.value; change(); });
  $("group").addEventListener("change", (event) => { state.g = event.target.value; change(); });
  $("of-case").addEventListener("click", () => { state.c = ""; change(); });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const outcome = Number(chip.dataset.o);
      if (!state.o.delete(outcome)) state.o.add(outcome);
      change();
      $("of-machines").scrollIntoView();
    });
  }
  for (const head of document.querySelectorAll("button[data-sort]")) {
    head.addEventListener("click", () => sort(head.dataset.sort, head));
  }
  for (const only of document.querySelectorAll("button[data-only]")) {
    only.addEventListener("click", () => { clear(); state.c = only.dataset.only; change(); $("of-machines").scrollIntoView(); });
  }
  $("open").addEventListener("click", () => fold(true));
  $("close").addEventListener("click", () => fold(false));
  $("clear").addEventListener("click", clear);
  $("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") { clear(); event.target.blur(); }
    else if (typing) return;
    else if (event.key === "/") { event.preventDefault(); $("search").focus(); }
    else if (event.key === "o") fold(true);
    else if (event.key === "f") fold(false);
    else if (event.key === "t") $("theme").click();
  });
  addEventListener("beforeprint", () => fold(true));
  addEventListener("hashchange", read);
  show();
  read();
})();
