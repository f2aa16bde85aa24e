"use strict";
// The page is whole without this: here frame numbers are copied by a click, and the time under the pointer is shown.
for (const span of document.querySelectorAll(".copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = span.textContent;
  button.addEventListener("click", async () => {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(words);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1200);
    } catch {
      getSelection().selectAllChildren(button);
    }
  });
  span.replaceWith(button);
}
for (const plot of document.querySelectorAll(".plot")) {
  const duration = Number(plot.dataset.duration);
  const fps = Number(plot.dataset.fps);
  const head = document.createElement("div");
  head.className = "playhead";
  head.hidden = true;
  const words = head.appendChild(document.createElement("span"));
  plot.append(head);
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const seconds = share * duration;
    const code = new Date(seconds * 1000).toISOString().slice(11, 23);
    head.hidden = false;
    head.style.left = share * 100 + "%";
    words.textContent = code + "  ·  " + Math.min(Math.floor(seconds * fps) + 1, Math.round(duration * fps));
    words.classList.toggle("left", share > 0.8);
  });
  plot.addEventListener("pointerleave", () => { head.hidden = true; });
}
