// The page of a run: the spine, the chosen phase, the buttons.
import { patch } from "./bind.js";
import { rows, retitle, show, start, tell, watch } from "./page.js";
import { hindrance, shown, stateOf, t } from "./words.js";
import { follow } from "./logs.js";

const id = document.body.dataset.run;
const detail = document.querySelector(".detail");
const logs = follow(id);

function row(key, value, before) {
  if (!value) return;
  show(key, value);
  if (key === "run") {
    retitle(`${shown(value, "progress")} · ${shown(value, "subject")} · Régie`);
    for (const form of document.querySelectorAll("[data-action]")) offer(form, hindrance(value, form.dataset.action));
    watch(value, before);
  }
  if (before && stateOf(before) !== stateOf(value)) {
    tell(key === "run" ? t("run_changed", { state: shown(value, "state") }) : t("phase_changed", { phase: shown(value, "name"), state: shown(value, "state") }));
    logs.wake();
  }
}

function offer(form, why) {
  const [button, reason] = form.children;
  if (why) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  reason.hidden = !why;
  reason.textContent = why;
}

function choose(key) {
  detail.dataset.row = `phase:${key}`;
  for (const node of document.querySelectorAll(".node")) {
    if (node.dataset.row === detail.dataset.row) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
  if (rows.has(detail.dataset.row)) patch(detail, rows.get(detail.dataset.row));
}

document.querySelector(".spine").addEventListener("click", (event) => {
  const node = event.target.closest(".node");
  if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(node.dataset.row.slice("phase:".length));
  history.replaceState(null, "", node.href);
  if (innerWidth <= 880) document.getElementById("detail").scrollIntoView({ block: "start" });
});

document.querySelector(".actions").addEventListener("submit", async (event) => {
  event.preventDefault();
  (await import("./ask.js")).act(event.target);
});

start({ [`run:${id}`]: { row, end: () => logs.wake() } });
