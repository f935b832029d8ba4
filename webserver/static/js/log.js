// @ts-check
// A log: follows while the task runs, loads earlier lines, filters by level and words.

const box = /** @type {HTMLElement} */ (document.getElementById("log"));
const at = { start: Number(box.dataset.start), end: Number(box.dataset.end), first: 1, last: box.querySelectorAll(":scope > div").length, found: -1, words: "", stopped: false };
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
  for (const line of box.querySelectorAll(":scope > div")) {
    /** @type {HTMLElement} */ (line).hidden = !isShown(line);
    if (isShown(line)) shown++;
  }
  /** @type {HTMLElement} */ (document.getElementById("log-count")).textContent = find.value || level.value ? `${shown} lines` : "";
};

/** @typedef {[string, string, [number, number, string][]]} Entry */
/** @param {Entry} entry @param {number} n */
const makeLine = ([text, kind, marks], n) => {
  const line = document.createElement("div");
  let from = 0;
  for (const [start, end, names] of marks ?? []) {
    const part = document.createElement("span");
    part.className = names.split(" ").map((name) => `ansi-${name}`).join(" ");
    part.textContent = text.slice(start, end);
    line.append(text.slice(from, start), part);
    from = end;
  }
  line.append(text.slice(from) || (from ? "" : " "));
  if (kind) line.className = kind;
  line.dataset.n = String(n);
  line.hidden = !isShown(line);
  return line;
};

// --- groups: ::group::Title … ::endgroup:: fold, and are open at first
const GROUP = /(?:^|\} [A-Z]+ - )::(group|endgroup)::(.*)$/;
const markGroups = () => {
  /** @type {HTMLElement | null} */
  let open = null;
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll(":scope > div"))) {
    const found = line.dataset.group === undefined ? GROUP.exec(line.textContent ?? "") : null;
    if (found) {
      line.dataset.group = found[1];
      if (found[1] === "group") {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "log-group", textContent: `▾ ${found[2]}` });
        button.setAttribute("aria-expanded", "true");
        line.replaceChildren(button);
      } else line.hidden = true;
    }
    if (line.dataset.group === "group") open = line;
    else if (line.dataset.group === "endgroup") open = null;
    else line.dataset.in = open?.dataset.n ?? "";
  }
};
box.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest(".log-group");
  const head = /** @type {HTMLElement | null} */ (button?.parentElement ?? null);
  if (!button || !head) return;
  const isOpen = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(isOpen));
  button.textContent = `${isOpen ? "▾" : "▸"} ${button.textContent?.slice(2)}`;
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll(`:scope > div[data-in="${CSS.escape(head.dataset.n ?? "")}"]`))) line.hidden = !isOpen || !isShown(line);
});

/** @param {string} query @param {string} [end] */
const ask = async (query, end = "") => {
  const url = (box.dataset.url ?? "").replace("?", `${end}?`);
  const answer = await fetch(`${url}&${query}`).catch(() => null);
  return answer?.ok ? answer.json() : null;
};

/** Goes to the next line of the whole file that holds the words, also where it is not loaded. */
const next = async () => {
  const words = find.value.trim();
  const note = /** @type {HTMLElement} */ (document.getElementById("log-count"));
  if (!words) { find.focus(); return; }
  note.textContent = "Looking…";
  const begin = at.words === words ? at.found + 1 : 0;
  const part = await ask(`start=${begin}&words=${encodeURIComponent(words)}`, "/find");
  if (!part || part.found === null) {
    note.textContent = begin ? "No more: it begins again from the top." : "It is not in this log.";
    at.found = -1;
    at.words = "";
    return;
  }
  Object.assign(at, { words, found: part.found, start: part.start, end: part.end, last: 0, first: 1 });
  at.stopped = part.end < part.size; // what is shown is not the end: following would leave a hole
  for (const line of box.querySelectorAll(":scope > div")) line.remove();
  const keep = find.value;
  find.value = "";
  box.append(...part.lines.map((/** @type {Entry} */ one) => makeLine(one, ++at.last)));
  find.value = keep;
  markGroups();
  button("log-follow").setAttribute("aria-pressed", "false");
  box.querySelector(":scope > div")?.classList.add("found");
  box.scrollTop = 0;
  const share = Math.round((100 * part.found) / Math.max(1, part.size));
  note.textContent = `At ${share} % of the file; Enter goes on.`;
};

let isFollowed = false;
const follow = async () => {
  if (isFollowed) return; // the one that runs goes on with what is shown now
  isFollowed = true;
  for (;;) {
    await new Promise((go) => setTimeout(go, document.hidden ? 5000 : FOLLOW_MS));
    const tried = box.dataset.try;
    let part = null;
    try {
      if (!at.stopped) part = await ask(`start=${at.end}`);
    } catch {
      continue; // the answer was cut: ask again
    }
    if (!part || tried !== box.dataset.try) continue; // the server is away, or another try is shown now
    if (part.lines.length) {
      document.getElementById("log-missing")?.remove();
      box.append(...part.lines.map((/** @type {Entry} */ one) => makeLine(one, ++at.last)));
      const lines = box.querySelectorAll(":scope > div");
      for (let n = 0; n < lines.length - LINES_MAX; n++) lines[n].remove();
      markGroups();
      if (isFollowing()) box.scrollTop = box.scrollHeight;
    }
    at.end = part.end;
    if (part.is_finished && part.end >= part.size) break;
  }
  isFollowed = false;
  document.body.dataset.logDone = "yes";
};

/** Shows the log of a new try in place. @param {HTMLElement} fresh */
const takeOver = (fresh) => {
  for (const name of ["url", "try", "start", "end", "followed"]) box.dataset[name] = fresh.dataset[name] ?? "";
  box.dataset.url += box.dataset.url?.includes("?") ? "" : "?";
  box.replaceChildren(...fresh.childNodes);
  Object.assign(at, { start: Number(box.dataset.start), end: Number(box.dataset.end), first: 1, found: -1, words: "", stopped: false });
  at.last = box.querySelectorAll(":scope > div").length;
  button("log-follow").setAttribute("aria-pressed", String(Boolean(box.dataset.followed)));
  markGroups();
  if (box.dataset.followed) void follow();
};

const earlier = async () => {
  const part = await ask(`before=${at.start}`);
  if (!part) return;
  const height = box.scrollHeight;
  at.first -= part.lines.length;
  box.querySelector(":scope > div")?.before(...part.lines.map((/** @type {Entry} */ one, /** @type {number} */ n) => makeLine(one, at.first + n)));
  at.start = part.start;
  markGroups();
  box.scrollTop += box.scrollHeight - height;
  if (at.start === 0) {
    button("log-earlier").remove();
    let n = 0;
    for (const line of box.querySelectorAll(":scope > div")) /** @type {HTMLElement} */ (line).dataset.n = String(++n);
    at.last = n;
  }
};

box.dataset.url += box.dataset.url?.includes("?") ? "" : "?";
document.getElementById("log-earlier")?.addEventListener("click", () => void earlier());
level.addEventListener("change", filter);
find.addEventListener("input", filter);
find.addEventListener("keydown", (event) => {
  if (event.key === "Enter") void next();
});
button("log-next").addEventListener("click", () => void next());
button("log-wrap").addEventListener("click", () => {
  const isWrapped = !box.classList.toggle("nowrap");
  button("log-wrap").setAttribute("aria-pressed", String(isWrapped));
});
button("log-follow").addEventListener("click", () => {
  button("log-follow").setAttribute("aria-pressed", String(!isFollowing()));
  if (isFollowing() && at.stopped) location.reload();
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
  if (!isNew || new URLSearchParams(location.search).has("try_number")) return;
  // A dialog in hand and a message that nobody has read yet must not be taken away.
  if (document.querySelector("dialog[open], #flashes > *")) takeOver(fresh);
  else location.reload();
});
markGroups();
const asked = /^#L\d+$/.test(location.hash) ? box.querySelector(location.hash) : null;
if (asked) {
  asked.classList.add("found");
  asked.scrollIntoView({ block: "center" });
} else box.scrollTop = box.scrollHeight;
box.addEventListener("click", (event) => {
  const line = /** @type {HTMLElement} */ (/** @type {Element} */ (event.target).closest("#log > div[id]"));
  // A click on the number makes the address of the line.
  if (line && event.clientX - line.getBoundingClientRect().left < 56) history.replaceState(null, "", `#${line.id}`);
});
if (box.dataset.followed) void follow();
