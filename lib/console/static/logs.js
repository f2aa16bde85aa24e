// The logs of a run: filtered, live while it works, and kept at the end unless somebody scrolled up.
import { locale, moment, visible } from "./words.js";

const KEPT = 1000;
const PAUSE = 2000;

export function follow(id) {
  const box = document.getElementById("log"), list = box.querySelector("ol"), tools = document.getElementById("log-tools");
  const tail = document.getElementById("follow"), download = document.getElementById("download");
  let after = "", timer, asked = 0;

  const query = () => {
    const given = new FormData(tools), asking = new URLSearchParams({ level: given.get("level") });
    if (given.get("phase") !== "*") asking.set("phase", given.get("phase"));
    return asking;
  };

  async function read() {
    clearTimeout(timer);
    const mine = ++asked;
    let more = !document.hidden;
    while (more) {
      const page = await fetch(`/api/v1/runs/${encodeURIComponent(id)}/logs?${query()}&limit=200&after=${encodeURIComponent(after)}`)
        .then((answer) => answer.ok ? answer.json() : null, () => null);
      if (mine !== asked || !page) break;
      ({ next: after, more } = page);
      add(page.lines);
    }
    if (mine === asked) timer = setTimeout(read, PAUSE);
  }

  function add(lines) {
    for (const line of lines) {
      const item = element(line);
      // A line of another process may come late: it goes where its time is.
      let place = list.lastElementChild;
      while (place && place.dataset.time > line.time) place = place.previousElementSibling;
      if (place) place.after(item);
      else list.prepend(item);
    }
    document.getElementById("no-logs").hidden = list.childElementCount > 0;
    if (list.childElementCount > KEPT && tail.checked) {
      document.getElementById("earlier").hidden = false;
      while (list.childElementCount > KEPT) list.firstElementChild.remove();
    }
    if (lines.length && tail.checked) box.scrollTop = box.scrollHeight;
  }

  function element(line) {
    const item = document.createElement("li"), time = document.createElement("time");
    item.className = line.level;
    item.dataset.time = line.time;
    time.dateTime = line.time;
    time.textContent = new Date(line.time).toLocaleTimeString(locale);
    time.title = moment(line.time);
    const from = document.createElement("bdi");
    from.className = "from";
    from.textContent = from.title = visible(line.phase || "–");
    const said = document.createElement("bdi");
    if (!["info", "debug"].includes(line.level)) {
      const level = document.createElement("b");
      level.textContent = `${visible(line.level)} `;
      said.append(level);
    }
    said.append(visible(line.message));
    item.append(time, from, said);
    return item;
  }

  tools.addEventListener("change", (event) => {
    if (event.target === tail) {
      if (tail.checked) box.scrollTop = box.scrollHeight;
      return;
    }
    list.replaceChildren();
    after = "";
    document.getElementById("earlier").hidden = true;
    download.href = `${download.pathname}?${query()}`;
    read();
  });
  tools.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("scroll", () => { tail.checked = box.scrollTop + box.clientHeight >= box.scrollHeight - 24; });
  document.addEventListener("visibilitychange", read);
  read();
  return { wake: read };
}
