// The server writes times in UTC, and says so. Here each becomes the reader's own, as soon as it is in the document and
// before it is drawn: this script is not deferred. The server is told the zone, for the days of its lists.
"use strict";
(() => {
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const EXACT = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  const two = (number) => String(number).padStart(2, "0");

  function localise(time) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf())) return;
    const day = `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
    time.textContent = "day" in time.dataset ? day : `${day}, ${two(at.getHours())}:${two(at.getMinutes())}`;
    time.title = `${day}, ${at.toLocaleTimeString("en-GB", EXACT)}`;
  }

  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (node instanceof HTMLTimeElement) localise(node);
        else if (node instanceof Element) node.querySelectorAll("time").forEach(localise);
      }
    }
  }).observe(document, { childList: true, subtree: true });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `timezone=${zone}; path=/; max-age=31536000; samesite=lax`;
})();
