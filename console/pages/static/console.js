// The console's only script. Pages work without it. It adds: times and numbers as the reader writes them, previews while typing, what happens
// as it happens, and the menu of small screens. It never makes markup out of data: parts of pages come from the server, escaped.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("script");
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const locale = navigator.languages && navigator.languages.length ? [...navigator.languages] : undefined;

  // --- times and numbers ---

  const shapes = {
    full: { dateStyle: "medium", timeStyle: "medium" },
    short: { dateStyle: "medium", timeStyle: "short" },
    day: { dateStyle: "medium", timeZone: "UTC" },
    clock: { hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
  };
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function ago(at) {
    const seconds = (at.getTime() - Date.now()) / 1000;
    if (Math.abs(seconds) > 6 * 86400) return "";
    const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) || steps[3];
    return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(seconds / size), unit);
  }

  // A zone that the browser does not know leaves the time as it is.
  function inZone(at, zone) {
    try {
      return new Intl.DateTimeFormat(locale, { ...shapes.clock, timeZone: zone }).format(at);
    } catch {
      return "";
    }
  }

  function writeTime(element) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const shape = shapes[element.dataset.as] ? element.dataset.as : "short";
    const written = new Intl.DateTimeFormat(locale, shapes[shape]).format(at);
    const relative = element.dataset.as === "ago" ? ago(at) : "";
    element.textContent = relative || written;
    element.title = shape === "day" ? "" : new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" }).format(at);
    const zone = element.dataset.zone;
    if (zone && zone !== Intl.DateTimeFormat().resolvedOptions().timeZone) {
      const there = inZone(at, zone);
      if (there) element.textContent += ` (there ${there})`;
    }
  }

  function writeNumber(element) {
    const value = Number(element.value);
    if (element.value === "" || Number.isNaN(value)) return;
    const { as, currency } = element.dataset;
    const options = { maximumFractionDigits: 2 };
    if (as === "money" && /^[A-Za-z]{3}$/.test(currency)) Object.assign(options, { style: "currency", currency });
    if (as === "percent") Object.assign(options, { style: "percent", maximumFractionDigits: 1 });
    if (as === "bytes") Object.assign(options, { style: "unit", unit: "byte", notation: "compact", unitDisplay: "narrow" });
    element.textContent = new Intl.NumberFormat(locale, options).format(value);
  }

  function write(within) {
    $$("time[datetime]", within).forEach(writeTime);
    $$("data[value]", within).forEach(writeNumber);
  }

  // --- whether the server can be reached ---

  const offline = $("#offline");
  let reachedAt = new Date();
  let leaving = false; // a page that is left aborts its requests, which is no failure
  window.addEventListener("beforeunload", () => {
    leaving = true;
    setTimeout(() => { leaving = false; }, 3000); // the reader stayed
  });

  function reached() {
    reachedAt = new Date();
    offline.hidden = true;
  }

  function lost() {
    if (!offline.hidden || leaving) return;
    const time = $("time", offline);
    time.dateTime = reachedAt.toISOString();
    writeTime(time);
    offline.hidden = false;
  }

  // load fetches a page of ours. It returns nothing if the request was aborted or failed; then the reader knows.
  async function load(address, options) {
    try {
      const response = await fetch(address, { credentials: "same-origin", ...options });
      if (response.redirected && new URL(response.url).pathname === "/login") {
        window.location.reload();
        return null;
      }
      // A proxy's own answer is none of the console's, all of which have a policy.
      if (response.status >= 502 && !response.headers.has("Content-Security-Policy")) throw new Error("no answer of the console");
      reached();
      return new DOMParser().parseFromString(await response.text(), "text/html");
    } catch (error) {
      if (error.name !== "AbortError") lost();
      return null;
    }
  }

  // replace puts a part of a loaded page in place of the part with the same id, and keeps the focus.
  function replace(id, page) {
    const now = document.getElementById(id);
    const next = page && page.getElementById(id);
    if (!now || !next) return null;
    const known = new Set($$("[data-key]", now).map((element) => element.dataset.key));
    const focused = now.contains(document.activeElement) && document.activeElement.id;
    const opened = $$("details[open][id]", now).map((element) => element.id);
    const part = document.importNode(next, true);
    write(part);
    const added = $$("[data-key]", part).filter((element) => !known.has(element.dataset.key));
    added.forEach((element) => element.classList.add("new"));
    now.replaceWith(part);
    opened.forEach((name) => document.getElementById(name)?.setAttribute("open", ""));
    if (focused) document.getElementById(focused)?.focus();
    return added;
  }

  function say(words) {
    const status = $("#status");
    status.textContent = "";
    status.textContent = words;
  }

  // --- previews while typing: the form is sent to data-preview, and the part named by data-shows is replaced ---

  function previews(form) {
    let timer, running;
    const update = async () => {
      running?.abort();
      running = new AbortController();
      const mine = running;
      const part = document.getElementById(form.dataset.shows);
      part?.setAttribute("aria-busy", "true");
      const body = new URLSearchParams(new FormData(form));
      const page = await load(form.dataset.preview, { method: "POST", body, signal: mine.signal });
      if (mine.signal.aborted) return;
      document.getElementById(form.dataset.shows)?.removeAttribute("aria-busy");
      if (!page) return;
      replace(form.dataset.shows, page);
      const summary = $("[data-summary]", document.getElementById(form.dataset.shows));
      if (summary) say(summary.textContent.trim());
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(update, 250);
    });
  }

  // --- names to put into a text ---

  function inserts(button) {
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.into);
      field.focus();
      field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  // --- what happens, as it happens: the parts named by data-parts are loaded again from data-from, at most once a second, on a signal of the
  // stream data-live or every data-every seconds ---

  function refreshes(element) {
    const parts = element.dataset.parts.split(" ");
    let busy = false, again = false;
    return async function refresh() {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      const page = await load(element.dataset.from);
      const added = parts.flatMap((id) => replace(id, page) || []);
      if (added.length) say(`${added.length} new: ${added[0].dataset.says || ""}`);
      setTimeout(() => {
        busy = false;
        if (again) {
          again = false;
          refresh();
        }
      }, 1000);
    };
  }

  function live(element) {
    const refresh = refreshes(element);
    let source, again, opened = false;
    const open = () => {
      source = new EventSource(element.dataset.live);
      source.addEventListener("open", () => {
        reached();
        if (opened) refresh(); // what came while the stream was interrupted
        opened = true;
        root.classList.add("live");
      });
      source.addEventListener("error", () => {
        lost();
        // A browser connects again by itself, but not after an answer that is no stream: that of a proxy while the console is away, or that
        // nobody is logged in any more, which refresh finds out.
        if (source.readyState === EventSource.CLOSED) again = setTimeout(() => refresh().then(open), 3000);
      });
      for (const kind of ["message", ...element.dataset.kinds.split(" ")]) source.addEventListener(kind, refresh);
    };
    open();
    window.addEventListener("pagehide", () => {
      clearTimeout(again);
      source.close();
    });
    window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  }

  function every(element) {
    const refresh = refreshes(element);
    setInterval(() => { if (!document.hidden) refresh(); }, 1000 * element.dataset.every);
  }

  // --- forms: sent once, and changes are not lost by mistake ---

  let sending = false;

  function once(form) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      sending = form.target !== "_blank";
      const button = event.submitter;
      if (!button || form.method === "get") return;
      if (button.getAttribute("aria-busy") === "true") {
        event.preventDefault();
        return;
      }
      button.setAttribute("aria-busy", "true");
    });
  }

  function guards(form) {
    let changed = form.dataset.guard === "changed";
    form.addEventListener("input", () => { changed = true; });
    window.addEventListener("beforeunload", (event) => {
      if (changed && !sending) event.preventDefault();
    });
  }

  function copies(button) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      say("Copied");
      button.textContent = "Copied";
    });
  }

  // --- the menu of small screens ---

  function menu(button) {
    const nav = document.getElementById(button.getAttribute("aria-controls"));
    const set = (open) => {
      nav.classList.toggle("open", open);
      button.setAttribute("aria-expanded", String(open));
    };
    button.addEventListener("click", () => set(button.getAttribute("aria-expanded") !== "true"));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || button.getAttribute("aria-expanded") !== "true") return;
      set(false);
      button.focus();
    });
  }

  write(document);
  $$("form[data-preview]").forEach(previews);
  $$("form[data-guard]").forEach(guards);
  $$("form").forEach(once);
  $$("[data-insert]").forEach(inserts);
  $$("[data-live]").forEach(live);
  $$("[data-every]").forEach(every);
  $$("[data-copy]").forEach(copies);
  $$("button[aria-controls]").forEach(menu);
  $$("select[data-go]").forEach((field) => field.addEventListener("change", () => field.form.requestSubmit()));
  setInterval(() => $$('time[data-as="ago"]').forEach(writeTime), 15000);
  window.addEventListener("offline", lost);
  window.addEventListener("online", reached);
  window.addEventListener("pageshow", () => {
    sending = false;
    leaving = false;
    $$('button[aria-busy="true"]').forEach((button) => button.removeAttribute("aria-busy"));
  });
  $("[data-focus]")?.focus();
})();
