"use strict";
// The page can be read without this. It finds, filters, sorts and folds what is there, and loads nothing.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const $ = (id) => document.getElementById(id);
  const body = $("machines").tBodies[0];
  // Machines that are alike, by the id of their profile: the cases, and the specs that ask for something.
  const profiles = new Map([...document.querySelectorAll("details[data-c]")].map((profile) => [profile.id, {
    cases: new Set(profile.dataset.c.split(" ")),
    specs: [...profile.querySelectorAll("td:first-child")].map((cell) => cell.textContent).join(" "),
  }]));
  // A machine whose profile did not fit on the page names its cases itself.
  const own = (ids) => ({ cases: new Set(ids), specs: ids.map((id) => $(id).dataset.s).join(" ") });
  const more = $("machines").dataset.more;
  const rows = [...body.rows].map((row, at) => {
    const [name, groups, , specs] = [...row.cells].map((cell) => cell.textContent);
    const profile = profiles.get(row.dataset.p) ?? (row.dataset.c && own(row.dataset.c.split(" ")));
    return {
      row, at, name, groups, outcome: Number(row.dataset.o), numbers: (row.dataset.g ?? "").split(" "), profile,
      text: [name, groups, specs, profile?.specs ?? ""].join(" ").toLowerCase(),
    };
  });
  const chips = [...document.querySelectorAll("button[data-o]")];
  const state = { q: "", o: new Set(), g: "", c: "" };

  const show = () => {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    $("group").value = state.g;
    const group = String($("group").selectedIndex - 1);
    const cases = state.c.split(" ").filter(Boolean);
    let shown = 0;
    for (const one of rows) {
      const fits = words.every((word) => one.text.includes(word)) && (!state.o.size || state.o.has(one.outcome)) &&
        (!state.g || one.numbers.includes(group)) && (!cases.length || cases.some((id) => one.profile?.cases.has(id)));
      one.row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    $("shown").textContent = `${shown} of ${rows.length} machines${more ? `, and ${more} that are not on this page` : ""}`;
    for (const chip of chips) chip.setAttribute("aria-pressed", state.o.has(Number(chip.dataset.o)));
    if ($("search").value !== state.q) $("search").value = state.q;
    const titles = cases.map((id) => $(id)?.querySelector("summary")?.textContent.trim() ?? id);
    $("of-case").hidden = !cases.length;
    $("of-case").textContent = `only: ${titles.length > 1 ? `${titles[0]} and ${titles.length - 1} more` : titles[0]} ✕`;
  };
  const link = () => {
    const parts = new URLSearchParams();
    if (state.q) parts.set("q", state.q);
    if (state.o.size) parts.set("o", [...state.o].sort().join("."));
    if (state.g) parts.set("g", state.g);
    if (state.c) parts.set("c", state.c);
    try {
      history.replaceState(null, "", parts.size ? `#?${parts}` : location.pathname + location.search);
    } catch {
      // A frame without an address, or too many of them: the page works without the link.
    }
  };
  const change = () => { show(); link(); };
  const machines = () => $("of-machines").scrollIntoView();
  const read = () => {
    const hash = location.hash;
    if (hash.startsWith("#?")) {
      const parts = new URLSearchParams(hash.slice(2));
      state.q = parts.get("q") ?? "";
      state.o = new Set((parts.get("o") ?? "").split(".").filter(Boolean).map(Number));
      state.g = parts.get("g") ?? "";
      state.c = parts.get("c") ?? "";
      show();
      machines();
      return;
    }
    // A link to something that is folded opens it.
    const found = hash.length > 1 && $(hash.slice(1));
    if (found instanceof HTMLDetailsElement) found.open = true;
    if (found) found.scrollIntoView();
  };
  const pad = () => {
    const bar = document.querySelector(".tools");
    root.style.scrollPaddingTop = getComputedStyle(bar).position === "sticky" ? `${bar.offsetHeight + 8}px` : "";
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

  $("search").addEventListener("input", (event) => { state.q = event.target.value; change(); machines(); });
  $("group").addEventListener("change", (event) => { state.g = event.target.value; change(); machines(); });
  $("of-case").addEventListener("click", () => { state.c = ""; change(); });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const outcome = Number(chip.dataset.o);
      if (!state.o.delete(outcome)) state.o.add(outcome);
      change();
      machines();
    });
  }
  for (const head of document.querySelectorAll("button[data-sort]")) {
    head.addEventListener("click", () => sort(head.dataset.sort, head));
  }
  for (const only of document.querySelectorAll("[data-only]")) {
    only.addEventListener("click", (event) => {
      event.preventDefault();
      Object.assign(state, { q: "", o: new Set(), g: "", c: only.dataset.only });
      change();
      machines();
    });
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
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    fold(true);
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
  addEventListener("hashchange", read);
  // The bar, where it stays at the top, covers nothing that a link or the tab key leads to.
  new ResizeObserver(pad).observe(document.querySelector(".tools"));
  show();
  pad();
  read();
})();
