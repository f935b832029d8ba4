// @ts-check
// Keys, and the search that goes anywhere. Single letters can be switched off in the preferences.

import { base, openDialog } from "./core.js";

const palette = /** @type {HTMLDialogElement} */ (document.getElementById("palette"));
const field = /** @type {HTMLInputElement} */ (palette.querySelector("input"));
const list = /** @type {HTMLUListElement} */ (palette.querySelector("ul"));
const opener = /** @type {HTMLButtonElement} */ (document.getElementById("search-open"));
let asked = 0;

const search = async () => {
  const turn = ++asked;
  const answer = await fetch(`${palette.dataset.url}?q=${encodeURIComponent(field.value)}`).catch(() => null);
  if (!answer?.ok || turn !== asked) return;
  const found = await answer.json();
  list.replaceChildren(
    ...found.map((/** @type {{url: string, text: string, kind: string}} */ one) => {
      const link = Object.assign(document.createElement("a"), { href: one.url });
      const kind = Object.assign(document.createElement("span"), { className: "note", textContent: one.kind });
      link.append(one.text, kind);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
};
const openPalette = () => {
  palette.showModal();
  field.select();
  void search();
};
opener.hidden = false;
opener.addEventListener("click", openPalette);
field.addEventListener("input", () => void search());
palette.addEventListener("keydown", (event) => {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
  // What is on show may still be the answer to fewer letters: ask again, then go.
  if (event.key === "Enter" && document.activeElement === field) void search().then(() => list.querySelector("a")?.click());
  if (event.key === "ArrowDown") links[Math.min(at + 1, links.length - 1)]?.focus();
  if (event.key === "ArrowUp") (links[at - 1] ?? field).focus();
  if (event.key.startsWith("Arrow")) event.preventDefault();
});


const PLACES = /** @type {Record<string, string>} */ ({ d: "/dags", r: "/runs", h: "/", t: "/timeline", a: "/assets" });
let first = "";

/** Presses what stands for a key on this page: in an open dialog, in the side panel, else anywhere. @param {string} key */
const press = (key) => {
  const found = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)]);
  const target = found.find((one) => one.closest("#side")) ?? found.find((one) => one.checkVisibility());
  target?.click();
  return Boolean(target);
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  const active = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || active?.matches("input, textarea, select") || event.defaultPrevented) return;
  if (document.body.dataset.keys === "off") return;
  const before = first;
  first = event.key;
  if (event.key === "?") {
    event.preventDefault();
    void openDialog(`${base}/keys`);
  } else if (event.key === "/") {
    const filter = /** @type {HTMLElement | null} */ (document.querySelector("main input[type=search]"));
    if (!filter) return;
    event.preventDefault();
    filter.focus();
  } else if (before === "g" && event.key in PLACES) location.assign(base + PLACES[event.key]);
  else if (before === "g" && event.key === "g") {
    const other = document.querySelector('.tabs a:not([aria-current])[data-tab="graph"], .tabs a:not([aria-current])[data-tab="grid"], .tabs a[data-tab="tasks"]');
    /** @type {HTMLElement | null} */ (other)?.click();
  } else if (event.key !== "g" && document.querySelector("dialog[open]") === null && press(event.key)) event.preventDefault();
});
