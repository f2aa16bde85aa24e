// Puts what a row says into the elements that a template has marked for it; only what changed is touched.
import { locale, moment, shown, stateOf, value } from "./words.js";

const all = (root, name) => [...(root.hasAttribute(name) ? [root] : []), ...root.querySelectorAll(`[${name}]`)];
const put = (element, name, text) => { if (element.getAttribute(name) !== text) element.setAttribute(name, text); };
const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

export function patch(root, row) {
  // What stands in a list belongs to a row of that list.
  const lists = all(root, "data-each");
  const own = (name) => all(root, name).filter((element) => !lists.some((list) => list.contains(element)));
  for (const list of lists) {
    const rows = row[list.dataset.each], items = list.children;
    // One stays, for those that come to be made of.
    while (items.length > Math.max(rows.length, 1)) list.lastElementChild.remove();
    while (items.length < rows.length) list.append(items[0].cloneNode(true));
    rows.forEach((each, place) => patch(items[place], each));
  }
  for (const element of own("data-t")) {
    say(element, shown(row, element.dataset.t));
  }
  for (const element of own("data-c")) {
    const text = shown(row, element.dataset.c);
    say(element, text);
    put(element, "title", text);
  }
  for (const element of own("data-time")) time(element, row[element.dataset.time]);
  for (const element of own("data-v")) element.value = value(row, element.dataset.v);
  for (const element of own("data-arc")) put(element, "stroke-dasharray", `${value(row, element.dataset.arc).toFixed(1)} 200`);
  for (const element of own("data-if")) element.hidden = !shown(row, element.dataset.if);
  for (const element of own("data-href")) put(element, "href", element.dataset.href + encodeURIComponent(row.run_id ?? ""));
  if (row.state) for (const element of own("data-state")) put(element, "data-state", stateOf(row));
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
