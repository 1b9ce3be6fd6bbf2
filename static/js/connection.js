// The connection to the server: a socket that comes back, and polling where no socket gets through. What the page has
// stands in the document and is said each time; the answer is what is newer, whichever way it comes.
//
// What happened                      What the page says                      What it does
// the socket is open                 what the run is at                      asks after 45 s of silence
// it broke; no answer in 3 s         Reconnecting…                           comes back after a random while, for ever
// it is there again                  what the run is at                      catches up; asks again for what was not done
// closed with 4012; with 4013        Reconnecting…                           comes back soon; some seconds later
// closed with 4008 or 1009           Reconnecting…, and it was too much      comes back; the text is in the box
// closed with 4401; with 4404        a link to sign in; to a new chat        nothing more; the text is in the box
// three sockets failed, HTTP works   that updates come every few seconds     polls and posts; tries a socket at times
// HTTP fails as well                 Reconnecting…                           goes on polling
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const on = (name, handler, target = document) => target.addEventListener(name, handler);
  if (!$("[ws-connect]")) return;
  const { tell, reached, pending, acknowledge, forgetSent } = window.composing;
  const { settle } = window.editing;
  const { acts, places } = window;

  const [COME_BACK, COME_BACK_LATER, TOO_MUCH, TOO_LARGE, SIGN_IN_AGAIN, NOT_HERE] = [4012, 4013, 4008, 1009, 4401, 4404];
  const WAITS = { [COME_BACK]: 200, [COME_BACK_LATER]: 3000, [TOO_MUCH]: 2000, [TOO_LARGE]: 2000 }; // at least
  const ATTEMPTS = 3;
  const HANDSHAKE = 10000;
  const ANSWER = 3000;
  const ACKNOWLEDGEMENT = 10000;
  const SILENCE = 45000;
  const SEEN = 64 * 1024;
  const RECONNECTING = "Reconnecting…";

  let socket = null;
  let wrapper = null;
  let failed = 0; // sockets in a row that brought nothing
  let handled = 0; // frames of this socket
  let unsaid = 0;
  let focused = null;
  const timers = {};

  function after(name, milliseconds, handler) {
    clearTimeout(timers[name]);
    timers[name] = handler && setTimeout(handler, milliseconds);
  }

  const isOver = () => Boolean($("#composer").dataset.over);
  const say = (frame) => wrapper.send(JSON.stringify(frame), null);

  function reconnecting(now) {
    if (now) $("#status").textContent = RECONNECTING;
    else if ($("#status").textContent === RECONNECTING) $("#status").textContent = "";
  }

  function has() {
    const { run, revision } = $("#cursor-run").dataset;
    const { follows } = $("#cursor-follows").dataset;
    return { since: $("#cursor").dataset.conversationRevision, run, run_since: revision, follows };
  }

  // Opening, closing, coming back. The extension too would come back by itself: it is told to wait for ever.

  htmx.config.wsReconnectDelay = () => 2 ** 31 - 1;
  htmx.createWebSocket = (url) => (socket = new WebSocket(url));

  function opened({ detail }) {
    wrapper = detail.socketWrapper;
    handled = unsaid = 0;
    window.polling.stop();
    reconnecting(false);
    reached();
    ask();
    const frame = pending();
    if (frame && !wrapper.queue.some(({ message }) => message.includes(frame.client_id))) say(frame);
  }

  function closed({ detail: { event, socketWrapper } }) {
    wrapper = socketWrapper;
    if (event.code === SIGN_IN_AGAIN || event.code === NOT_HERE) return end(event.code);
    if (event.code === TOO_MUCH || event.code === TOO_LARGE) {
      forgetSent();
      acts.forget();
      tell("That was too much at once. Your text is still in the box.");
    }
    lost(WAITS[event.code]);
  }

  function lost(least = 0) {
    socket.onclose = null; // Its end may come minutes later, and says nothing of the next one.
    socket.close();
    failed = handled ? 0 : failed + 1;
    handled = 0;
    after("answer");
    after("silence");
    after("retry", least + (2 * least || 1000 * 2 ** Math.min(failed, 6)) * Math.random(), reconnect);
    if (failed < ATTEMPTS) reconnecting(true);
    else window.polling.start(wrapper.queue);
  }

  function reconnect() {
    after("retry");
    if (socket.readyState !== WebSocket.CONNECTING && !isOver()) wrapper.reconnect();
  }

  function end(code) {
    $("#composer").dataset.over = "yes"; // What is written now stays a draft.
    for (const name of Object.keys(timers)) after(name);
    $("#status").textContent = "";
    if (code === NOT_HERE) tell("This conversation is not here any more.", "/", "Start a new chat");
    else tell("You are signed out.", `/accounts/login/?next=${encodeURIComponent(location.pathname)}`, "Sign in again");
  }

  // A socket may die without a word: the laptop slept, a router forgot. So what is said has to be answered. What comes
  // before that may have been on its way when the socket died: it puts the waiting off, and does not end it.

  function expect(milliseconds) {
    after("answer", milliseconds, lost);
  }

  function ask() {
    say({ action: "resume", ...has() });
    expect(ANSWER);
  }

  function check() {
    if (document.hidden || isOver() || !wrapper) return;
    if (socket.readyState === WebSocket.OPEN) ask();
    else reconnect();
  }

  // Frames, over the socket or in answer to a poll.

  function heard({ detail: { message } }) {
    after("answer");
    after("silence", SILENCE, check);
    failed = 0;
    handled += 1;
    unsaid += message.length;
    if (unsaid > SEEN) {
      unsaid = 0;
      say({ action: "seen", n: handled });
    }
    drawn();
    acts.again(socket, (frame) => {
      say(frame);
      expect(ACKNOWLEDGEMENT);
    });
    if (pending() || acts.waits()) expect(ACKNOWLEDGEMENT);
  }

  function drawn() {
    acknowledge();
    acts.answered();
    places.restore();
    places.trim();
    settle(focused);
    if (document.activeElement !== document.body || focused?.isConnected) return;
    ((focused?.id && $(`#${focused.id}`)) || $("#message")).focus();
  }

  function before(frame) {
    focused = document.activeElement;
    places.remember(frame);
  }

  function draw(frame) {
    before(frame);
    htmx.swap("#chat", frame, { swapStyle: "none" });
    drawn();
  }

  on("htmx:wsConnecting", () => after("answer", HANDSHAKE, () => socket.close()));
  on("htmx:wsOpen", opened);
  on("htmx:wsClose", closed);
  on("htmx:wsBeforeMessage", ({ detail }) => before(detail.message));
  on("htmx:wsAfterMessage", heard);
  on("htmx:wsAfterSend", ({ detail }) => {
    acts.went(detail.message, socket);
    expect(ACKNOWLEDGEMENT);
  });
  on("visibilitychange", check);
  on("online", check, window);

  window.connection = { has, draw, end, isOver, reconnect, reconnecting, SIGN_IN_AGAIN, NOT_HERE };
})();
