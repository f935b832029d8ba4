// @ts-check
// What every page has: dialogs made of ordinary pages, forms that send themselves, lengths that go on.

export const base = document.body.dataset.base ?? "";
export const csrf = () => /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]'))?.content ?? "";

/** Says something to the reader, for some seconds. @param {string} text */
export const say = (text) => {
  const line = /** @type {HTMLElement} */ (document.getElementById("say"));
  line.textContent = text;
  line.hidden = false;
  setTimeout(() => { line.hidden = line.textContent === text || line.hidden; }, 6000);
};

/** Fetches a page; null: the server is away, or the session has ended and the reader has to log in.
 * @param {string} url @param {string} fragment @param {RequestInit} [how] @returns {Promise<Document | null>} */
export const fetchPage = async (url, fragment = "main", how = {}) => {
  let answer;
  try {
    answer = await fetch(url, { headers: { "X-Fragment": fragment }, ...how });
  } catch {
    say("The server does not answer. Try again in a moment.");
    return null;
  }
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/login")) {
    // Where a page was asked for, the reader comes back to it; nothing was changed.
    location.assign(`${base}/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));

/** Shows the main part of another page in a dialog. @param {string} url @param {RequestInit} [how] */
export const openDialog = async (url, how) => {
  const page = await fetchPage(url, "main", how);
  const main = page?.querySelector("main");
  if (!main) return;
  dialog.dataset.url = url;
  main.querySelector("#flashes")?.remove();
  dialog.replaceChildren(...main.childNodes);
  for (const form of dialog.querySelectorAll("form:not([action])")) form.setAttribute("action", url);
  if (!dialog.open) dialog.showModal();
  document.dispatchEvent(new CustomEvent("tradewind:dialog", { detail: dialog }));
};

/** What scrolls sideways can be scrolled by keys: where it does not, it is no stop for Tab. */
const reachTables = () => {
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".scroll, pre, .calendar"))) {
    if (one.scrollWidth <= one.clientWidth) continue;
    one.tabIndex = 0;
    one.setAttribute("role", "region");
    one.setAttribute("aria-label", one.closest("section, form")?.querySelector("h2")?.textContent || "Table");
  }
};
document.addEventListener("tradewind:refreshed", reachTables);
addEventListener("resize", reachTables);
reachTables();

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-dialog]"));
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    void openDialog(link.href);
  }
  if (target.closest("dialog [data-close]")) {
    event.preventDefault();
    dialog.close();
  }
  if (target instanceof HTMLDialogElement) target.close(); // beside it, on its backdrop
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.confirm && !form.dataset.agreed) {
    event.preventDefault();
    void openDialog(form.dataset.confirm);
    return;
  }
  if (form.method !== "post") return;
  if (form.dataset.sure && !confirm(form.dataset.sure)) {
    event.preventDefault();
    return;
  }
  if (form.dataset.sent) event.preventDefault(); // a second click must not act twice
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 3000);
});

document.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.matches("[data-go]") && field.value) location.assign(field.value);
  if (field.matches("[data-submit]")) field.form?.requestSubmit();
  const preview = /** @type {HTMLFormElement | null} */ (field.closest("form[data-preview]"));
  if (!preview?.closest("dialog")) return;
  const fields = new URLSearchParams(/** @type {any} */ (new FormData(preview)));
  fields.delete("csrf_token");
  const url = `${preview.dataset.preview}?${fields}`;
  const id = field.id;
  void openDialog(url).then(() => document.getElementById(id)?.focus());
});

// --- lengths of time that go on
setInterval(() => {
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-since]"))) {
    const s = Math.max(0, Math.round((Date.now() - Date.parse(one.dataset.since ?? "")) / 1000));
    one.textContent = s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  }
}, 1000);
