// @ts-check
// Keeps a page that shows unfinished work up to date: while <main data-live> says so, its content
// is fetched again and swapped in. The server decides how long that lasts (data-live="running" |
// "idle"), so a page whose run has ended asks seldom.

const INTERVAL_MS = { running: 1000, idle: 10000 };
const HIDDEN_FACTOR = 6;

/** @returns {HTMLElement | null} */
const main = () => document.querySelector("main[data-live]");

/** A reader who types or has a dialog open must not lose what was entered. */
const isBusy = () => {
  const active = document.activeElement;
  return active instanceof HTMLElement && active.matches("input, textarea, select");
};

const refresh = async () => {
  const shown = main();
  if (!shown || isBusy()) return;
  const answer = await fetch(location.href, { headers: { "X-Fragment": "main" } });
  if (answer.redirected || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  if (!fresh) return;
  const focused = document.activeElement?.id;
  const isAtEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 8;
  shown.replaceChildren(...fresh.childNodes);
  shown.dataset.live = fresh.dataset.live ?? "idle";
  if (focused) document.getElementById(focused)?.focus();
  if (isAtEnd && shown.querySelector(".log")) window.scrollTo(0, document.body.scrollHeight);
};

const loop = async () => {
  const shown = main();
  if (!shown) return;
  const interval = INTERVAL_MS[/** @type {"running" | "idle"} */ (shown.dataset.live)] ?? 10000;
  await new Promise((go) => setTimeout(go, interval * (document.hidden ? HIDDEN_FACTOR : 1)));
  try {
    await refresh();
    document.body.dataset.stale = "";
  } catch {
    // The server is away for the moment: the page says so and asks again at the next turn.
    document.body.dataset.stale = "yes";
  }
  void loop();
};

document.body.dataset.ready = "yes";
void loop();
