// Without a socket: the page asks for what it is missing, and posts what it says. It ends when a socket opens.
//
// The answer                         What the page says                      What it does
// is a frame                         that updates come every few seconds     draws it
// 403: not this page's session       that it is too old; a link to reload    goes on asking; the text is in the box
// 422: not what it has               why                                     asks without its run
// another error                      its words, else that there was one      goes on asking, and says it again after a 503
// is none; 502, 504                  Reconnecting…                           goes on asking, and says it again
"use strict";
(() => {
  if (!window.connection) return;
  const { has, draw, end, isOver, reconnect, reconnecting, SIGN_IN_AGAIN, NOT_HERE } = window.connection;
  const { tell, reached, pending, forgetSent } = window.composing;
  const { acts } = window;
  const $ = (selector, root = document) => root.querySelector(selector);

  const WHILE_LIVE = 2000;
  const WHILE_IDLE = 15000;
  const WHILE_AWAY = 4000;
  const PATIENCE = 10000;
  const [TOO_OLD, MISTAKEN, BUSY] = [403, 422, 503];
  const NOBODY = [502, 504]; // said by what stands before the server
  const WORDS = "Live updates come every few seconds: the connection does not let websockets through.";

  let polls = false;
  let unreachable = false;
  let complained = false;
  let mistaken = false;
  let next = 0;

  function start(queue) {
    if (polls) return;
    polls = true;
    for (const { message } of queue.splice(0)) act(JSON.parse(message));
    poll();
  }

  function stop() {
    soothe();
    polls = unreachable = mistaken = false;
    clearTimeout(next);
    $("#live-updates").textContent = "";
  }

  async function poll(look = {}) {
    const before = JSON.stringify(has());
    const said = { ...has(), ...(mistaken && { run: "", run_since: "" }), ...look };
    try {
      const frame = await ask(`${location.pathname}frames/?${new URLSearchParams(said)}`);
      mistaken = frame === MISTAKEN;
      if (polls && !isOver() && typeof frame === "string") {
        caughtUp(before === JSON.stringify(has()) ? frame : ""); // Another may have been quicker.
      }
    } catch {
      if (polls) unreached();
    }
    later();
  }

  function later() {
    clearTimeout(next);
    const usual = $(".stop") ? WHILE_LIVE : unreachable ? WHILE_AWAY : WHILE_IDLE;
    const wait = usual * (0.75 + Math.random() / 2);
    if (polls && !isOver()) next = setTimeout(() => (document.hidden ? later() : poll()), wait);
  }

  function caughtUp(frame) {
    soothe();
    reached();
    reconnecting(false);
    $("#live-updates").textContent = WORDS;
    if (frame) draw(frame);
    if (pending()) post(pending());
    acts.again("post", post);
    if (unreachable) reconnect(); // The server is back, and so may be its sockets.
    unreachable = false;
  }

  function unreached() {
    reconnecting(true);
    unreachable = true;
  }

  // An error that is the server's own: it is there, and what it says is said.

  function soothe() {
    if (complained) tell("");
    complained = false;
  }

  async function complain(answer, isPost) {
    reconnecting(false);
    if (answer.status === TOO_OLD) tell("This page is too old.", location.pathname, "Reload it");
    else {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const said = answer.headers.get("content-type")?.includes("html") && $("#notice", page)?.textContent.trim();
      tell(said || `The server answered with an error (${answer.status}).`);
      complained = true;
    }
    if (isPost && answer.status !== BUSY) {
      forgetSent();
      acts.forget();
    }
    return answer.status;
  }

  // What would have gone over the socket. A message that was not taken is posted again after the next poll that goes.

  function act(frame) {
    if (frame.action === "resume") poll({ run: frame.run, run_since: "", follows: "" });
    else post(frame);
  }

  async function post(frame) {
    const body = new URLSearchParams();
    acts.went(JSON.stringify(frame), "post");
    for (const [name, value] of Object.entries(frame)) for (const one of [value].flat()) body.append(name, one);
    try {
      const answer = await ask(location.pathname, { method: "POST", body });
      if (typeof answer !== "string") return acts.went(JSON.stringify(frame), null);
      draw(answer);
      if (frame.action !== "stop") $("#cursor-follows").dataset.follows = "yes";
      if (polls) await poll(); // What it was about is then as it is now.
      acts.answered(frame.client_id);
    } catch {
      acts.went(JSON.stringify(frame), null);
      unreached();
    }
  }

  // Returns the frame; an error's status once it was said; nothing where it is over. Fails where nobody answered.

  async function ask(path, options = {}) {
    const headers = { "HX-Request": "true", "X-CSRFToken": $("#composer [name=csrfmiddlewaretoken]").value };
    const answer = await fetch(path, { headers, signal: AbortSignal.timeout(PATIENCE), ...options });
    if (answer.headers.has("HX-Redirect")) return end(SIGN_IN_AGAIN);
    if (answer.status === 404) return end(NOT_HERE);
    if (NOBODY.includes(answer.status)) throw new Error(`HTTP ${answer.status}`);
    return answer.ok ? answer.text() : complain(answer, options.method === "POST");
  }

  document.addEventListener("htmx:wsConfigSend", (event) => {
    if (!polls) return;
    event.preventDefault();
    act(event.detail.parameters);
  });
  document.addEventListener("visibilitychange", () => polls && !document.hidden && poll());

  window.polling = { start, stop };
})();
