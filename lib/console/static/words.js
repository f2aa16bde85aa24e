// How rows are said in the reader's language; words.py says them the same for the first paint.
const client = JSON.parse(document.getElementById("client").textContent);
const { language, words, phrases } = client;
// The reader's own variant of the page's language, which says how times are written.
export const locale = navigator.languages.find((each) => each.startsWith(language)) ?? language;
const NARROW = "\u202f";
// The server's clock counts, not the browser's.
const skew = Date.parse(document.body.dataset.now) - Date.now();
export const now = () => Date.now() + skew;

export function t(key, values = {}) {
  let text = words[key] ?? key;
  if (text.includes("|")) {
    const one = language === "en" ? values.count === 1 : Math.abs(values.count) < 2;
    text = text.split("|")[one ? 0 : 1];
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => typeof values[name] === "number" ? number(values[name]) : values[name] ?? "");
}

// Control characters and direction overrides of texts from outside are made visible; lines and tabs stay.
export const visible = (text) => String(text).toWellFormed().replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
  (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

export const number = (value, digits = 0) => value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const percent = (value) => Math.floor(value) + (language === "en" ? "%" : `${NARROW}%`);

export function duration(seconds) {
  if (seconds > 0 && seconds < 0.95) return `${number(seconds, 1)}${NARROW}s`;
  const whole = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole}${NARROW}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${NARROW}min ${two(whole % 60)}${NARROW}s`;
  return `${Math.floor(whole / 3600)}${NARROW}h ${two(Math.floor(whole % 3600 / 60))}${NARROW}min`;
}

function bytes(size) {
  for (const [unit, digits] of [["kB", 0], ["MB", 0], ["GB", 1]]) {
    size /= 1000;
    if (size < 999.5) return number(size, digits) + NARROW + unit;
  }
  return number(size / 1000, 1) + NARROW + "TB";
}

export function moment(iso) {
  const date = new Date(iso), today = new Date(now());
  const clock = { hour: "2-digit", minute: "2-digit" };
  if (date.toDateString() === today.toDateString()) return date.toLocaleTimeString(locale, clock);
  const year = date.getFullYear() === today.getFullYear() ? {} : { year: "numeric" };
  return date.toLocaleString(locale, { day: "numeric", month: "short", ...year, ...clock });
}

export function phrase(text) {
  for (const [pattern, key] of phrases) {
    const found = new RegExp(`^(?:${pattern})$`).exec(text);
    if (found) return t(key, { ...found.groups, count: Number(found.groups?.count) });
  }
  return text;
}

const FINAL = ["completed", "partial", "failed", "crashed", "cancelled", "skipped"];
export const isFinal = (row) => FINAL.includes(row.state);
export const stateOf = (row) => row.stopping && !isFinal(row) ? "stopping" : row.state;

const used = (space) => t("used_of", { used: bytes(space.used), total: bytes(space.total) });
const gpu = (row) => row.percent ?? row.memory.percent;
const counters = (row) => row.total ? [t("counters", row),
  ...["failed", "skipped"].filter((kind) => row[kind]).map((kind) => t(`count_${kind}`, { count: row[kind] }))].join(" · ") : "";
const elapsed = (row) => {
  if (!row.started) return "";
  const seconds = Math.max(((row.ended ? Date.parse(row.ended) : now()) - Date.parse(row.started)) / 1000, 0);
  return duration(row.ended ? seconds : Math.floor(seconds));
};

const SHOWN = {
  state: (row) => t(`state_${stateOf(row)}`),
  duration: elapsed,
  progress: (row) => row.progress == null ? "" : percent(row.progress),
  at_work: (row) => row.state === "running" ? percent(row.progress) : "",
  counters,
  phases_done: ({ counts }) => t("phases_done", { done: (counts.completed ?? 0) + (counts.partial ?? 0),
    total: Object.entries(counts).reduce((sum, [state, n]) => sum + (state === "skipped" ? 0 : n), 0) }),
  left: (row) => {
    if (!row.estimated_end) return "";
    const seconds = (Date.parse(row.estimated_end) - now()) / 1000;
    return seconds >= 1 ? t("in_time", { time: duration(Math.floor(seconds)) }) : t("any_moment");
  },
  basis: (row) => row.basis.split(", ").map(phrase).join(", "),
  again: (row) => row.attempt > 1 ? row.attempt : "",
  tries: (row) => row.attempt || "",
  what: (row) => [...(row.item || phrase(row.error) || counters(row))].map((c, place) => place < 100 ? c : place > 100 ? "" : "…").join(""),
  why: (row) => phrase(row.error),
  trouble: (row) => isFinal(row) && row.state !== "completed" ? phrase(row.message) : "",
  outcome: (row) => isFinal(row) ? phrase(row.message) : "",
  calls: (row) => t("calls_made", row.calls),
  nothing: (row) => row.sources ? "" : 1,
  spent: ({ spent: { tokens, cost } }) => tokens || cost ? [t("tokens", { count: tokens }),
    ...(cost == null ? [] : [t("cost", { cost: number(cost, 4) })])].join(" · ") : "",
  failures: ({ count }) => count ? t("failures", { count }) : "",
  left_alone: ({ count }) => count ? t("left_alone", { count }) : "",
  more_named: ({ count, items }) => count > items.length ? t("more_named", { count: count - items.length }) : "",
  unfinished: (row) => isFinal(row) ? "" : 1,
  no_estimate: (row) => row.estimated_end ? "" : 1,
  cpu_percent: (row) => percent(row.cpu),
  cpu_words: (row) => t("cores_load", { count: row.cores, load: number(row.load, 1) }),
  memory_percent: (row) => percent(row.memory.percent),
  memory_words: (row) => used(row.memory),
  disk_percent: (row) => percent(row.disk.percent),
  disk_words: (row) => t("disk_free", { free: bytes(row.disk.free), folder: row.disk.folder }),
  gpu_percent: (row) => percent(gpu(row)),
  gpu_words: (row) => [t("gpu_memory", { used: used(row.memory) }), ...(row.celsius == null ? [] : [`${row.celsius}${NARROW}°C`])].join(" · "),
  warned: (row) => row.warnings.length ? t("warnings", { count: row.warnings.length }) : "",
  warning_words: (row) => row.warnings.map(({ resource, name, percent: share }) =>
    t(`warning_${resource.replace(" ", "_")}`, { name, percent: percent(share) })).join("\n"),
};
const VALUES = { memory: (row) => row.memory.percent, disk: (row) => row.disk.percent, gpu };

export const shown = (row, name) => visible(SHOWN[name] ? SHOWN[name](row) : row[name] ?? "");
export const value = (row, name) => VALUES[name] ? VALUES[name](row) : row[name] ?? 0;

// Why something cannot be done to a run; the names are those of HINDRANCES.
export const hindrance = (run, action) => {
  if (action === "cancel") return run.over ? t("why_ended") : run.stopping ? t("why_stopping") : "";
  if (action === "resume") return !isFinal(run) ? t("why_working") : run.state === "completed" ? t("why_completed") : "";
  if (action === "start") return run.over ? "" : t("why_working");
  return "";
};
