// Puts what a row says into the elements that a template has marked for it; only what changed is touched.
import { locale, moment, shown, stateOf, value } from "./words.js";

const all = (root, name) => [...(root.hasAttribute(name) ? [root] : []), ...root.querySelectorAll(`[${name}]`)];
const put = (element, name, text) => { if (element.getAttribute(name) !== text) element.setAttribute(name, text); };
const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

export function patch(root, row) {
  for (const element of all(root, "data-each")) fill(element, row[element.dataset.each]);
  // What stands in a list belongs to its own row.
  const own = (name) => all(root, name).filter((element) => {
    const list = element.closest("[data-item]");
    return !list || list === root || !root.contains(list);
  });
  for (const element of own("data-t")) {
    const text = shown(row, element.dataset.t);
    say(element, text);
    if ("titled" in element.dataset) put(element, "title", text);
  }
  for (const element of own("data-time")) time(element, row[element.dataset.time]);
  for (const element of own("data-v")) element.value = value(row, element.dataset.v);
  for (const element of own("data-arc")) put(element, "stroke-dasharray", `${value(row, element.dataset.arc).toFixed(1)} 200`);
  for (const element of own("data-if")) element.hidden = !shown(row, element.dataset.if);
  for (const element of own("data-href")) put(element, "href", element.dataset.href + encodeURIComponent(row.run_id ?? ""));
  if (row.state) for (const element of own("data-state")) state(element, row);
}

function state(element, row) {
  const name = stateOf(row);
  put(element, "data-state", name);
  if (!("said" in element.dataset)) return;
  put(element.querySelector("use"), "href", `#i-${name}`);
  say(element.lastElementChild, shown(row, "state"));
}

function time(element, iso) {
  if (iso) put(element, "datetime", iso);
  else element.removeAttribute("datetime");
  localise(element);
}

// A moment in the reader's own time; all of it is in the title.
export function localise(element) {
  const iso = element.getAttribute("datetime");
  say(element, iso ? moment(iso) : "");
  if (iso) put(element, "title", new Date(iso).toLocaleString(locale));
  else element.removeAttribute("title");
}

function fill(list, rows) {
  const template = list.querySelector("template");
  const items = [...list.children].filter((element) => element !== template);
  for (const extra of items.slice(rows.length)) extra.remove();
  rows.forEach((row, place) => {
    const item = items[place] ?? list.insertBefore(template.content.firstElementChild.cloneNode(true), template);
    item.dataset.item = "";
    patch(item, row);
  });
}
