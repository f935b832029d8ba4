// @ts-check
// Acts on what is chosen in a table, and texts to be copied.

import { openDialog, say } from "./core.js";

const count = () => {
  const bar = /** @type {HTMLElement | null} */ (document.getElementById("bulk"));
  if (!bar) return;
  const chosen = document.querySelectorAll("[data-pick]:checked").length;
  bar.hidden = chosen === 0;
  const words = document.getElementById("bulk-count");
  if (words) words.textContent = `${chosen} chosen`;
};

document.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.matches("[data-pick-all]")) {
    for (const one of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-pick]"))) one.checked = field.checked;
  }
  if (field.matches("[data-pick], [data-pick-all]")) count();
});

/** @type {HTMLInputElement | null} */
let last = null;
document.addEventListener("click", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (!field.matches?.("[data-pick]")) return;
  if (event.shiftKey && last) {
    // From the last one to this: as in every list of mails.
    const all = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("[data-pick]")]);
    const [a, b] = [all.indexOf(last), all.indexOf(field)].sort((x, y) => x - y);
    for (const one of all.slice(Math.max(0, a), b + 1)) one.checked = field.checked;
    count();
  }
  last = field;
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-bulk]")) return;
  event.preventDefault();
  const fields = new FormData(form, /** @type {HTMLElement} */ (event.submitter));
  void openDialog(form.action, { method: "POST", body: /** @type {any} */ (new URLSearchParams(/** @type {any} */ (fields))) });
}, { capture: true });

document.addEventListener("click", async (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-copy]");
  const text = button?.parentElement?.querySelector("code")?.textContent ?? document.getElementById(button?.getAttribute("data-copy") ?? "")?.textContent;
  if (!button || text === undefined || text === null) return;
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    // Without https a page may not: choose the text, and the reader's own keys copy it.
    const code = button.parentElement?.querySelector("code");
    if (code) getSelection()?.selectAllChildren(code);
    say("Press Ctrl C to copy.");
  }
});

/** What a form would do, as a command: asked of the server, which knows. @param {HTMLFormElement} form */
const tell = async (form) => {
  const place = /** @type {HTMLElement | null} */ (form.parentElement?.querySelector("[data-equivalent]"));
  if (!place || !place.closest("details")?.open) return;
  const fields = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  fields.delete("csrf_token");
  const answer = await fetch(`${place.dataset.equivalent}?${fields}`).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...page.body.childNodes);
};
document.addEventListener("toggle", (event) => {
  const place = /** @type {Element} */ (event.target).querySelector?.("[data-equivalent]");
  const form = place?.closest("main, dialog")?.querySelector("form.form");
  if (form) void tell(/** @type {HTMLFormElement} */ (form));
}, { capture: true });
let soon = 0;
document.addEventListener("input", (event) => {
  const form = /** @type {Element} */ (event.target).closest("form.form");
  if (!form) return;
  clearTimeout(soon);
  soon = setTimeout(() => void tell(/** @type {HTMLFormElement} */ (form)), 300);
});
document.addEventListener("tradewind:refreshed", count);
count();
