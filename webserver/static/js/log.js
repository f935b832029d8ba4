// @ts-check
// A log: follows while the task runs, loads earlier lines, filters by level and words.

const box = /** @type {HTMLElement} */ (document.getElementById("log"));
const at = { start: Number(box.dataset.start), end: Number(box.dataset.end), first: 1, last: box.querySelectorAll("div").length };
const LINES_MAX = 5000, FOLLOW_MS = 400;
const button = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (document.getElementById(id));
const level = /** @type {HTMLSelectElement} */ (document.getElementById("log-level"));
const find = /** @type {HTMLInputElement} */ (document.getElementById("log-find"));
const ranks = ["debug", "info", "warning", "error"];
const isFollowing = () => button("log-follow").getAttribute("aria-pressed") === "true";

/** @param {Element} line */
const isShown = (line) => {
  const words = find.value.toLowerCase();
  const rank = ranks.indexOf(line.className.split(" ")[0]);
  return (!level.value || rank >= ranks.indexOf(level.value)) && (!words || (line.textContent ?? "").toLowerCase().includes(words));
};
const filter = () => {
  let shown = 0;
  for (const line of box.querySelectorAll("div")) {
    /** @type {HTMLElement} */ (line).hidden = !isShown(line);
    if (isShown(line)) shown++;
  }
  /** @type {HTMLElement} */ (document.getElementById("log-count")).textContent = find.value || level.value ? `${shown} lines` : "";
};

/** @param {[string, string]} entry @param {number} n */
const makeLine = ([text, kind], n) => {
  const line = document.createElement("div");
  line.textContent = text || " ";
  if (kind) line.className = kind;
  line.dataset.n = String(n);
  line.hidden = !isShown(line);
  return line;
};

/** @param {string} query */
const ask = async (query) => {
  const answer = await fetch(`${box.dataset.url}&${query}`);
  return answer.ok ? answer.json() : null;
};

const follow = async () => {
  for (;;) {
    await new Promise((go) => setTimeout(go, document.hidden ? 5000 : FOLLOW_MS));
    let part = null;
    try {
      part = await ask(`start=${at.end}`);
    } catch {
      continue; // the server is away for the moment
    }
    if (!part) continue;
    if (part.lines.length) {
      document.getElementById("log-missing")?.remove();
      box.append(...part.lines.map((/** @type {[string, string]} */ one) => makeLine(one, ++at.last)));
      const lines = box.querySelectorAll("div");
      for (let n = 0; n < lines.length - LINES_MAX; n++) lines[n].remove();
      if (isFollowing()) box.scrollTop = box.scrollHeight;
    }
    at.end = part.end;
    if (part.is_finished && part.end >= part.size) break;
  }
  document.body.dataset.logDone = "yes";
};

const earlier = async () => {
  const part = await ask(`before=${at.start}`);
  if (!part) return;
  const height = box.scrollHeight;
  at.first -= part.lines.length;
  box.querySelector("div")?.before(...part.lines.map((/** @type {[string, string]} */ one, /** @type {number} */ n) => makeLine(one, at.first + n)));
  at.start = part.start;
  box.scrollTop += box.scrollHeight - height;
  if (at.start === 0) {
    button("log-earlier").remove();
    let n = 0;
    for (const line of box.querySelectorAll("div")) /** @type {HTMLElement} */ (line).dataset.n = String(++n);
    at.last = n;
  }
};

box.dataset.url += box.dataset.url?.includes("?") ? "" : "?";
document.getElementById("log-earlier")?.addEventListener("click", () => void earlier());
level.addEventListener("change", filter);
find.addEventListener("input", filter);
button("log-wrap").addEventListener("click", () => {
  const isWrapped = !box.classList.toggle("nowrap");
  button("log-wrap").setAttribute("aria-pressed", String(isWrapped));
});
button("log-follow").addEventListener("click", () => {
  button("log-follow").setAttribute("aria-pressed", String(!isFollowing()));
  if (isFollowing()) box.scrollTop = box.scrollHeight;
});
button("log-error").addEventListener("click", () => box.querySelector("div.error")?.scrollIntoView({ block: "center" }));
box.addEventListener("wheel", (event) => {
  if (event.deltaY < 0) button("log-follow").setAttribute("aria-pressed", "false");
});
document.addEventListener("tradewind:refresh", (event) => {
  // A new try has begun: its log is what a reader who named none wants to see.
  const fresh = /** @type {HTMLElement | null} */ (/** @type {CustomEvent<Element>} */ (event).detail.querySelector("#log"));
  const isNew = fresh && (fresh.dataset.try !== box.dataset.try || (fresh.dataset.followed && !box.dataset.followed));
  if (isNew && !new URLSearchParams(location.search).has("try_number")) location.reload();
});
box.scrollTop = box.scrollHeight;
if (box.dataset.followed) void follow();
