// The list of runs: rows are patched where they are; new ones come in at the top of its first page.
import { rows, show, start, watch } from "./page.js";

const table = document.getElementById("runs"), body = table?.tBodies[0];
const asked = new URLSearchParams(location.search);

// Whether the server would have put a run into this list; a date is left to it.
const wanted = (run) => (!asked.get("workflow") || run.workflow === asked.get("workflow"))
  && (!asked.get("state") || run.state === asked.get("state"))
  && run.subject.toLowerCase().includes((asked.get("subject") ?? "").toLowerCase());

const element = (key) => body?.querySelector(`[data-row="${CSS.escape(key)}"]`);

function row(key, run, before) {
  if (!run) return;
  if (element(key)) show(key, run);
  watch(run, before);
}

// New runs come in where their time is, as long as there is room above what is shown.
function arrivals(runs) {
  for (const [key, run] of runs) {
    if (element(key) || !wanted(run)) continue;
    // The empty page has no table yet.
    if (!table) return location.search || location.reload();
    const older = [...body.rows].find((each) => (rows.get(each.dataset.row)?.created ?? "9") < run.created);
    if (!table.dataset.first || asked.get("since") || (!older && body.rows.length >= table.dataset.limit)) continue;
    const item = document.getElementById("row").content.firstElementChild.cloneNode(true);
    item.dataset.row = key;
    item.classList.add("new");
    body.insertBefore(item, older ?? null);
    show(key, run);
    const last = body.lastElementChild;
    if (body.rows.length > table.dataset.limit && !last.contains(document.activeElement)) last.remove();
  }
}

start({ runs: { row, rows: arrivals } });
