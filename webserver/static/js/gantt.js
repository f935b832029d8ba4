// @ts-check
// The Gantt: drag along the axis to see a part of the time. The part stands in the address.

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const find = () => /** @type {HTMLElement | null} */ (document.getElementById("gantt"));
/** @type {{from: number, box: DOMRect, mark: SVGRectElement} | null} */
let drag = null;

main.addEventListener("pointerdown", (event) => {
  const axis = /** @type {Element} */ (event.target).closest("#gantt .axis svg");
  if (!axis || event.button !== 0) return;
  drag = { from: event.clientX, box: axis.getBoundingClientRect(), mark: /** @type {SVGRectElement} */ (axis.querySelector(".drag")) };
  main.dataset.frozen = "yes"; // news must not take the chart away from under the pointer
  event.preventDefault();
});
const ends = (/** @type {PointerEvent} */ event) => {
  if (!drag) return null;
  const { from, box } = drag;
  const clip = (/** @type {number} */ x) => Math.min(1, Math.max(0, (x - box.left) / box.width));
  return [clip(Math.min(from, event.clientX)), clip(Math.max(from, event.clientX))];
};
addEventListener("pointermove", (event) => {
  const part = ends(event);
  if (!drag || !part) return;
  drag.mark.setAttribute("x", `${part[0] * 100}%`);
  drag.mark.setAttribute("width", `${(part[1] - part[0]) * 100}%`);
});
addEventListener("pointerup", (event) => {
  const part = ends(event), chart = find();
  if (!drag || !part || !chart) return;
  drag.mark.setAttribute("width", "0");
  drag = null;
  delete main.dataset.frozen;
  if (part[1] - part[0] < 0.01) return;
  const from = Date.parse(chart.dataset.from ?? ""), length = Date.parse(chart.dataset.to ?? "") - from;
  const at = (/** @type {number} */ share) => encodeURIComponent(new Date(from + share * length).toISOString());
  location.assign((chart.dataset.url ?? "").replace("FROM", at(part[0])).replace("TO", at(part[1])));
});
