// The message on its way: keys, the draft, sending. A text leaves the box only when its article is in the log; until
// then it stands in the form as data-sent and data-sent-id, and in the tab's storage. Once it was refused it stands there
// as data-late and data-late-id: what was not stored in time may be stored all the same.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const on = (name, handler, capture = false) => document.addEventListener(name, handler, capture);
  const composer = $("#composer");
  const box = $("#message");
  const live = Boolean($("[ws-connect]"));
  const id = () => $("#client-id");
  const UNREACHABLE = "The server cannot be reached. Try again in a moment.";
  const said = (clientId) => clientId && $(`article[data-client-id="${CSS.escape(clientId)}"]`);

  function tell(words, href = "", link = "") {
    const parts = href ? [`${words} `, Object.assign(document.createElement("a"), { href, textContent: link })] : [words];
    $("#notice")?.replaceChildren(...parts.filter(Boolean));
  }

  function reached() {
    if ($("#notice")?.textContent === UNREACHABLE) tell("");
  }

  // The draft, kept for the tab under the page's path.

  const NEW_CHAT = "draft /";
  const draftName = live ? `draft ${location.pathname}` : NEW_CHAT;

  function keepDraft() {
    const { sent, sentId, late, lateId } = composer.dataset;
    const draft = { text: box.value, id: id().value, sent, sentId, late, lateId };
    try {
      if (!box.value && !sentId) sessionStorage.removeItem(draftName);
      else sessionStorage.setItem(draftName, JSON.stringify(draft));
    } catch {
      // There is no storage, or not enough for this text: the draft lasts as long as the page.
    }
  }

  function readDraft(name) {
    try {
      return JSON.parse(sessionStorage.getItem(name));
    } catch {
      return null;
    }
  }

  function restoreDraft() {
    if (live && said(readDraft(NEW_CHAT)?.id)) sessionStorage.removeItem(NEW_CHAT);
    const draft = readDraft(draftName);
    if (!draft || box.value) return;
    box.value = draft.text;
    id().value = draft.id;
    for (const name of ["sent", "sentId", "late", "lateId"]) if (draft[name]) composer.dataset[name] = draft[name];
    acknowledge();
  }

  // Sending.

  function acknowledge() {
    const { sent, sentId, late, lateId } = composer.dataset;
    const isThere = said(sentId ?? lateId);
    if (!isThere && !(sentId && $("#notice").textContent)) return;
    if (isThere && box.value === (sent ?? late)) box.value = "";
    if (isThere && !sentId) tell("");
    forgetSent(); // It is there, or was refused; then the text stays, to be changed and sent again.
    fit();
  }

  function forgetSent() {
    const { sent, sentId } = composer.dataset;
    for (const name of ["sent", "sentId", "late", "lateId"]) delete composer.dataset[name];
    if (sentId && !said(sentId)) Object.assign(composer.dataset, { late: sent, lateId: sentId });
    if (said(id().value)) id().value = newId();
    keepDraft();
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is there only over HTTPS.
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function fit() {
    if (!CSS.supports("field-sizing", "content")) box.rows = Math.min(12, box.value.split("\n").length);
  }

  function submitted(event) {
    if (event.target !== composer) return;
    const { sentId, late, lateId, over } = composer.dataset;
    if (!box.value.trim() || sentId || over) {
      event.preventDefault();
      event.stopImmediatePropagation();
      box.focus();
      return;
    }
    const isAnother = id().value === lateId && box.value !== late; // What was refused may be stored yet, under its id.
    if (isAnother || said(id().value)) id().value = newId();
    if (live) {
      tell("");
      Object.assign(composer.dataset, { sent: box.value, sentId: id().value });
      $(".log").dataset.follow = "yes";
    }
    keepDraft();
  }

  function typed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    composer.requestSubmit();
  }

  // What was sent and is not in the log yet, as the frame that sends it again; under its id that is harmless.

  function pending() {
    const { sent, sentId } = composer.dataset;
    const model = $("select[name=model]")?.value;
    return sentId && { action: "send", message: sent, client_id: sentId, ...(model && { model }), mode: mode() };
  }

  const mode = () => ($("input[name=mode][value=react]").checked ? "react" : "plain");

  function withChoices({ target, formData }) {
    if (target.id !== "examples") return;
    const model = $("select[name=model]");
    if (model) formData.set("model", model.value);
    formData.set("mode", mode());
  }

  if (composer) {
    restoreDraft();
    fit();
    if (matchMedia("(hover: hover)").matches) box.focus();
    box.addEventListener("keydown", typed);
    box.addEventListener("input", keepDraft);
    box.addEventListener("input", fit);
    on("submit", submitted, true);
    on("formdata", withChoices);
    // A page out of the browser's memory is older than what is stored.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  }

  // For the scripts that know when a frame came, or a sender was refused.

  window.composing = { tell, reached, pending, acknowledge, forgetSent, newId };

  // Requests that fail. Who was signed out meanwhile goes to sign in, and does not get that page inside of this one.

  on("htmx:beforeSwap", ({ detail }) => {
    if (!new URL(detail.xhr.responseURL).pathname.startsWith("/accounts/login/")) return;
    detail.shouldSwap = false;
    location.reload();
  });
  on("htmx:responseError", () => tell("This could not be loaded. Try again in a moment."));
  on("htmx:sendError", () => tell(UNREACHABLE));
  on("htmx:afterOnLoad", reached);
})();
