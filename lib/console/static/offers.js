// The page of offers: the newest run, and the table, of which every cell that changes shows by how much.
import { changed, offer, show, start, watch } from "./page.js";
import { number, visible } from "./words.js";

const SHOWN_FOR = 2400;
const board = document.getElementById("board"), body = board?.tBodies[0];
const statuses = [...board?.querySelectorAll("[data-status]") ?? []].map((head) => head.dataset.status);
let columns;
for (const { dataset, lastElementChild } of document.querySelectorAll("[data-about]")) {
  board.querySelector(`[data-status="${CSS.escape(dataset.about)}"]`).title = lastElementChild.textContent;
}

function row(key, value, before) {
  const source = key.startsWith("source:");
  if (source || key === "totals") return line(key, value, before, source);
  if (!value) return;
  show(key, value);
  if (key === "table") {
    // Other columns are another table; the empty page has none yet.
    columns ??= JSON.stringify(value.columns);
    if (!board || columns !== JSON.stringify(value.columns)) location.reload();
    return;
  }
  if (key === "run") run(value, before);
  if (key !== "run" || before?.run_id === value.run_id) changed(key, value, before);
}

function run(value, before) {
  const page = `/runs/${encodeURIComponent(value.run_id)}`, stop = document.querySelector("[data-action=cancel]");
  if (!stop) return location.reload();
  stop.action = `${page}/cancel`;
  for (const node of document.querySelectorAll(".node")) node.href = page + node.search + node.hash;
  offer(value);
  if (before?.run_id === value.run_id) watch(value, before);
}

function line(key, value, before, source) {
  if (!board) return;
  let tr = board.querySelector(`[data-line="${CSS.escape(key)}"]`);
  if (!value) {
    if (tr?.contains(document.activeElement)) document.getElementById("scroll").focus();
    tr?.remove();
    return;
  }
  tr ??= insert(key, value.source);
  const cells = (row) => [...row.cells, { count: row.total }], old = before && cells(before);
  cells(value).forEach((cell, place) => {
    const td = tr.cells[place + 1];
    // Offers that name no source are counted, but a list of them would be one of all.
    fill(td, cell, key !== "source:" && `/offers/list?source=${source ? key.slice("source:".length) : ""}${place in statuses ? `&status=${statuses[place]}` : ""}`);
    if (old && cell.count !== old[place].count) mark(td, cell.count - old[place].count);
  });
}

// By which sources are in order.
const name = (key) => decodeURIComponent(key).toLowerCase();

function insert(key, source) {
  const tr = board.tFoot.rows[0].cloneNode(true);
  for (const mark of tr.querySelectorAll("i")) mark.remove();
  tr.dataset.line = key;
  tr.querySelector("bdi").textContent = visible(source) || "–";
  body.insertBefore(tr, [...body.rows].find((each) => name(each.dataset.line) > name(key)) ?? null);
  return tr;
}

function fill(td, { count, pending }, address) {
  const figure = td.firstElementChild, text = number(count);
  let waiting = td.querySelector("small");
  if (figure.textContent !== text) figure.textContent = text;
  // What has the focus keeps it.
  if (address && (count || figure === document.activeElement)) figure.href = address;
  else figure.removeAttribute("href");
  if (!pending) return waiting?.remove();
  if (!waiting) figure.after(waiting = document.createElement("small"));
  waiting.textContent = `+${number(pending)} …`;
}

// Changes that follow each other while one is shown add up.
function mark(td, by) {
  const before = td.querySelector("i"), sum = by + Number(before?.dataset.by ?? 0);
  before?.remove();
  if (!sum) return;
  const note = document.createElement("i");
  note.dataset.by = sum;
  note.ariaHidden = "true";
  note.textContent = (sum > 0 ? "+" : "−") + number(Math.abs(sum));
  td.append(note);
  setTimeout(() => note.remove(), SHOWN_FOR);
}

start({ offers: { row } });
