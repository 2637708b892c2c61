// The console's own script: it keeps open pages up to date and gives them keys. Every page works without it.
//
// One tab holds the stream of hints and tells the others; each tab fetches the living part of its own page and
// morphs it in place. Nothing that somebody types in, has open or has selected is touched (console.md §10).
(() => {
  "use strict";
  const body = document.body;
  const dull = 40000, poll = 15000, pause = 1000;
  let heard = Date.now(), seq = Number(body.dataset.seq), etag = "", waiting = false, last = 0, source = null, unlock = null;
  let old = "";
  const scope = new Set((body.dataset.scope || "").split(",").filter(Boolean));
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("smsbridge") : null;
  const safe = window.trustedTypes ? trustedTypes.createPolicy("bridge", { createHTML: (text) => text }) : null;
  const main = () => document.getElementById("main");

  // ---- the part of the page that lives

  function parsed(text) {
    return new DOMParser().parseFromString(safe ? safe.createHTML(text) : text, "text/html");
  }

  function settings() {
    return {
      morphStyle: "outerHTML",
      ignoreActiveValue: true,
      callbacks: {
        beforeAttributeUpdated: (name, node) => !(name === "open" && node.nodeName === "DETAILS"),
        beforeNodeMorphed: (now) => !(now.nodeName === "INPUT" && now.type !== "hidden" && now.value !== now.defaultValue),
        beforeNodeRemoved: (now) => now !== document.activeElement,
      },
    };
  }

  function put(page) {
    const ends = [...document.querySelectorAll("[data-end]")].filter((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 40);
    for (const id of ["nav", "main"]) {
      const there = document.getElementById(id), fresh = page.getElementById(id);
      if (there && fresh) Idiomorph.morph(there, fresh, settings());
    }
    const fresh = page.getElementById("main");
    if (fresh) { document.title = fresh.dataset.title; seq = Math.max(seq, Number(fresh.dataset.seq)); }
    for (const talk of ends) talk.scrollTop = talk.scrollHeight;
    document.querySelectorAll(".fresh").forEach((e) => e.remove());
    tick();
  }

  const busy = () => {
    const focus = document.activeElement, selection = getSelection();
    const typing = focus && main().contains(focus) && /^(INPUT|TEXTAREA|SELECT)$/.test(focus.nodeName);
    return typing || (selection && !selection.isCollapsed && main().contains(selection.anchorNode));
  };

  function offer(page) {
    if (document.querySelector(".fresh")) document.querySelector(".fresh").remove();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn main low fresh";
    button.textContent = body.dataset.hold;
    button.addEventListener("click", () => { scrollTo({ top: 0 }); put(page); });
    main().prepend(button);
  }

  async function look(asked) {
    const rest = last + pause - Date.now();
    if (rest > 0 && !asked) {
      if (!waiting) { waiting = true; setTimeout(() => { waiting = false; look(); }, rest); }
      return;
    }
    last = Date.now();
    const url = new URL(location.href);
    url.searchParams.delete("done");
    url.searchParams.set("part", "main");
    const text = await part(url);
    if (text === null) return;
    const page = parsed(text);
    if (!asked && body.dataset.hold && (scrollY > 200 || busy())) offer(page); else put(page);
  }

  async function part(url) {
    try {
      const answer = await fetch(url, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      heard = Date.now();
      const html = (answer.headers.get("content-type") || "").startsWith("text/html");
      if (!answer.ok || !html || answer.headers.get("X-Fragment") !== "1") return null;
      etag = answer.headers.get("ETag") || "";
      return await answer.text();
    } catch {
      mark();
      return null;
    }
  }

  // ---- hints

  function hint(message) {
    heard = Date.now();
    mark();
    if (message.what.includes("all") || message.what.some((name) => scope.has(name))) look();
  }

  function open() {
    if (source) return;
    source = new EventSource("/live?scope=all&since=" + seq);
    const tell = (event) => {
      const message = JSON.parse(event.data);
      seq = Math.max(seq, message.seq);
      hint(message);
      if (channel) channel.postMessage(message);
    };
    source.addEventListener("changed", tell);
    source.addEventListener("all", tell);
    source.addEventListener("open", () => { heard = Date.now(); mark(); });
    source.addEventListener("error", () => { if (source && source.readyState === 2) { shut(); setTimeout(hold, 3000 + Math.random() * 3000); } });
  }

  function shut() {
    if (source) { source.close(); source = null; }
    if (unlock) { unlock(); unlock = null; }
  }

  function hold() {
    if (document.hidden || source) return;
    if (!navigator.locks || !channel) { open(); return; }
    navigator.locks.request("smsbridge live", () => new Promise((done) => {
      if (document.hidden) { done(); return; }
      unlock = done;
      open();
    }));
  }

  if (channel) channel.addEventListener("message", (event) => hint(event.data));
  let leaving = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(shut, navigator.locks ? 60000 : 0);
    else { hold(); look(); }
  });
  addEventListener("pagehide", shut);
  addEventListener("pageshow", (event) => { if (event.persisted) { hold(); look(); } });

  function mark() {
    const sign = document.getElementById("live");
    const stale = Date.now() - heard > dull || (source !== null && source.readyState !== 1);
    const at = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: body.dataset.zone });
    if (stale && !old) old = at.format(heard);
    if (!stale) old = "";
    const text = stale ? body.dataset.old.replace("%", old) : body.dataset.live;
    sign.classList.toggle("old", stale);
    if (sign.lastElementChild.textContent !== text) sign.lastElementChild.textContent = text;
    sign.hidden = false;
  }

  setInterval(mark, 5000);
  setInterval(() => {  // without a stream, and where one has been silent for long: polling is the truth
    if (!document.hidden && (!source || source.readyState !== 1 || Date.now() - heard > dull - poll)) look();
  }, poll);

  // ---- spans tick

  function tick() {
    const units = body.dataset.units.split(" ");
    for (const node of document.querySelectorAll("time[data-since]")) {
      const s = Math.max(0, Math.floor((Date.now() - Date.parse(node.dateTime)) / 1000));
      const text = s < 60 ? s + " " + units[0] : s < 7200 ? Math.floor(s / 60) + " " + units[1]
        : s < 172800 ? Math.floor(s / 3600) + " " + units[2] : Math.floor(s / 86400) + " " + units[3];
      if (node.textContent !== text) node.textContent = text;
    }
  }
  setInterval(tick, 10000);

  // ---- forms that need no new page

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-quick]")) return;
    event.preventDefault();
    const data = new URLSearchParams(new FormData(form, event.submitter));
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { "X-Quick": "1" } });
      if (answer.status !== 204) { put(parsed(await answer.text())); return; }
    } catch { mark(); return; }
    form.reset();
    etag = "";
    look(true);
  });

  // ---- keys

  let prefix = 0;
  const go = (selector) => { const found = document.querySelector(selector); if (found) found.click(); };
  function row(step) {
    const rows = [...document.querySelectorAll("[data-row]")];
    const here = rows.findIndex((r) => r.contains(document.activeElement));
    const next = rows[Math.min(rows.length - 1, Math.max(0, here + step))];
    const link = next && next.querySelector("a");
    if (link) { link.focus(); next.scrollIntoView({ block: "nearest" }); }
  }

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && field) { field.blur(); return; }
    if (field || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key;
    if (prefix && Date.now() - prefix < 1500) {
      prefix = 0;
      if (/^[a-z]$/.test(key)) go(`.nav [data-key="${key}"]`);
      return;
    }
    if (key === "g") prefix = Date.now();
    else if (key === "/") {
      const first = document.querySelector("[data-slash]");
      if (first) first.focus(); else location.href = "/search";
      event.preventDefault();
    } else if (key === "?") {
      const keys = document.getElementById("keys");
      keys.open = !keys.open;
      if (keys.open) keys.scrollIntoView({ block: "end" });
    } else if (key === "j") row(1);
    else if (key === "k") row(-1);
    else if (key === ".") {
      const folds = [...main().querySelectorAll("details")], any = folds.some((f) => !f.open);
      folds.forEach((f) => { f.open = any; });
    } else if (/^[1-9]$/.test(key)) go(`[data-n="${key}"]`);
  });

  document.querySelectorAll("[data-end]").forEach((talk) => { talk.scrollTop = talk.scrollHeight; });
  if (location.search.includes("done=")) {
    const url = new URL(location.href);
    url.searchParams.delete("done");
    history.replaceState(null, "", url);
  }
  tick();
  mark();
  hold();
})();
