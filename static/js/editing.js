// A message edited in its place, and a text that comes back. One form stands in the article that is edited; where the
// list is drawn anew around it, it is put back. It is gone when the edited message is in the log.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const on = (name, handler, capture = false) => document.addEventListener(name, handler, capture);
  const editor = $("#editor");
  const log = $(".log");
  if (!editor) return;

  const home = editor.parentElement;
  const { message: text, message_id: edited, client_id: id } = editor.elements;
  const article = () => edited.value && $(`#m-${edited.value}`);
  const isSent = () => $(`article[data-client-id="${CSS.escape(id.value)}"]`);

  function open({ dataset: { message } }) {
    edited.value = message;
    id.value = `edit.${message}.${Date.now()}`; // Ids are a person's own, so the time is enough.
    text.value = $(".text", article()).textContent;
    place();
    text.focus();
  }

  function place() {
    editor.hidden = false;
    article().append(editor);
    htmx.process(editor);
  }

  function close() {
    const left = article();
    const hadFocus = document.activeElement === document.body || editor.contains(document.activeElement);
    home.append(editor);
    editor.hidden = true;
    edited.value = "";
    if (hadFocus) (left ? $(".edit-message", left) : $("#message")).focus();
  }

  function settle(focused) {
    const returned = $("#taken-back");
    if (returned.textContent) giveBack(returned.textContent);
    returned.textContent = "";
    log.dispatchEvent(new Event("scroll")); // What was drawn anew may end where the reader is.
    if (!edited.value) return;
    if (isSent()) close();
    else if (!article()) {
      giveBack(text.value); // Its branch is not shown any more.
      close();
    } else if (!editor.isConnected) {
      place();
      if (focused === text) text.focus();
    }
  }

  function giveBack(words) {
    const box = $("#message");
    box.value = [words, box.value].filter(Boolean).join("\n\n");
    box.dispatchEvent(new Event("input"));
    box.focus();
  }

  function typed(event) {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    editor.requestSubmit();
  }

  function submitted(event) {
    if (event.target !== editor || text.value.trim()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  text.addEventListener("keydown", typed);
  editor.addEventListener("reset", close);
  on("submit", submitted, true);
  on("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.matches(".edit-message")) open(button);
    if (button?.form?.id === "act-show") log.dataset.follow = "no"; // The reader stays at the place of the branches.
  });

  window.editing = { settle, giveBack };
})();
