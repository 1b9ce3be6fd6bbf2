// Without a socket: the page asks for what it is missing, and posts what it says. It ends when a socket opens.
"use strict";
(() => {
  if (!window.connection) return;
  const { has, draw, end, isOver, reconnect, reconnecting, SIGN_IN_AGAIN, NOT_HERE } = window.connection;
  const { pending } = window.composing;
  const $ = (selector) => document.querySelector(selector);

  const WHILE_LIVE = 2000;
  const WHILE_IDLE = 15000;
  const PATIENCE = 10000;
  const WORDS = "Live updates come every few seconds: the connection does not let websockets through.";

  let polls = false;
  let unreachable = false;
  let next = 0;

  function start(queue) {
    if (polls) return;
    polls = true;
    for (const { message } of queue.splice(0)) act(JSON.parse(message));
    poll();
  }

  function stop() {
    polls = unreachable = false;
    clearTimeout(next);
    $("#live-updates").textContent = "";
  }

  async function poll(look = {}) {
    const before = JSON.stringify(has());
    try {
      const frame = await ask(`${location.pathname}frames/?${new URLSearchParams({ ...has(), ...look })}`);
      if (polls && !isOver()) reached(before === JSON.stringify(has()) ? frame : ""); // Another may have been quicker.
    } catch {
      if (polls) unreached();
    }
    later();
  }

  function later() {
    clearTimeout(next);
    const wait = ($(".stop") ? WHILE_LIVE : WHILE_IDLE) * (0.75 + Math.random() / 2);
    if (polls && !isOver()) next = setTimeout(() => (document.hidden ? later() : poll()), wait);
  }

  function reached(frame) {
    reconnecting(false);
    $("#live-updates").textContent = WORDS;
    if (frame) draw(frame);
    if (pending()) post(pending());
    if (unreachable) reconnect(); // The server is back, and so may be its sockets.
    unreachable = false;
  }

  function unreached() {
    reconnecting(true);
    unreachable = true;
  }

  // What would have gone over the socket. A message that was not taken is posted again after the next poll that goes.

  function act(frame) {
    if (frame.action === "resume") poll({ run: frame.run, run_since: "", follows: "" });
    else post(frame);
  }

  async function post(frame) {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(frame)) for (const one of [value].flat()) body.append(name, one);
    try {
      const answer = await ask(location.pathname, { method: "POST", body });
      if (answer) draw(answer);
      if (frame.action !== "stop") $("#cursor-follows").dataset.follows = "yes";
      if (polls) poll();
    } catch {
      unreached();
    }
  }

  async function ask(path, options = {}) {
    const headers = { "HX-Request": "true", "X-CSRFToken": $("#composer [name=csrfmiddlewaretoken]").value };
    const answer = await fetch(path, { headers, signal: AbortSignal.timeout(PATIENCE), ...options });
    if (answer.headers.has("HX-Redirect")) return end(SIGN_IN_AGAIN);
    if (answer.status === 404) return end(NOT_HERE);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.text();
  }

  document.addEventListener("htmx:wsConfigSend", (event) => {
    if (!polls) return;
    event.preventDefault();
    act(event.detail.parameters);
  });
  document.addEventListener("visibilitychange", () => polls && !document.hidden && poll());

  window.polling = { start, stop };
})();
