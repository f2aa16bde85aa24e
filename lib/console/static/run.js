// The page of a run: the spine, the chosen phase, the buttons.
import { patch } from "./bind.js";
import { changed, offer, rows, retitle, show, start, watch } from "./page.js";
import { shown } from "./words.js";
import { follow } from "./logs.js";

const id = document.body.dataset.run;
const detail = document.querySelector(".detail");
const logs = follow(id);

function row(key, value, before) {
  if (!value) return;
  show(key, value);
  if (key === "run") {
    retitle(`${shown(value, "progress")} · ${shown(value, "subject")} · Régie`);
    offer(value);
    watch(value, before);
  }
  if (changed(key, value, before)) logs.wake();
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

start({ [`run:${id}`]: { row, end: () => logs.wake() } });
