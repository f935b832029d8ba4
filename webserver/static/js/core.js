// @ts-check
// What every page has: dialogs made of ordinary pages, keys, search, forms that send themselves.

export const base = document.body.dataset.base ?? "";
export const csrf = () => /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]'))?.content ?? "";

/** @param {string} url @returns {Promise<Document | null>} */
export const fetchPage = async (url, fragment = "main") => {
  const answer = await fetch(url, { headers: { "X-Fragment": fragment } });
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/login")) {
    location.reload();
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));

/** Shows the main part of another page in a dialog. @param {string} url */
export const openDialog = async (url) => {
  const page = await fetchPage(url);
  const main = page?.querySelector("main");
  if (!main) return;
  dialog.dataset.url = url;
  dialog.replaceChildren(...main.childNodes);
  for (const form of dialog.querySelectorAll("form:not([action])")) form.setAttribute("action", url);
  if (!dialog.open) dialog.showModal();
  document.dispatchEvent(new CustomEvent("tradewind:dialog", { detail: dialog }));
};

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
  if (target === dialog || target === palette) /** @type {HTMLDialogElement} */ (target).close();
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.confirm && !form.dataset.agreed) {
    event.preventDefault();
    void openDialog(form.dataset.confirm);
    return;
  }
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault(); // a second click must not act twice
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 3000);
});

document.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.matches("[data-submit]")) field.form?.requestSubmit();
  const preview = /** @type {HTMLFormElement | null} */ (field.closest("form[data-preview]"));
  if (!preview?.closest("dialog")) return;
  const fields = new URLSearchParams(/** @type {any} */ (new FormData(preview)));
  fields.delete("csrf_token");
  const url = `${preview.dataset.preview}?${fields}`;
  const id = field.id;
  void openDialog(url).then(() => document.getElementById(id)?.focus());
});

// --- search
const palette = /** @type {HTMLDialogElement} */ (document.getElementById("palette"));
const field = /** @type {HTMLInputElement} */ (palette.querySelector("input"));
const list = /** @type {HTMLUListElement} */ (palette.querySelector("ul"));
const opener = /** @type {HTMLButtonElement} */ (document.getElementById("search-open"));
let asked = 0;

const search = async () => {
  const turn = ++asked;
  const answer = await fetch(`${palette.dataset.url}?q=${encodeURIComponent(field.value)}`);
  if (!answer.ok || turn !== asked) return;
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

// --- keys
let first = "";
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  const active = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || active?.matches("input, textarea, select")) return;
  if (event.key === "/") {
    const filter = /** @type {HTMLElement | null} */ (document.querySelector("main input[type=search]"));
    if (filter) {
      event.preventDefault();
      filter.focus();
    }
  }
  const places = { d: "/dags", r: "/runs", h: "/" };
  if (first === "g" && event.key in places) location.assign(base + places[/** @type {"d"|"r"|"h"} */ (event.key)]);
  first = event.key;
});

// --- lengths of time that go on
setInterval(() => {
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-since]"))) {
    const s = Math.max(0, Math.round((Date.now() - Date.parse(one.dataset.since ?? "")) / 1000));
    one.textContent = s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  }
}, 1000);
