// What a reader has opened, and where they read, across a list or a trace that is drawn anew; and how long a trace grows.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const ANEW = /hx-swap-oob="innerHTML:#(messages|trace)"/;
  const ROWS = "#messages > article, #trace [data-step]";

  let closed = []; // what was open and is not there yet: an element with an id, and the how-manieth details in it
  let places = [];

  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const top = (element) => element.getBoundingClientRect().top;

  function remember(frame) {
    places = [];
    if (!ANEW.test(frame)) return;
    closed = all("#messages details[open], #trace details[open]").map((details) => {
      const { id } = details.parentElement.closest("[id]");
      return { id, n: all("details", $(`#${id}`)).indexOf(details) };
    });
    for (const scroller of all("[data-follow=no]")) {
      const row = all(ROWS, scroller).find((one) => one.getBoundingClientRect().bottom > top(scroller));
      if (row) places.push({ id: row.id, offset: top(row) - top(scroller) });
    }
  }

  function restore() {
    closed = closed.filter(({ id, n }) => {
      const details = $(`#${id}`) && all("details", $(`#${id}`))[n];
      if (!details) return true;
      details.open = true;
      const end = details.closest("[data-follow=yes]");
      if (end) end.scrollTop = end.scrollHeight;
      return false;
    });
    for (const { id, offset } of places) {
      const scroller = $(`#${id}`)?.closest("[data-follow]");
      if (!scroller) continue;
      scroller.dataset.follow = "no";
      scroller.scrollTop += top($(`#${id}`)) - top(scroller) - offset;
    }
    places = [];
  }

  // Of a trace that is read at its end the oldest rows go, until it is as long as one that is loaded anew, and can be
  // asked for again. From the first one on that is open, or not over yet, all stay.

  function trim() {
    const list = $("#trace [data-follow=yes] > .rows");
    const isOver = (row) =>
      row.dataset.status !== "running" && !row.contains(document.activeElement) && !all("details[open]", row).length;
    const older = list ? Array.from(list.children).slice(0, -list.dataset.most) : [];
    for (const row of older) {
      if (!isOver(row)) break;
      const earlier = $("#earlier-steps-button");
      earlier.value = row.nextElementSibling.dataset.step;
      earlier.hidden = false;
      row.remove();
    }
    if (older.length) list.parentElement.scrollTop = list.parentElement.scrollHeight; // Before a browser keeps the place.
  }

  window.places = { remember, restore, trim };
})();
