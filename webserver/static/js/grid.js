// @ts-check
// The grid: runs by tasks on one canvas, of which only what is visible is drawn.

import { fetchPage } from "./core.js";

const CELL = 16, DX = 18, DY = 20, HEAD = 84, BARS = 50;
const box = /** @type {HTMLElement} */ (document.getElementById("grid"));

/** @typedef {{letters: Record<string,string>, order: string, rows: [string,string,number,number,number][], runs: [string,string,string,string,number,string|null][], cells: string[]}} Data */

class Grid {
  /** @param {Data} data */
  constructor(data) {
    this.view = /** @type {HTMLElement} */ (box.querySelector(".grid-view"));
    this.canvas = /** @type {HTMLCanvasElement} */ (box.querySelector("canvas"));
    this.pool = /** @type {HTMLElement} */ (box.querySelector(".grid-labels"));
    this.link = /** @type {HTMLAnchorElement} */ (box.querySelector(".grid-cell"));
    this.space = /** @type {HTMLElement} */ (box.querySelector(".grid-space"));
    this.tip = /** @type {HTMLElement} */ (document.getElementById("tip"));
    this.side = /** @type {HTMLElement} */ (document.getElementById("side"));
    this.filter = /** @type {HTMLInputElement} */ (document.getElementById("task-filter"));
    const query = new URLSearchParams(location.search);
    this.folded = new Set((query.get("folded") ?? "").split(",").filter(Boolean));
    this.at = { row: -1, run: -1 };
    this.setData(data);
    if (this.rows.length > 150 && !query.has("folded")) this.foldAll();
    this.listen();
    this.paint();
    box.scrollLeft = box.scrollWidth;
  }

  /** @param {Data} data */
  setData(data) {
    this.data = data;
    this.rows = data.rows.map(([id, label, depth, group, mapped], n) => ({ id, label, depth, isGroup: group === 1, isMapped: mapped === 1, cells: data.cells[n] }));
    this.fillGroups();
    this.longest = Math.max(0.001, ...data.runs.map((run) => run[4]));
    this.select();
  }

  /** A group line shows the worst below it. */
  fillGroups() {
    const { order } = this.data;
    for (let n = this.rows.length - 1; n >= 0; n--) {
      const group = this.rows[n];
      if (!group.isGroup) continue;
      const worst = new Array(this.data.runs.length).fill(" ");
      for (let m = n + 1; m < this.rows.length && this.rows[m].depth > group.depth; m++) {
        if (this.rows[m].isGroup) continue;
        for (let run = 0; run < worst.length; run++) {
          const letter = this.rows[m].cells[run];
          if (letter !== " " && (worst[run] === " " || order.indexOf(letter) < order.indexOf(worst[run]))) worst[run] = letter;
        }
      }
      group.cells = worst.join("");
    }
  }

  /** Chooses the lines on show: not those of folded groups, not those filtered out. */
  select() {
    const wanted = this.filter?.value.toLowerCase() ?? "";
    this.shown = [];
    let hiddenBelow = Infinity;
    for (const row of this.rows) {
      if (row.depth > hiddenBelow) continue;
      hiddenBelow = Infinity;
      if (wanted && (row.isGroup || !row.id.toLowerCase().includes(wanted))) continue;
      this.shown.push(row);
      if (row.isGroup && this.folded.has(row.id) && !wanted) hiddenBelow = row.depth;
    }
    this.labelWidth = innerWidth < 760 ? 116 : 232;
    const width = this.labelWidth + 8 + this.data.runs.length * DX + 12, height = HEAD + this.shown.length * DY + 8;
    this.space.style.width = `${width}px`;
    this.space.style.height = `${height}px`;
    box.style.height = `${Math.min(Math.max(height + 16, 180), innerHeight - 170)}px`;
  }

  colours() {
    const probe = document.createElement("i");
    this.view.append(probe);
    /** @param {string} name */
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const ink = Object.fromEntries(Object.entries(this.data.letters).map(([letter, state]) => [letter, [read(state), read(`on-${state}`)]]));
    const palette = { ink, text: read("text"), text2: read("text2"), border: read("border"), surface: read("surface"), accent: read("accent") };
    probe.remove();
    return palette;
  }

  paint() {
    const width = box.clientWidth, height = box.clientHeight, scale = devicePixelRatio || 1;
    this.view.style.width = `${width}px`;
    this.view.style.height = `${height}px`;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.palette ??= this.colours();
    const { scrollLeft, scrollTop } = box;
    const fromRun = Math.max(0, Math.floor(scrollLeft / DX)), toRun = Math.min(this.data.runs.length, Math.ceil((scrollLeft + width - this.labelWidth) / DX));
    const fromRow = Math.max(0, Math.floor(scrollTop / DY)), toRow = Math.min(this.shown.length, Math.ceil((scrollTop + height - HEAD) / DY));
    let drawn = 0;
    pen.save();
    pen.beginPath();
    pen.rect(this.labelWidth, HEAD, width, height);
    pen.clip();
    for (let n = fromRow; n < toRow; n++) {
      const row = this.shown[n], y = HEAD + n * DY - scrollTop + 2;
      for (let run = fromRun; run < toRun; run++) {
        const letter = row.cells[run];
        if (!letter || letter === " ") continue;
        this.cell(pen, this.labelWidth + 8 + run * DX - scrollLeft, y, letter);
        drawn++;
      }
    }
    pen.restore();
    box.dataset.drawn = String(drawn);
    box.dataset.cells = String(this.rows.reduce((sum, row) => sum + (row.isGroup ? 0 : row.cells.replaceAll(" ", "").length), 0));
    this.head(pen, fromRun, toRun, scrollLeft, width);
    this.labels(fromRow, toRow, scrollTop);
    this.mark();
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {string} letter */
  cell(pen, x, y, letter) {
    const [fill, on] = this.palette.ink[letter];
    const isHollow = "qc.x".includes(letter);
    pen.fillStyle = fill;
    pen.beginPath();
    pen.roundRect(x + 0.5, y + 0.5, CELL - 1, CELL - 1, 4);
    pen.fill();
    if (isHollow) {
      pen.strokeStyle = on;
      pen.setLineDash(letter === "." ? [2, 2] : []);
      pen.stroke();
      pen.setLineDash([]);
    }
    if (letter === "s" || letter === ".") return;
    pen.strokeStyle = pen.fillStyle = on;
    pen.lineWidth = 1.6;
    pen.beginPath();
    const m = (/** @type {number[]} */ ...p) => { pen.moveTo(x + p[0], y + p[1]); for (let i = 2; i < p.length; i += 2) pen.lineTo(x + p[i], y + p[i + 1]); };
    if (letter === "f") { m(5, 5, 11, 11); m(11, 5, 5, 11); }
    else if (letter === "r") { m(6, 4.5, 11.5, 8, 6, 11.5); pen.fill(); }
    else if (letter === "u") { m(4.5, 4.5, 11.5, 4.5); m(8, 12, 8, 7); m(5.5, 9, 8, 6.8, 10.5, 9); }
    else if (letter === "k") { m(4.5, 5, 7.5, 8, 4.5, 11); m(8.5, 5, 11.5, 8, 8.5, 11); }
    else if (letter === "y") { pen.arc(x + 8, y + 8, 3.5, 0.4, 5.4); m(11.6, 3.6, 11.2, 6.2, 8.8, 5.6); }
    else if (letter === "e") { pen.arc(x + 8, y + 8, 4, 0, 6.3); m(8, 5.5, 8, 8, 10, 9); }
    else if (letter === "d") { m(6.2, 5, 6.2, 11); m(9.8, 5, 9.8, 11); }
    else if (letter === "t") { m(4, 8, 12, 8); m(9, 5, 12, 8, 9, 11); }
    else if (letter === "q") { for (const dx of [4.5, 8, 11.5]) { pen.moveTo(x + dx, y + 8); pen.arc(x + dx, y + 8, 1, 0, 6.3); } }
    else if (letter === "c") { m(5, 4.5, 11, 4.5, 5, 11.5, 11, 11.5, 5, 4.5); }
    else if (letter === "x") { m(4.5, 8, 11.5, 8); }
    pen.stroke();
    pen.lineWidth = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} from @param {number} to @param {number} scrolled @param {number} width */
  head(pen, from, to, scrolled, width) {
    pen.save();
    pen.beginPath();
    pen.rect(this.labelWidth, 0, width, HEAD);
    pen.clip();
    pen.font = "12px system-ui, sans-serif";
    let free = -Infinity;
    for (let n = from; n < to; n++) {
      const [, state, type, at, length] = this.data.runs[n];
      const x = this.labelWidth + 8 + n * DX - scrolled;
      const letter = this.data.order[[...this.data.order].findIndex((one) => this.data.letters[one] === state)] ?? ".";
      const tall = state === "running" || state === "queued" ? 24 : Math.max(6, (length / this.longest) * BARS);
      const [fill, on] = this.palette.ink[letter];
      pen.fillStyle = fill;
      pen.beginPath();
      pen.roundRect(x + 1.5, HEAD - 6 - tall, CELL - 3, tall, 3);
      pen.fill();
      if (state === "queued") { pen.strokeStyle = on; pen.stroke(); }
      if (state === "failed") { pen.strokeStyle = on; pen.beginPath(); pen.moveTo(x + 5.5, HEAD - 14); pen.lineTo(x + 10.5, HEAD - 9); pen.moveTo(x + 10.5, HEAD - 14); pen.lineTo(x + 5.5, HEAD - 9); pen.stroke(); }
      pen.fillStyle = this.palette.text;
      if (type !== "scheduled") pen.fillText(type[0].toUpperCase(), x + 4, HEAD - 9 - tall);
      if (x > free) {
        pen.fillStyle = this.palette.text2;
        const label = new Date(at).toLocaleDateString(undefined, { month: "short", day: "2-digit", timeZone: "UTC" });
        pen.fillText(label, x, 14);
        free = x + pen.measureText(label).width + 64;
      }
    }
    pen.restore();
    pen.strokeStyle = this.palette.border;
    pen.beginPath();
    pen.moveTo(0, HEAD - 3.5);
    pen.lineTo(width, HEAD - 3.5);
    pen.moveTo(this.labelWidth + 0.5, 0);
    pen.lineTo(this.labelWidth + 0.5, 9999);
    pen.stroke();
  }

  /** Labels are real buttons and links, as many as fit, used again while scrolling. */
  labels(/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ scrolled) {
    this.pool.style.width = `${this.labelWidth}px`;
    while (this.pool.children.length < to - from) {
      const made = document.createElement("button");
      made.type = "button";
      made.addEventListener("click", () => this.press(Number(made.dataset.row)));
      this.pool.append(made);
    }
    while (this.pool.children.length > to - from) this.pool.lastElementChild?.remove();
    for (let n = from; n < to; n++) {
      const row = this.shown[n], label = /** @type {HTMLButtonElement} */ (this.pool.children[n - from]);
      const y = HEAD + n * DY - scrolled;
      label.style.top = `${y}px`;
      label.style.paddingLeft = `${8 + row.depth * 14}px`;
      label.style.visibility = y < HEAD - 6 ? "hidden" : "visible";
      label.className = row.isGroup ? "group" : "";
      label.dataset.row = String(n);
      label.title = row.id;
      const text = (row.isGroup ? (this.folded.has(row.id) ? "▸ " : "▾ ") : "") + row.label + (row.isMapped ? " [ ]" : "");
      if (label.textContent !== text) label.textContent = text;
      if (row.isGroup) label.setAttribute("aria-expanded", String(!this.folded.has(row.id)));
      else label.removeAttribute("aria-expanded");
    }
  }

  /** @param {number} n */
  press(n) {
    const row = this.shown[n];
    if (row.isGroup) this.fold(row.id);
    else {
      this.at = { row: n, run: this.data.runs.length - 1 };
      this.choose();
    }
  }

  /** @param {string} id */
  fold(id) {
    if (!this.folded.delete(id)) this.folded.add(id);
    this.refold();
  }

  foldAll() {
    this.folded = new Set(this.rows.filter((row) => row.isGroup).map((row) => row.id));
    this.select();
  }

  refold() {
    const url = new URL(location.href);
    if (this.folded.size) url.searchParams.set("folded", [...this.folded].join(","));
    else url.searchParams.delete("folded");
    history.replaceState(null, "", url);
    this.select();
    this.paint();
  }

  /** @param {{clientX: number, clientY: number}} event */
  find(event) {
    const bounds = box.getBoundingClientRect();
    const x = event.clientX - bounds.left - this.labelWidth - 8, y = event.clientY - bounds.top - HEAD;
    const run = Math.floor((x + box.scrollLeft) / DX);
    if (x < 0 || run < 0 || run >= this.data.runs.length) return null;
    if (y < 0) return { row: -1, run };
    const row = Math.floor((y + box.scrollTop) / DY);
    return row < this.shown.length ? { row, run } : null;
  }

  /** @param {number} row @param {number} run */
  address(row, run) {
    const place = `${box.dataset.dag}/runs/${encodeURIComponent(this.data.runs[run][0])}`;
    return row < 0 || this.shown[row].isGroup ? place : `${place}/tasks/${encodeURIComponent(this.shown[row].id)}`;
  }

  /** @param {number} row @param {number} run */
  words(row, run) {
    const [id, state, type, at, length] = this.data.runs[run];
    if (row < 0) return `${id}\n${state}, ${type}\n${length ? `${length} s` : ""}`;
    const letter = this.shown[row].cells[run];
    return `${this.shown[row].id}\n${at.replace("T", " ").slice(0, 19)}\n${(this.data.letters[letter] ?? "no task instance").replaceAll("_", " ")}`;
  }

  mark() {
    const { row, run } = this.at;
    const isThere = run >= 0 && run < this.data.runs.length && row >= 0 && row < this.shown.length;
    this.link.hidden = !isThere;
    if (!isThere) return;
    const left = this.labelWidth + 7 + run * DX - box.scrollLeft, top = HEAD + row * DY - box.scrollTop;
    this.link.style.left = `${left}px`;
    this.link.style.top = `${top}px`;
    this.link.style.visibility = top < HEAD - 4 || left < this.labelWidth ? "hidden" : "visible";
    this.link.href = this.address(row, run);
    this.link.setAttribute("aria-label", this.words(row, run).replaceAll("\n", ", "));
  }

  async choose() {
    this.mark();
    const { row, run } = this.at;
    if (run < 0) return;
    const page = await fetchPage(this.address(row, run), "side");
    const fragment = page?.querySelector("#side-content");
    if (!fragment) return;
    const was = this.side.hidden;
    this.side.replaceChildren(...fragment.childNodes);
    this.side.hidden = false;
    if (was) this.paint();
  }

  /** @param {Data} data */
  renew(data) {
    const atEnd = box.scrollLeft + box.clientWidth >= box.scrollWidth - DX;
    this.setData(data);
    if (atEnd) box.scrollLeft = box.scrollWidth;
    this.paint();
  }

  listen() {
    box.addEventListener("scroll", () => requestAnimationFrame(() => this.paint()));
    new ResizeObserver(() => { this.select(); this.paint(); }).observe(/** @type {Element} */ (box.parentElement));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.palette = undefined; this.paint(); });
    this.filter?.addEventListener("input", () => { this.select(); this.paint(); });
    this.filter?.form?.addEventListener("submit", (event) => { if (document.activeElement === this.filter) event.preventDefault(); });
    document.getElementById("fold-all")?.addEventListener("click", () => { this.foldAll(); this.refold(); });
    document.getElementById("unfold-all")?.addEventListener("click", () => { this.folded.clear(); this.refold(); });
    box.addEventListener("pointermove", (event) => {
      const at = this.find(event);
      this.tip.hidden = !at;
      if (!at) return;
      this.tip.textContent = this.words(at.row, at.run);
      this.tip.style.left = `${Math.min(event.clientX + 14, innerWidth - 240)}px`;
      this.tip.style.top = `${event.clientY + 14}px`;
    });
    box.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    box.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("button")) return;
      const at = this.find(event);
      if (!at || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (at.row === this.at.row && at.run === this.at.run) location.assign(this.address(at.row, at.run));
      this.at = at;
      void this.choose();
    });
    box.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("tradewind:refresh", (event) => {
      const text = /** @type {CustomEvent<Element>} */ (event).detail.querySelector("#grid-data")?.textContent;
      if (text) this.renew(JSON.parse(text));
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.target !== box && !(/** @type {Element} */ (event.target).matches(".grid-cell"))) return;
    const rows = this.shown.length - 1, runs = this.data.runs.length - 1;
    if (this.at.run < 0) this.at = { row: 0, run: runs };
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -9999], End: [0, 9999] };
    const row = this.shown[this.at.row];
    if (event.key in moves) {
      const [dr, dc] = moves[/** @type {keyof typeof moves} */ (event.key)];
      this.at = { row: Math.min(rows, Math.max(0, this.at.row + dr)), run: Math.min(runs, Math.max(0, this.at.run + dc)) };
      const top = this.at.row * DY, left = this.at.run * DX;
      if (top < box.scrollTop) box.scrollTop = top;
      if (top + DY > box.scrollTop + box.clientHeight - HEAD) box.scrollTop = top + DY - box.clientHeight + HEAD + 16;
      if (left < box.scrollLeft) box.scrollLeft = left;
      if (left + DX > box.scrollLeft + box.clientWidth - this.labelWidth - 16) box.scrollLeft = left + DX - box.clientWidth + this.labelWidth + 24;
      this.paint();
    } else if (event.key === "Enter") location.assign(this.address(this.at.row, this.at.run));
    else if (event.key === " ") void this.choose();
    else if (event.key === "[" && row?.isGroup && !this.folded.has(row.id)) this.fold(row.id);
    else if (event.key === "]" && row?.isGroup && this.folded.has(row.id)) this.fold(row.id);
    else if (event.key === "Escape") { this.side.hidden = true; this.paint(); }
    else return;
    event.preventDefault();
  }
}

const found = document.getElementById("grid-data");
if (box && found) new Grid(JSON.parse(found.textContent ?? "{}"));
