// @ts-check
// Follows the server: one stream a browser, shared by its tabs; asks in turns where there is none.
// What changed is fetched again; a page with a module of its own is told of it as "tradewind:refresh".

import { base, fetchPage } from "./core.js";

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const badge = /** @type {HTMLElement} */ (document.getElementById("stream"));
const topics = (main.dataset.topics ?? "").trim();
const channel = new BroadcastChannel("tradewind-events");
const mode = { cursor: main.dataset.cursor ?? "" };

/** @param {string} state @param {string} word */
const show = (state, word) => {
  badge.hidden = false;
  badge.dataset.stream = state;
  badge.textContent = word;
};

/** @param {any} message */
const isWanted = (message) =>
  topics.split(" ").some((topic) => topic === "dags" || topic === `dag:${message.dag_id}` || topic === `run:${message.dag_id}/${message.run_id}`);

/** @param {any} message */
const tell = (message) => {
  if (message.cursor) mode.cursor = String(message.cursor);
  if (message.kind !== "resync" && !isWanted(message)) return;
  refreshSoon();
};

let timer = 0;
let last = 0;
const refreshSoon = () => {
  if (timer) return;
  const wait = Math.max(150, (document.hidden ? 5000 : 700) - (Date.now() - last));
  timer = setTimeout(async () => {
    timer = 0;
    last = Date.now();
    await refresh();
  }, wait);
};

/** What the reader has in hand must not be taken away. */
const isBusy = () => (document.activeElement?.matches("main input, main textarea, main select") ?? false) || document.querySelector("main [data-pick]:checked, main details.copies[open]") !== null;

export const refresh = async () => {
  if (isBusy() || main.dataset.frozen) return;
  const page = await fetchPage(location.href);
  const fresh = page?.querySelector("main");
  if (!fresh) return;
  const kept = main.dataset.patched ? ".head .pill, .facts, #alive" : "";
  if (kept) {
    for (const selector of kept.split(", ")) {
      const [old, next] = [main.querySelector(selector), fresh.querySelector(selector)];
      if (old && next && old.outerHTML !== next.outerHTML) old.replaceWith(next);
    }
    document.dispatchEvent(new CustomEvent("tradewind:refresh", { detail: fresh }));
    return;
  }
  const focused = document.activeElement?.id;
  const stay = [badge, document.getElementById("search-open"), document.getElementById("flashes")];
  for (const one of stay) if (one) fresh.querySelector(`#${one.id}`)?.replaceWith(one);
  main.replaceChildren(...fresh.childNodes);
  if (focused) document.getElementById(focused)?.focus();
  document.dispatchEvent(new CustomEvent("tradewind:refreshed"));
};

const stream = () =>
  new Promise((ended) => {
    const source = new EventSource(`${base}/ui/stream${mode.cursor ? `?since=${mode.cursor}` : ""}`);
    source.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      show("live", "Live");
      if (message.kind === "hello") mode.cursor ||= String(message.cursor);
      else tell(message);
      channel.postMessage(message);
    });
    source.addEventListener("error", () => {
      show("away", "Reconnecting");
      channel.postMessage({ kind: "away" });
      if (source.readyState === EventSource.CLOSED) ended(null); // refused: no more streams
    });
  });

channel.addEventListener("message", (event) => {
  if (event.data.kind === "away") show("away", "Reconnecting");
  else {
    show("live", "Live");
    if (event.data.kind !== "hello") tell(event.data);
  }
});

const poll = async () => {
  let pause = 5000;
  for (;;) {
    await new Promise((go) => setTimeout(go, document.hidden ? 60000 : pause));
    try {
      const answer = await fetch(`${base}/ui/changes?since=${mode.cursor || "now"}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const { cursor, messages } = await answer.json();
      mode.cursor = String(cursor);
      for (const message of messages) tell(message);
      show("poll", "Updates every 5 s");
      pause = 5000;
    } catch {
      show("away", "Reconnecting");
      pause = Math.min(30000, pause * 1.6);
    }
  }
};

/** What happened after the page was read, and before anybody listened for it. */
const catchUp = async () => {
  const answer = await fetch(`${base}/ui/changes?since=${mode.cursor}`);
  if (!answer.ok) return;
  for (const message of (await answer.json()).messages) tell(message);
};

const start = async () => {
  if (!topics) return;
  if (mode.cursor) await catchUp().catch(() => show("away", "Reconnecting"));
  if (navigator.locks) {
    show("live", "Live");
    await navigator.locks.request("tradewind-events", () => stream());
  }
  await poll();
};

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && topics) refreshSoon();
});
document.body.dataset.ready = "yes";
void start();
