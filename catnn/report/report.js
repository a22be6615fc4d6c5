"use strict";
// What a report can do beyond being read: pointing, zoom, stepping, copying. Everything is on the page without it.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const numbers = (text) => (text || "").split(" ").filter(Boolean);
  let marked = [];

  function unmark() {
    for (const element of marked) element.classList.remove("on");
    marked = [];
  }

  function mark(elements) {
    for (const element of elements) if (element) {
      element.classList.add("on");
      marked.push(element);
    }
  }

  // Scroll a listing to a line, and never the page.
  function reveal(line) {
    const pane = line && line.closest("pre");
    if (!pane || getComputedStyle(pane.closest("aside") || pane).position !== "sticky") return;
    const place = line.getBoundingClientRect(), frame = pane.getBoundingClientRect();
    if (place.top < frame.top || place.bottom > frame.bottom)
      pane.scrollTop += place.top - frame.top - frame.height / 3;
  }

  function point(target) {
    const element = target.closest && target.closest("[data-s],[data-c],#spec .n");
    unmark();
    if (!element) return;
    if (element.matches(".n")) {
      const line = element.dataset.n;
      mark([element, ...all(`main [data-s="${line}"]`)]);
      return;
    }
    const spec = numbers(element.dataset.s).map((n) => document.getElementById("L" + n));
    const code = numbers(element.dataset.c).map((n) => document.getElementById("C" + n));
    mark([element, ...spec, ...code]);
    document.dispatchEvent(new CustomEvent("catnn:point", {detail: Number(numbers(element.dataset.s)[0] || 0)}));
    reveal(spec[0]);
    reveal(code[0]);
  }

  // Not pointerover: that also comes when the page moves under a mouse at rest, and would undo what the keys did.
  let under = null;
  document.addEventListener("mousemove", (event) => {
    if (event.target !== under) point(event.target);
    under = event.target;
  });
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest("pre")) point(event.target);
  });

  function button(text, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", action);
    return made;
  }

  async function copy(text, from) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = from.textContent;
    from.textContent = "Copied";
    setTimeout(() => { from.textContent = before; }, 1200);
  }

  for (const pane of all("aside pre")) {
    const heading = pane.closest(".pane").querySelector("h2");
    heading.append(button("Copy", (event) => copy(pane.textContent, event.target)));
  }

  // ------------------------------------------------------------------------------------------------------- zoom
  const dialog = document.createElement("dialog");
  const view = Object.assign(document.createElement("div"), {className: "view"});
  const words = document.createElement("p");
  const bar = Object.assign(document.createElement("div"), {className: "bar"});
  const previous = button("← Previous", () => step(-1));
  const next = button("Next →", () => step(1));
  bar.append(previous, next, button("Copy the pattern", (event) => copy(pattern(), event.target)),
             button("Close", () => dialog.close()));
  dialog.append(view, words, bar);
  dialog.setAttribute("aria-label", "A diagram");
  document.body.append(dialog);
  let figure = null;

  const siblings = () => all("figure", figure.parentElement);
  const pattern = () => figure.querySelector("figcaption code").textContent;

  function zoom(to) {
    figure = to;
    const picture = figure.querySelector("svg").cloneNode(true);
    const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
    const scale = Math.min(4, innerWidth * 0.8 / width, innerHeight * 0.65 / height);
    picture.setAttribute("width", width * scale);
    picture.setAttribute("height", height * scale);
    view.replaceChildren(picture);
    words.textContent = figure.querySelector("figcaption").textContent.replace(/^(\d+)/, "$1  ");
    const at = siblings().indexOf(figure);
    previous.disabled = at === 0;
    next.disabled = at === siblings().length - 1;
    if (!dialog.open) dialog.showModal();
    point(figure);
  }

  function step(by) {
    const to = siblings()[siblings().indexOf(figure) + by];
    if (to) zoom(to);
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => { if (figure) figure.focus({preventScroll: true}); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  document.addEventListener("click", (event) => {
    const found = event.target.closest("main figure");
    if (found && !event.target.closest("a") && !getSelection().toString()) zoom(found);
  });

  // A gallery is one stop of the tab key; the arrow keys move inside it, Enter opens.
  function prepare() {
    for (const gallery of all("main .gallery")) {
      if (gallery.dataset.ready) continue;
      gallery.dataset.ready = "yes";
      all("figure", gallery).forEach((one, at) => { one.tabIndex = at ? -1 : 0; });
      for (const link of all("figure a", gallery)) link.tabIndex = -1;
    }
    for (const trace of all(".trace")) stepping(trace);
  }

  document.addEventListener("keydown", (event) => {
    const here = event.target.closest && event.target.closest("main figure");
    if (!here || event.target !== here) return;
    const row = all("figure", here.parentElement), at = row.indexOf(here);
    const moves = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: row.length - 1};
    if (event.key === "Enter") zoom(here);
    else if (event.key in moves && row[moves[event.key]]) {
      here.tabIndex = -1;
      row[moves[event.key]].tabIndex = 0;
      row[moves[event.key]].focus();
    } else return;
    event.preventDefault();
  });

  // A trace is a list of steps; with the script, one at a time.
  function stepping(trace) {
    if (trace.dataset.ready) return;
    trace.dataset.ready = "yes";
    const steps = all(":scope > li", trace);
    if (steps.length < 2) return;
    let at = -1;
    const status = document.createElement("span");
    status.setAttribute("aria-live", "polite");
    const show = (to) => {
      at = Math.max(-1, Math.min(steps.length - 1, to));
      steps.forEach((one, number) => { one.hidden = at >= 0 && number !== at; });
      status.textContent = at < 0 ? `all ${steps.length} steps` : `step ${at + 1} of ${steps.length}`;
    };
    const controls = Object.assign(document.createElement("div"), {className: "bar"});
    controls.append(button("← Step", () => show(Math.max(0, at - 1))), button("Step →", () => show(at + 1)),
                    button("All", () => show(-1)), status);
    trace.before(controls);
    show(-1);
  }

  document.addEventListener("catnn:changed", prepare);
  prepare();
})();
