// Counts move by themselves, a box ticks all boxes, and a page that shows progress reads itself again. Everything works
// without this file.
"use strict";
const source = document.querySelector("[data-live]") && new EventSource("/live");
if (source) {
  source.onmessage = (message) => {
    for (const [name, count] of Object.entries(JSON.parse(message.data))) {
      for (const place of document.querySelectorAll(`[data-live="${name}"]`)) {
        place.textContent = count;
        place.hidden = place.hasAttribute("data-hide-zero") && count === 0;
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
const moving = document.querySelector("[data-refresh]");
if (moving) {
  const timer = setInterval(async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const here = document.querySelector("[data-refresh]");
    const there = fresh && fresh.querySelector("[data-refresh]");
    if (there && here) here.replaceWith(there);
    else location.reload();
    if (!there) clearInterval(timer);
  }, 1000);
}
