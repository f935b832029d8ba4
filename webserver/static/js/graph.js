// @ts-check
// The graph: pan, zoom, light up what hangs together, keys along edges, states that follow the run.

import { fetchPage } from "./core.js";

const box = /** @type {HTMLElement} */ (document.getElementById("graph"));
const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const view = { x: 0, y: 0, scale: 1 };
/** @type {Map<string, {up: string[], down: string[]}>} */
let links = new Map();
/** @type {[string, string][]} */
let edges = [];
let svg = /** @type {SVGSVGElement} */ (box.querySelector("svg"));
let chosen = "";

const nodes = () => /** @type {NodeListOf<SVGAElement>} */ (box.querySelectorAll(".node"));
/** @param {string} id */
const nodeOf = (id) => /** @type {SVGAElement | null} */ (box.querySelector(`.node[data-id="${CSS.escape(id)}"]`));

const read = () => {
  svg = /** @type {SVGSVGElement} */ (box.querySelector("svg"));
  edges = JSON.parse(box.dataset.edges ?? "[]");
  links = new Map([...nodes()].map((node) => [node.dataset.id ?? "", { up: [], down: [] }]));
  for (const [from, to] of edges) {
    links.get(from)?.down.push(to);
    links.get(to)?.up.push(from);
  }
};

const apply = () => {
  svg.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  svg.style.willChange = view.scale > 1.5 ? "auto" : "transform";
  box.classList.toggle("far", view.scale < 0.42);
};

/** @param {number} factor @param {number} [x] @param {number} [y] */
const zoom = (factor, x = box.clientWidth / 2, y = box.clientHeight / 2) => {
  const scale = Math.min(2.5, Math.max(0.08, view.scale * factor));
  const grown = scale / view.scale;
  view.x = x - (x - view.x) * grown;
  view.y = y - (y - view.y) * grown;
  view.scale = scale;
  apply();
};

const fit = () => {
  const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
  view.scale = Math.min(1, Math.max(0.6, Math.min(box.clientWidth / width, box.clientHeight / height)));
  view.y = Math.max(0, (box.clientHeight - height * view.scale) / 2);
  view.x = Math.max(8, (box.clientWidth - width * view.scale) / 2);
  const active = width * view.scale > box.clientWidth && box.querySelector('.node[data-state="running"], .node[data-state="failed"]');
  apply();
  if (active) show(/** @type {SVGAElement} */ (active));
};
const fitAll = () => {
  const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
  view.scale = Math.min(1, box.clientWidth / width, box.clientHeight / height);
  view.x = (box.clientWidth - width * view.scale) / 2;
  view.y = (box.clientHeight - height * view.scale) / 2;
  apply();
};

/** Moves the graph so that a node is in sight. @param {SVGAElement} node */
const show = (node) => {
  const own = node.getBoundingClientRect(), frame = box.getBoundingClientRect();
  if (own.left < frame.left + 20 || own.right > frame.right - 20) view.x += frame.left + frame.width / 2 - (own.left + own.width / 2);
  if (own.top < frame.top + 20 || own.bottom > frame.bottom - 20) view.y += frame.top + frame.height / 2 - (own.top + own.height / 2);
  apply();
};

/** @param {string} id @param {"up" | "down"} way */
const reach = (id, way) => {
  const found = new Set([id]), waiting = [id];
  while (waiting.length) for (const next of links.get(waiting.pop() ?? "")?.[way] ?? []) if (!found.has(next)) { found.add(next); waiting.push(next); }
  return found;
};

/** @param {Set<string>} up @param {Set<string>} down */
const light = (up, down) => {
  box.classList.add("lit");
  for (const node of nodes()) node.classList.toggle("on", up.has(node.dataset.id ?? "") || down.has(node.dataset.id ?? ""));
  for (const line of box.querySelectorAll(".edge")) {
    const isOn = (line.getAttribute("data-e") ?? "").split(" ").some((n) => {
      const [from, to] = edges[Number(n)];
      return (up.has(from) && up.has(to)) || (down.has(from) && down.has(to));
    });
    line.classList.toggle("on", isOn);
  }
};
const mode = () => /** @type {HTMLSelectElement} */ (document.getElementById("graph-mode")).value;
const rest = () => {
  if (mode() === "near" && chosen) light(reach(chosen, "up"), reach(chosen, "down"));
  else if (mode() === "failed") {
    const down = new Set();
    for (const node of nodes()) if (["failed", "upstream_failed"].includes(node.dataset.state ?? "")) for (const id of reach(node.dataset.id ?? "", "down")) down.add(id);
    light(new Set(), down);
  } else box.classList.remove("lit");
};

/** Shows another fold of the graph. @param {string} url */
const load = async (url) => {
  const page = await fetchPage(url);
  const fresh = page?.getElementById("graph");
  if (fresh) take(fresh, true);
};

/** Takes states, and after a fold the whole drawing, from a newly fetched page. @param {HTMLElement} fresh @param {boolean} whole */
const take = (fresh, whole) => {
  const same = !whole && fresh.dataset.edges === box.dataset.edges;
  if (!same) {
    box.dataset.edges = fresh.dataset.edges;
    svg.replaceWith(/** @type {SVGSVGElement} */ (fresh.querySelector("svg")));
    read();
    apply();
    return;
  }
  for (const node of /** @type {NodeListOf<SVGAElement>} */ (fresh.querySelectorAll(".node"))) {
    const own = nodeOf(node.dataset.id ?? "");
    if (!own || (own.dataset.state === node.dataset.state && own.textContent === node.textContent)) continue;
    own.dataset.state = node.dataset.state;
    own.setAttribute("aria-label", node.getAttribute("aria-label") ?? "");
    own.querySelector("use")?.setAttribute("href", node.querySelector("use")?.getAttribute("href") ?? "");
    const text = own.querySelector("text"), next = node.querySelector("text");
    if (text && next) text.textContent = next.textContent;
  }
};

const listen = () => {
  let drag = /** @type {{x: number, y: number, id: number, moved: boolean} | null} */ (null);
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || /** @type {Element} */ (event.target).closest(".zoom")) return;
    drag = { x: event.clientX - view.x, y: event.clientY - view.y, id: event.pointerId, moved: false };
  });
  box.addEventListener("pointermove", (event) => {
    if (drag) {
      const x = event.clientX - drag.x, y = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(x - view.x, y - view.y) < 4) return;
      if (!drag.moved) box.setPointerCapture(drag.id);
      drag.moved = true;
      view.x = x;
      view.y = y;
      apply();
    }
  });
  box.addEventListener("pointerup", () => setTimeout(() => { drag = null; }));
  box.addEventListener("dragstart", (event) => event.preventDefault());
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = box.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 500), event.clientX - frame.left, event.clientY - frame.top);
  }, { passive: false });
  box.addEventListener("click", (event) => {
    if (drag?.moved) { event.preventDefault(); return; }
    const fold = /** @type {SVGAElement | null} */ (/** @type {Element} */ (event.target).closest("[data-fold]"));
    if (!fold || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const url = fold.getAttribute("href") ?? "";
    history.replaceState(null, "", url);
    void load(url);
  });
  box.addEventListener("pointerover", (event) => {
    const id = /** @type {SVGAElement | null} */ (/** @type {Element} */ (event.target).closest(".node"))?.dataset.id;
    if (id && mode() === "all") light(reach(id, "up"), reach(id, "down"));
  });
  box.addEventListener("pointerout", () => rest());
  box.addEventListener("focusin", (event) => {
    const node = /** @type {SVGAElement | null} */ (/** @type {Element} */ (event.target).closest(".node"));
    if (!node) return;
    chosen = node.dataset.id ?? "";
    for (const one of nodes()) one.setAttribute("tabindex", one === node ? "0" : "-1");
    show(node);
    light(reach(chosen, "up"), reach(chosen, "down"));
  });
  box.addEventListener("focusout", () => rest());
  box.addEventListener("keydown", (event) => {
    if (event.key === "+") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fitAll();
    else if (event.key.startsWith("Arrow") && chosen) {
      const own = links.get(chosen);
      let next = event.key === "ArrowRight" ? own?.down[0] : event.key === "ArrowLeft" ? own?.up[0] : undefined;
      if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        const here = nodeOf(chosen)?.getBoundingClientRect();
        const column = [...nodes()].map((node) => ({ node, at: node.getBoundingClientRect() })).filter(({ at }) => here && at.left < here.right && at.right > here.left).sort((a, b) => a.at.top - b.at.top);
        const n = column.findIndex(({ node }) => node.dataset.id === chosen);
        next = column[n + (event.key === "ArrowUp" ? -1 : 1)]?.node.dataset.id;
      }
      if (next) nodeOf(next)?.focus();
    } else return;
    event.preventDefault();
  });
  document.getElementById("zoom-in")?.addEventListener("click", () => zoom(1.25));
  document.getElementById("zoom-out")?.addEventListener("click", () => zoom(0.8));
  document.getElementById("zoom-fit")?.addEventListener("click", fitAll);
  document.getElementById("graph-mode")?.addEventListener("change", rest);
  document.getElementById("node-filter")?.addEventListener("input", (event) => {
    const wanted = /** @type {HTMLInputElement} */ (event.target).value.toLowerCase();
    let isFirst = true;
    for (const node of nodes()) {
      const isFound = wanted !== "" && (node.dataset.id ?? "").toLowerCase().includes(wanted);
      node.classList.toggle("found", isFound);
      if (isFound && isFirst) { show(node); isFirst = false; }
    }
  });
  document.addEventListener("tradewind:refresh", (event) => {
    const fresh = /** @type {CustomEvent<Element>} */ (event).detail.querySelector("#graph");
    if (fresh) take(/** @type {HTMLElement} */ (fresh), false);
  });
};

read();
box.classList.remove("still");
/** @type {HTMLElement} */ (box.querySelector(".zoom")).hidden = false;
listen();
fit();
