// One stream of events per tab: keeps the rows of every topic as they are now and tells who asked.
import { t } from "./words.js";

const light = document.getElementById("live");

function show(name) {
  light.hidden = false;
  light.dataset.live = name;
  light.lastElementChild.textContent = t(`live_${name}`);
}

// `topics`: name → {row(key, value, before), rows(all), end()}; a value is null when its row is gone.
export function listen(topics) {
  const known = Object.fromEntries(Object.keys(topics).map((name) => [name, new Map()]));
  const address = new URL("/api/v1/events", location.href);
  for (const name of Object.keys(topics)) address.searchParams.append("topics", name);
  const begun = new Set();
  let stream;

  function set(topic, key, value) {
    const rows = known[topic], before = rows.get(key);
    if (value === null) rows.delete(key);
    else rows.set(key, value);
    topics[topic].row?.(key, value, before);
  }

  const heard = {
    snapshot: ({ topic, rows }) => {
      for (const key of known[topic].keys()) if (!(key in rows)) set(topic, key, null);
      for (const [key, value] of Object.entries(rows)) set(topic, key, value);
      topics[topic].rows?.(known[topic]);
      begun.add(topic);
      if (begun.size === address.searchParams.size) show("on");
    },
    change: ({ topic, key, value }) => {
      set(topic, key, value);
      topics[topic].rows?.(known[topic]);
    },
    end: ({ topic }) => topics[topic].end?.(),
    trouble: ({ message }) => show(message ? "trouble" : "on"),
  };

  function open() {
    stream?.close();
    stream = new EventSource(address);
    stream.onopen = () => { if (begun.size) show("on"); };
    stream.onerror = () => {
      show("off");
      // The browser gives up on an answer that is no stream, as of a console that starts: begin anew.
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    };
    for (const [name, act] of Object.entries(heard)) stream.addEventListener(name, (event) => act(JSON.parse(event.data)));
  }

  open();
  // A page that comes back from the browser's memory has lost its stream.
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  addEventListener("pagehide", () => stream.close());
}
