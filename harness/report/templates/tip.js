// One small label beside the pointer or the focus; Escape puts it away.
const tip = make("div", { id: "tip", hidden: true });
document.body.append(tip);

/** Shows lines of text above a place of the window, or below it where there is no room. */
function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth - width - 8;
  tip.style.left = `${Math.max(8, Math.min(room, x - width / 2))}px`;
  tip.style.top = `${y - height - 12 < 0 ? y + 24 : y - height - 12}px`;
}
function hideTip() {
  tip.hidden = true;
}

function tipOf(event) {
  const source = event.target.closest?.("[data-tip]");
  if (!source) return;
  const box = source.getBoundingClientRect();
  showTip(source.dataset.tip, box.x + box.width / 2, box.y);
}
for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, tipOf);
for (const kind of ["mouseout", "focusout"]) document.addEventListener(kind, hideTip);
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
for (const kind of ["wheel", "touchmove"]) {
  document.addEventListener(kind, hideTip, { passive: true });
}
