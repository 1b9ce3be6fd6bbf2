// What was pressed beside Send and is not answered yet. It may have gone into a dead socket: then it is asked for again
// over the next one, or by a post, if the page still shows what it was about. Under its id that is harmless.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  if (!$("#answered")) return;
  const { newId, tell } = window.composing;
  const { giveBack } = window.editing;
  const KEPT = ["stop", "edit", "regenerate", "continue", "unqueue", "stop_and_send"];
  const OF_WAITING = ["unqueue", "stop_and_send"];
  const MOST = 5; // times that it is asked for again

  let asked = null; // the frame, the way it went, and of a message that waits its article and text

  function note({ detail: { parameters: frame } }) {
    if (!KEPT.includes(frame.action)) return;
    frame.client_id ||= newId();
    asked = { frame: { ...frame }, way: null, times: 0 };
    const question = isOfWaiting() && $(`#m-${frame.message_id}`)?.previousElementSibling;
    if (question) Object.assign(asked, { question: question.id, text: question.querySelector(".text")?.textContent });
  }

  function went(message, way) {
    if (asked && message.includes(asked.frame.client_id)) asked.way = way;
  }

  const isOfWaiting = () => OF_WAITING.includes(asked.frame.action);
  const waitsNoMore = () => isOfWaiting() && !$(`#m-${asked.frame.message_id}-unqueue`);

  // What was asked for again may have been done the first time after all, and be refused the second.

  function answered(id = $("#answered").dataset.clientId) {
    if (asked?.frame.client_id !== id) return;
    if (asked.times && waitsNoMore() && !$("#taken-back").textContent) {
      if (asked.frame.action !== "unqueue" || !$(`#${asked.question}`)) tell("");
      wasDone();
    }
    asked = null;
  }

  // Only the answer was lost; and with it the text that was taken back.

  function wasDone() {
    const { frame, question, text } = asked;
    asked = null;
    if (frame.action === "unqueue" && question && text && !$(`#${question}`)) giveBack(text);
  }

  function again(way, send) {
    if (!asked || asked.way === way) return;
    if (waitsNoMore()) {
      wasDone();
    } else if (asked.times === MOST) {
      asked = null;
      tell("This could not be done. Try again in a moment.");
    } else {
      asked.times += 1;
      asked.way = way;
      send(asked.frame);
    }
  }

  const waits = () => Boolean(asked) && !$("#notice").textContent; // Words may say that it takes longer.

  function forget() {
    asked = null;
  }

  document.addEventListener("htmx:wsConfigSend", note);
  window.acts = { went, answered, again, waits, forget };
})();
