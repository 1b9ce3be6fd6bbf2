// Where the focus goes when what had it is gone, or is wrong.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const on = (name, handler) => document.addEventListener(name, handler);

  // A button that asks for more may be gone once that is there: then it is what stood beside it.

  let next = null;

  on("htmx:beforeSwap", ({ detail: { requestConfig: { elt }, target } }) => {
    next = elt === document.activeElement ? $("summary, button", elt.closest("details") ?? target) : null;
  });

  function goOn() {
    if (document.activeElement === document.body) next?.focus({ preventScroll: true });
    next = null;
  }

  // A form that came back: it is the first field that is wrong; what is wrong with the whole is said.

  function cameBack(root) {
    const field = $("[aria-invalid=true]", root);
    const wrong = $(".errorlist.nonfield", root);
    if (field) field.focus();
    else if (wrong) $("#announce").textContent = wrong.textContent;
  }

  cameBack(document);
  on("htmx:afterSettle", ({ target }) => {
    goOn();
    cameBack(target);
  });
})();
