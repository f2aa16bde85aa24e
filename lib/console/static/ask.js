// Acts on a run; what asks first does so in a dialogue, which is the form of its own page.
import { t } from "./words.js";

// What a form asks of the API at its own address there: phases by their numbers, or else its fields.
function request(form) {
  const { pathname } = new URL(form.action), fields = new FormData(form), only = fields.getAll("only");
  return [pathname, only.length ? { only: only.map(Number) } : [...fields].length && Object.fromEntries(fields)];
}

async function post(form) {
  const [path, body] = request(form);
  const answer = await fetch(`/api/v1${path}`, {
    method: "POST",
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (!answer?.ok) throw new Error(t("failed_request", { reason: said?.detail ?? t("no_answer") }));
  if (path.endsWith("/again")) location.assign(`/runs/${encodeURIComponent(said.run_id)}`);
}

function complain(place, text) {
  place.hidden = !text;
  place.textContent = text;
}

const style = document.createElement("link");
const styled = new Promise((resolve) => { style.onload = style.onerror = resolve; });
Object.assign(style, { rel: "stylesheet", href: new URL("ask.css", import.meta.url) });
document.head.append(style);

let busy = false;
export async function act(form) {
  const button = form.querySelector("button"), place = document.getElementById("trouble");
  if (busy || button.getAttribute("aria-disabled")) return;
  busy = true;
  complain(place, "");
  await (form.method === "get" ? ask(form, button) : post(form)).catch((error) => complain(place, error.message));
  busy = false;
}

async function ask(opener, button) {
  const page = await fetch(opener.action).then((answer) => answer.ok ? answer.text() : "", () => "");
  const form = new DOMParser().parseFromString(page, "text/html").querySelector(".ask");
  if (!form) throw new Error(t("failed_request", { reason: t("no_answer") }));
  const dialog = document.createElement("dialog"), [title] = form.children;
  title.id = "ask";
  dialog.setAttribute("aria-labelledby", "ask");
  dialog.append(form);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    button.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target !== dialog && !event.target.closest("a")) return;
    event.preventDefault();
    dialog.close();
  });
  // The browser itself lets the focus go on to its own buttons.
  dialog.addEventListener("keydown", (event) => {
    const stops = [...dialog.querySelectorAll("a, button, input")], place = stops.indexOf(document.activeElement);
    if (event.key !== "Tab" || place !== (event.shiftKey ? 0 : stops.length - 1)) return;
    event.preventDefault();
    stops.at(event.shiftKey ? -1 : 0).focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const trouble = form.querySelector(".trouble");
    if (form.querySelector("[name=only]") && !form.querySelector("[name=only]:checked")) return complain(trouble, t("some_none"));
    complain(trouble, "");
    await post(form).then(() => dialog.close(), (error) => complain(trouble, error.message));
  });
  await styled;
  dialog.showModal();
}
