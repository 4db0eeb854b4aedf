// Updates counts, selects all checkboxes, and refreshes a page that shows progress. Every page works without this file.
"use strict";
const source = document.querySelector("[data-live]") && new EventSource("/live");
if (source) {
  source.onmessage = (message) => {
    for (const [name, count] of Object.entries(JSON.parse(message.data))) {
      for (const element of document.querySelectorAll(`[data-live="${name}"]`)) {
        element.textContent = count;
        element.hidden = element.hasAttribute("data-hide-zero") && count === 0;
      }
    }
  };
  addEventListener("pagehide", () => source.close());
}
for (const all of document.querySelectorAll("[data-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll('input[name="id"]')) box.checked = all.checked;
  });
}
const refreshing = document.querySelector("[data-refresh]");
if (refreshing) {
  const timer = setInterval(async () => {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main");
    const current = document.querySelector("[data-refresh]");
    const next = fresh && fresh.querySelector("[data-refresh]");
    if (next && current) current.replaceWith(next);
    else location.reload();
    if (!next) clearInterval(timer);
  }, 1000);
}
