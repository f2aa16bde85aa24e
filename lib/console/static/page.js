// What every page does: local times, clocks that tick, the widget of the system, and saying that a run ended.
import { listen } from "./live.js";
import { localise, patch } from "./bind.js";
import { isFinal, t, shown } from "./words.js";

const told = document.getElementById("told");
// The one polite live region: changes of state, and nothing that ticks.
export const tell = (text) => { told.textContent = text; };

export const rows = new Map();

export function show(key, row) {
  rows.set(key, row);
  for (const element of document.querySelectorAll(`[data-row="${CSS.escape(key)}"]`)) patch(element, row);
}

function remembered(name, element, event, get, set) {
  const kept = localStorage.getItem(name);
  if (kept !== null) set(kept === "1");
  element.addEventListener(event, () => localStorage.setItem(name, get() ? "1" : "0"));
}

const widget = document.getElementById("machine");
remembered("machine", widget, "toggle", () => widget.open, (open) => { widget.open = open && innerWidth > 880; });
for (const menu of document.querySelectorAll(".menu")) {
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.firstElementChild.focus();
    }
  });
}

const ends = document.getElementById("ends");
ends.hidden = false;
const wish = Object.fromEntries([...ends.querySelectorAll("input")].map((box) => [box.name, box]));
wish.title.checked = true;
for (const box of Object.values(wish)) remembered(`ends-${box.name}`, box, "change", () => box.checked, (on) => { box.checked = on; });
wish.sound.addEventListener("change", () => { if (wish.sound.checked) chime(true); });
wish.notify.addEventListener("change", async () => {
  const allowed = !wish.notify.checked || (globalThis.Notification && await Notification.requestPermission() === "granted");
  ends.querySelector(".note").hidden = allowed;
  if (!allowed) wish.notify.click();
});

let sound;
function chime(well) {
  sound ??= new AudioContext();
  sound.resume();
  (well ? [660, 880] : [440, 330]).forEach((pitch, place) => {
    const note = sound.createOscillator(), volume = sound.createGain(), start = sound.currentTime + place * 0.18;
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.4);
    note.connect(volume).connect(sound.destination);
    note.start(start);
    note.stop(start + 0.4);
  });
}

// Says that a run ended, when it was seen at work before; as the person chose.
export function watch(run, before) {
  if (!before || isFinal(before) || !isFinal(run)) return;
  const text = t("ended", { subject: shown(run, "subject"), state: shown(run, "state") });
  tell(text);
  if (wish.title.checked) mark(text);
  if (wish.sound.checked) chime(run.state === "completed");
  if (wish.notify.checked && globalThis.Notification?.permission === "granted") new Notification("Régie", { body: text, tag: run.run_id });
}

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
