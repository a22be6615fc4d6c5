// The page of the playground: what is typed is asked about, and the answer takes its place on the page.
import {editor} from "/editor.js";

const start = JSON.parse(document.getElementById("start").textContent);
const at = (id) => document.getElementById(id);
const WAIT = 250;  // milliseconds after the last key
let timer = 0, number = 0, asking = null;

const view = editor({
  parent: at("editor"), text: start.text, words: start.words, nonce: start.nonce,
  changed() {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  },
});

async function ask() {
  const mine = ++number;
  if (asking) asking.abort();
  asking = new AbortController();
  at("status").textContent = "Working";
  try {
    const reply = await fetch("/compile", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({text: view.text()}),
      signal: asking.signal,
    });
    const found = reply.ok ? await reply.json() : {ok: false, fault: await reply.text()};
    if (mine === number) show(found);
  } catch (fault) {
    if (mine === number && fault.name !== "AbortError") show({ok: false, fault: "the playground has ended: start it again"});
  }
}

function show(found) {
  const problems = found.fault ? [{message: found.fault, rendered: found.fault, labels: []}] : found.diagnostics || [];
  view.diagnose(problems.filter((one) => one.labels.length).map((one) => ({...one.labels[0], message: said(one)})));
  at("diagnostics").replaceChildren(...problems.map(item));
  at("problems").hidden = !problems.length;
  at("main").classList.toggle("stale", !found.ok);
  const count = problems.length;
  at("status").textContent = found.ok ? "Fine" : count === 1 ? "1 fault" : `${count} faults`;
  if (!found.ok) return;
  const top = at("main").scrollTop;
  at("main").innerHTML = found.main;
  at("contents").innerHTML = found.contents;
  at("code").innerHTML = found.code;
  at("compiled").hidden = !found.code;
  at("main").scrollTop = top;
  document.dispatchEvent(new Event("catnn:changed"));
}

const said = (one) => [one.code ? `${one.code}: ${one.message}` : one.message, ...(one.notes || []), ...(one.helps || [])].join("\n");

function item(one) {
  const made = document.createElement("li"), text = document.createElement("pre");
  text.textContent = one.rendered;
  text.tabIndex = 0;
  made.append(text);
  return made;
}

document.addEventListener("catnn:point", (event) => view.mark(event.detail));
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#L"]');
  if (!link) return;
  event.preventDefault();
  view.mark(Number(link.hash.slice(2)));
});
ask();
