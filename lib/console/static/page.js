// What every page does: local times, clocks that tick, the widget of the system, and saying that a run ended.
import { listen } from "./live.js";
import { localise, patch } from "./bind.js";
import { hindrance, isFinal, shown, stateOf, t } from "./words.js";

const told = document.getElementById("told");
// The one polite live region: changes of state, and nothing that ticks.
export const tell = (text) => { told.textContent = text; };

export const rows = new Map();

export function show(key, row) {
  rows.set(key, row);
  for (const element of document.querySelectorAll(`[data-row="${CSS.escape(key)}"]`)) patch(element, row);
}

// What is folded out lies over the page, so it folds in again by itself.
for (const menu of document.querySelectorAll(".menu")) {
  addEventListener("pointerdown", ({ target }) => { if (!menu.contains(target)) menu.open = false; });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.firstElementChild.focus();
  });
}

const ends = document.getElementById("ends");
ends.hidden = false;
const wish = Object.fromEntries([...ends.querySelectorAll("input")].map((box) => [box.name, box]));
wish.title.checked = true;
for (const box of Object.values(wish)) {
  const kept = localStorage.getItem(`ends-${box.name}`);
  if (kept) box.checked = kept === "1";
}
ends.addEventListener("change", async ({ target }) => {
  localStorage.setItem(`ends-${target.name}`, target.checked ? "1" : "0");
  if (target.checked && target !== wish.title) (await import("./ends.js")).wished(target, ends.querySelector(".note"));
});

// Says that a run ended, when it was seen at work before; as the person chose.
export function watch(run, before) {
  if (!before || isFinal(before) || !isFinal(run)) return;
  const text = t("ended", { subject: shown(run, "subject"), state: shown(run, "state") });
  tell(text);
  if (wish.title.checked) mark(text);
  if (wish.sound.checked || wish.notify.checked) import("./ends.js").then((ends) => ends.end(run, text, wish));
}

// Says that a run or a phase of it has another state than before, and whether it has.
export function changed(key, row, before) {
  if (!before || stateOf(before) === stateOf(row)) return false;
  const state = shown(row, "state");
  tell(key === "run" ? t("run_changed", { state }) : t("phase_changed", { phase: shown(row, "name"), state }));
  return true;
}

// Offers what can be done to a run now; what cannot says why.
export function offer(run) {
  for (const form of document.querySelectorAll(".actions form")) {
    const why = hindrance(run, form.dataset.action), [button, reason] = form.children;
    if (why) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
    reason.hidden = !why;
    reason.textContent = why;
  }
}
document.querySelector(".actions")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  (await import("./ask.js")).act(event.target);
});

let title = document.title, marked = "";
function mark(text) {
  marked = text;
  retitle();
}
export function retitle(text = title) {
  title = text;
  document.title = marked ? `● ${marked}` : title;
}
addEventListener("focus", () => { marked = ""; retitle(); });

for (const element of document.querySelectorAll("time")) localise(element);
setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-row]")) {
    const row = rows.get(element.dataset.row);
    if (!row || isFinal(row)) continue;
    for (const clock of element.querySelectorAll('[data-t="duration"], [data-t="left"]')) clock.textContent = shown(row, clock.dataset.t);
  }
}, 1000);

export const start = (topics) => listen({ ...topics, system: { row: (key, row) => { if (row) show(key, row); } } });
