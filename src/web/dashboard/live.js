// Keeps counts and times fresh, refreshes pages that show progress, and adds the keys. Every page works without this file.
"use strict";
const { body, documentElement: root } = document;
const each = (css, act) => document.querySelectorAll(css).forEach(act);

// Counts, as the stream sends them; nothing is inserted, so nothing moves. Silence of half a minute shows as stale.
let heard = Date.now();
const setText = (element, text) => {
  if (element.textContent === text) return;
  const isFirst = element.textContent === "";
  element.textContent = text;
  if (isFirst) return;
  element.classList.remove("new");
  void element.offsetWidth; // starts the tint again
  element.classList.add("new");
};
const source = body.dataset.live && new EventSource("/live");
if (source) {
  source.onmessage = (message) => {
    heard = Date.now();
    for (const [name, count] of Object.entries(JSON.parse(message.data))) {
      each(`[data-live="${name}"]`, (element) => {
        setText(element, String(count));
        element.hidden = element.hasAttribute("data-hide-zero") && count === 0;
      });
      each(`[data-more-than][data-count="${name}"]`, (element) => {
        const more = count - Number(element.dataset.moreThan);
        element.hidden = more <= 0;
        each(`[data-count="${name}"] b`, (number) => { number.textContent = String(more); });
        each(`[data-count="${name}"] [data-one]`, (one) => { one.hidden = more !== 1; });
        each(`[data-count="${name}"] [data-many]`, (many) => { many.hidden = more === 1; });
      });
    }
    showMark();
  };
  addEventListener("pagehide", () => source.close());
}
const clock = new Intl.DateTimeFormat(root.lang, { hour: root.lang === "fi" ? "numeric" : "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: root.dataset.zone });
function showMark() {
  const mark = document.querySelector(".live");
  if (!mark) return;
  const isLate = Date.now() - heard > 30000;
  mark.classList.toggle("late", isLate);
  const text = (isLate ? body.dataset.late : body.dataset.live) + " ";
  if (mark.firstChild.textContent !== text) mark.firstChild.textContent = text;
  const time = mark.querySelector("time");
  time.dateTime = new Date(heard).toISOString().slice(0, 19) + "Z";
  const finnish = root.lang === "fi" ? "klo " : "";
  time.textContent = finnish + clock.format(heard);
}

// Relative times grow older with the page.
const units = [[100, 1, "s"], [6000, 60, "min"], [172800, 3600, "h"], [Infinity, 86400, root.lang === "fi" ? "pv" : "days"]];
function showRelative() {
  each("[data-relative]", (element) => {
    const seconds = Math.round((Date.now() - Date.parse(element.parentElement.dateTime)) / 1000);
    const [, size, unit] = units.find(([below]) => Math.abs(seconds) < below);
    const duration = `${Math.trunc(Math.abs(seconds) / size)} ${unit}`;
    const finnish = `${duration} ${seconds >= 0 ? "sitten" : "kuluttua"}`;
    const english = seconds >= 0 ? `${duration} ago` : `in ${duration}`;
    element.textContent = root.lang === "fi" ? finnish : english;
  });
}
if (body.dataset.live) setInterval(() => { showMark(); showRelative(); }, 10000);

// On phones a row of tabs goes on beyond the screen: it begins where its selected tab shows.
each(".tabs [aria-current]", (tab) => {
  const tabs = tab.parentElement;
  tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
});

each("[data-all]", (all) => {
  all.hidden = false;
  all.addEventListener("change", () => each('td input[type="checkbox"]', (box) => { box.checked = all.checked; }));
});

// A page that shows progress is read again each second, and whole once it has ended.
if (document.querySelector("[data-refresh]")) {
  const timer = setInterval(async () => {
    const response = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (!response || !response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main");
    const current = document.querySelector("[data-refresh]");
    const next = fresh && fresh.querySelector("[data-refresh]");
    if (next && current) current.replaceWith(next);
    else location.reload();
    if (!next) clearInterval(timer);
  }, 1000);
}

// Keys, as the account's list shows them. Those who speak to the computer, or meet them by accident, switch them off (WCAG 2.1.4).
const PAGES = { h: "/", o: "/orders", p: "/products", n: "/attention", t: "/tasks", c: "/connections" };
const stored = (value) => {
  try {
    if (value !== undefined) localStorage.setItem("keys", value);
    return localStorage.getItem("keys");
  } catch {
    return null;
  }
};
each("[data-shortcuts]", (box) => {
  box.checked = stored() !== "off";
  box.addEventListener("change", () => stored(box.checked ? "on" : "off"));
});
let before = "";
let row = -1;
function moveTo(step) {
  const links = document.querySelectorAll("tbody th a");
  if (!links.length) return;
  row = Math.min(Math.max(row + step, 0), links.length - 1);
  links[row].focus();
}
addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, select, textarea, [contenteditable]");
  if (inField || event.ctrlKey || event.metaKey || event.altKey || stored() === "off" || !body.dataset.live) return;
  const first = before;
  before = event.key;
  if (first === "g" && PAGES[event.key]) location.assign(PAGES[event.key]);
  else if (event.key === "/") document.querySelector(".find input").focus();
  else if (event.key === "?") document.getElementById("account").togglePopover();
  else if (event.key === "j") moveTo(1);
  else if (event.key === "k") moveTo(-1);
  else if (event.key === "x") {
    const box = document.activeElement.closest("tr")?.querySelector('input[type="checkbox"]');
    if (box) box.checked = !box.checked;
  } else return;
  event.preventDefault();
});
