// Buttons that act on a run: they ask first where that is due, and say why when it did not work.
import { tell } from "./page.js";
import { t } from "./words.js";

const id = encodeURIComponent(document.body.dataset.run);

async function post(action, body) {
  const answer = await fetch(`/api/v1/runs/${id}/${action}`, {
    method: "POST",
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (answer?.ok) return said;
  throw new Error(t("failed_request", { reason: said?.detail ?? t("no_answer") }));
}

async function act(action, body) {
  const { run_id } = await post(action, body);
  if (action === "again") location.assign(`/runs/${encodeURIComponent(run_id)}`);
}

for (const form of document.querySelectorAll("[data-action]")) {
  const { action } = form.dataset, button = form.querySelector("button"), dialog = document.getElementById(`ask-${action}`);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") || button.dataset.busy) return;
    if (dialog) {
      complain(dialog, "");
      dialog.showModal();
      return;
    }
    button.dataset.busy = "1";
    await act(action).catch((error) => {
      const place = document.getElementById("trouble");
      place.hidden = false;
      place.textContent = error.message;
    });
    delete button.dataset.busy;
  });
}

function complain(dialog, text) {
  const place = dialog.querySelector(".trouble");
  place.hidden = !text;
  place.textContent = text;
}

for (const dialog of document.querySelectorAll("dialog")) {
  const form = dialog.querySelector("form"), button = form.querySelector("button");
  dialog.querySelector("[data-close]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  // The browser itself lets the focus go on to its own buttons.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const stops = [...dialog.querySelectorAll("a, button, input")], last = stops.at(-1);
    const [from, to] = event.shiftKey ? [stops[0], last] : [last, stops[0]];
    if (document.activeElement !== from) return;
    event.preventDefault();
    to.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.dataset.busy) return;
    const boxes = [...form.querySelectorAll("input")];
    const only = boxes.filter((box) => box.checked).map((box) => Number(box.value));
    if (boxes.length && !only.length) {
      complain(dialog, t("some_none"));
      boxes[0].focus();
      return;
    }
    button.dataset.busy = "1";
    await act(form.dataset.post, boxes.length ? { only } : undefined).then(() => dialog.close(), (error) => complain(dialog, error.message));
    delete button.dataset.busy;
  });
}
