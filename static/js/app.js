// What a page needs beyond htmx: scrolling that follows, columns that open and close, copying. What is open, and what
// follows its end, stands in the document; each part does nothing on pages that lack its elements.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const on = (name, handler, capture = false) => document.addEventListener(name, handler, capture);
  const app = $("#app");
  const log = $(".log");

  // Scrolling: what has data-follow="yes" stays at its end as it grows. Only a reader who scrolls up leaves the end;
  // a distance to it may also come from text that arrived since.

  const places = new WeakMap();
  const atEnd = (element) => element.scrollHeight - element.scrollTop - element.clientHeight < 16;

  function follow() {
    for (const element of document.querySelectorAll("[data-follow=yes]")) element.scrollTop = element.scrollHeight;
  }

  function scrolled(element) {
    const before = places.get(element) ?? { top: 0, height: 0 };
    const now = { top: element.scrollTop, height: element.scrollHeight };
    if (atEnd(element)) element.dataset.follow = "yes";
    else if (now.top < before.top && now.height >= before.height) element.dataset.follow = "no";
    places.set(element, now);
  }

  function jump() {
    log.dataset.follow = "yes";
    follow();
    log.focus();
  }

  const growing = new ResizeObserver(follow);
  if (log) growing.observe(log);
  if (log && location.hash) log.dataset.follow = "no";
  on("scroll", ({ target }) => target.dataset?.follow && scrolled(target), true);
  on("toggle", ({ target }) => {
    const scroller = target.closest("[data-follow]");
    if (scroller && !atEnd(scroller)) scroller.dataset.follow = "no";
  }, true);

  // Earlier messages and steps are put above what is read, and leave the reader where they are.

  let reading = null;
  on("htmx:beforeSwap", ({ detail }) => {
    const scroller = detail.requestConfig.elt.closest(".earlier")?.closest("[data-follow]");
    reading = scroller && { scroller, fromEnd: scroller.scrollHeight - scroller.scrollTop };
  });
  on("htmx:afterSettle", () => {
    if (reading) reading.scroller.scrollTop = reading.scroller.scrollHeight - reading.fromEnd;
    reading = null;
  });

  // What htmx put in: watch its size, and carry a status that is said inside an element out to the element itself.

  on("htmx:load", ({ target }) => {
    for (const inner of target.querySelectorAll("[data-follow] > *")) growing.observe(inner);
    for (const mirror of [target, ...target.querySelectorAll("[data-mirror]")]) {
      const { mirror: name, value } = mirror.dataset;
      if (name) mirror.parentElement.closest(`[data-${name}]`)?.setAttribute(`data-${name}`, value);
    }
  });

  // Columns. Where one lies over the chat, what is under it cannot be reached until it is closed.

  const narrow = matchMedia("(max-width: 1100px)");
  const phone = matchMedia("(max-width: 720px)");
  const isOpen = (name) => getComputedStyle($(`#${name}`)).display !== "none";
  const reachable = (element) => element.checkVisibility() && !element.closest("[inert]");

  function overlay() {
    if (narrow.matches && isOpen("trace")) return "trace";
    return phone.matches && isOpen("side") ? "side" : "";
  }

  function cover() {
    const over = overlay();
    $("#chat").inert = over !== "";
    $("#side").inert = over === "trace";
  }

  function toggle(name, open) {
    app.dataset[name] = open ? "open" : "closed";
    if (name === "trace" && !narrow.matches) {
      document.cookie = `trace=${app.dataset.trace}; path=/; max-age=31536000; samesite=lax`;
    }
    cover();
    follow();
    if (reachable(document.activeElement) && document.activeElement !== document.body) return;
    Array.from(document.querySelectorAll(`[data-toggle=${name}]`)).find(reachable)?.focus();
  }

  function resized() {
    delete app.dataset.side;
    if (app.dataset.trace === "open") delete app.dataset.trace;
    cover();
  }

  if (app) for (const query of [narrow, phone]) query.addEventListener("change", resized);
  on("keydown", ({ key }) => app && key === "Escape" && overlay() && toggle(overlay(), false));

  // Copying.

  function announce(words) {
    $("#announce").textContent = words;
  }

  async function copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyTheOldWay(text); // Browsers offer the clipboard only over HTTPS.
    }
    const label = button.textContent;
    if (label === "Copied") return;
    button.textContent = "Copied";
    announce("Copied");
    setTimeout(() => {
      button.textContent = label;
      announce("");
    }, 1500);
  }

  function copyTheOldWay(text) {
    const before = document.activeElement;
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "sr-only" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    before.focus();
  }

  function copyMessage(button) {
    const text = $(".said", button.closest("article"));
    text.dataset.copying = ""; // Hides what is not text, such as the buttons of code.
    copy(button, text.innerText.trim());
    delete text.dataset.copying;
  }

  on("click", ({ target }) => {
    const button = target.closest("button, .scrim");
    if (!button) return;
    const { toggle: name, opens } = button.dataset;
    if (name) toggle(name, !isOpen(name));
    else if (opens && !isOpen(opens)) toggle(opens, true);
    else if (button.matches(".scrim")) toggle(overlay(), false);
    else if (button.matches(".jump")) jump();
    else if (button.matches(".copy")) copy(button, $("pre", button.closest(".code")).textContent);
    else if (button.matches(".copy-message")) copyMessage(button);
  });

  on("htmx:afterSettle", ({ target }) => {
    if (target.id !== "conversation-list") return;
    const found = target.querySelectorAll("li").length;
    announce(found ? `${found} found` : target.textContent.trim());
  });
})();
