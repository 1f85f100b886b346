// What is live on the pages of the portal. Every page works without it.
"use strict";

// Counts with their thousands apart, as the pages have them.
const thousands = (count) => count.toLocaleString("en-US");

// So many seconds, as people say it.
const lasting = (seconds) =>
  seconds < 90 ? `${seconds} s` : seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;

// By what something that can be pressed or filled in is found on the page once it is loaded again: by its words, too, as nobody may come to
// another button than they were at; not by what was typed, which is kept nowhere.
const nameOf = (place) => {
  const said = ["id", "href", "aria-label", "name", "value"].map((name) => place.getAttribute(name));
  const words = place.matches("a, button, summary") ? place.textContent : "";
  return [place.localName, ...said, place.form?.getAttribute("action"), words].join(" ");
};
const LOADED_AGAIN = "loaded again from";

// Loads the page again, which nobody has asked for: whoever goes through it by keys goes on from where they are.
function loadAgain() {
  const at = document.activeElement;
  if (at && at !== document.body) sessionStorage.setItem(LOADED_AGAIN, nameOf(at));
  location.reload();
}

// Gives the focus back; where what had it is gone, they go on from the beginning of what the page says.
function comeBack() {
  const name = sessionStorage.getItem(LOADED_AGAIN);
  if (name === null) return;
  sessionStorage.removeItem(LOADED_AGAIN);
  const places = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
  (places.find((place) => nameOf(place) === name) ?? document.getElementById("main")).focus();
}

// Whoever follows a link or sends a form while something is under way goes on once that is done, if it went well. It does not take for ever:
// then it is said, and who tries again goes.
const PATIENCE = 8000;
function leaveAfter(isBusy, isWell, givesUp) {
  const state = { isOver: false, end };
  let goOn = null;
  let timer = 0;
  function end() {
    clearTimeout(timer);
    const go = goOn;
    [goOn, timer, state.isOver] = [null, 0, false];
    if (isWell()) go?.();
  }
  const hold = (event, go) => {
    if (!isBusy() || state.isOver) return;
    event.preventDefault();
    // Others ask, or take the form for sent, once it goes.
    event.stopImmediatePropagation();
    goOn = go;
    timer ||= setTimeout(() => {
      [goOn, timer, state.isOver] = [null, 0, true];
      givesUp();
    }, PATIENCE);
  };
  const isHere = (target) => !target || target === "_self";
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (isHere(link.target) && !link.getAttribute("href").startsWith("#")) hold(event, () => link.click());
  }, true);
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    const target = submitter?.getAttribute("formtarget") ?? form.getAttribute("target");
    if (isHere(target) && form.getAttribute("method") !== "dialog") hold(event, () => form.requestSubmit(submitter));
  }, true);
  return state;
}

// Sends what waits; what is taken out goes first, as it makes room.
function post(form, waiting) {
  const adds = ![...waiting.values()].includes(false);
  const changed = [...waiting.keys()].filter((box) => waiting.get(box) === adds);
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, quiet: "1" });
  for (const box of changed) {
    waiting.delete(box);
    body.append("line", box.value);
  }
  // It arrives although the page is left meanwhile.
  const sent = fetch(`${form.dataset.ticks}/${adds ? "add" : "remove"}`, { method: "POST", body, keepalive: true });
  return [changed, sent.catch(() => null)];
}

// Sends ticks: those that are made while a request is under way together after it. What the server says of them is what the boxes show.
function sender(form, boxes, answered) {
  const says = form.querySelector("[data-refused]");
  const say = (words) => {
    says.textContent = words;
    says.hidden = !words;
  };
  const warn = (words) => {
    say(words);
    says.scrollIntoView({ block: "nearest" });
  };
  // What is not sent yet: the last tick of each box.
  const waiting = new Map();
  let underWay = false;
  let broken = false;
  const ask = async () => {
    const [changed, sent] = post(form, waiting);
    const answer = await sent;
    // Nobody knows what came of it: the page does, once it is there again.
    if (!answer?.ok) throw new Error(answer ? "refused" : "lost");
    const { lines, count, chosen, refused } = await answer.json();
    for (const place of document.querySelectorAll("[data-chosen]")) place.textContent = count;
    for (const place of document.querySelectorAll("[data-some]")) place.hidden = !lines;
    const are = new Set(chosen);
    for (const box of changed) if (!waiting.has(box)) box.checked = are.has(box.value);
    if (leaving.isOver) say("");
    leaving.isOver = false;
    if (refused) say(refused);
    answered();
  };
  const lost = (error) => {
    broken = true;
    waiting.clear();
    if (error.message === "refused") return loadAgain();
    const wasHere = boxes.includes(document.activeElement);
    for (const box of boxes) box.disabled = true;
    warn("The server cannot be reached. Load the page again to see which lines are chosen.");
    // A box that can be ticked no more loses the focus.
    if (wasHere) says.focus();
  };
  const deliver = async () => {
    underWay = true;
    try {
      while (waiting.size) await ask();
    } catch (error) {
      lost(error);
    }
    underWay = false;
    leaving.end();
  };
  const leaving = leaveAfter(
    () => underWay,
    () => !broken,
    () => warn("The server has not answered yet, and the last ticks may not be kept. Press again to go on without waiting."),
  );
  // Nothing holds back whoever goes back, or closes the page.
  addEventListener("pagehide", () => {
    while (waiting.size) post(form, waiting);
  });
  return (changed, adds) => {
    if (!changed.length) return;
    for (const box of changed) {
      waiting.delete(box);
      waiting.set(box, adds);
    }
    if (underWay) return;
    say("");
    deliver();
  };
}

// Ticks choose lines at once, and the count follows; with the shift key all between the last tick and this one.
function tick(form) {
  const boxes = [...form.querySelectorAll("input[name=line]")];
  const buttons = form.querySelector("[data-ticking]");
  if (buttons) buttons.hidden = true;
  const all = document.createElement("input");
  all.type = "checkbox";
  all.className = "tick-all";
  all.setAttribute("aria-label", "Choose all lines of this page");
  form.querySelector("thead th").append(all);
  const showAll = () => (all.checked = boxes.every((box) => box.checked));
  showAll();
  const send = sender(form, [...boxes, all], showAll);
  // Whoever goes back finds the boxes as they were left; what is chosen may be something else by now.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  let last = null;
  let shift = false;
  form.addEventListener("click", (event) => (shift = event.shiftKey), true);
  form.addEventListener("change", (event) => {
    const box = event.target;
    if (!boxes.includes(box)) return;
    const here = boxes.indexOf(box);
    const from = shift && last !== null ? last : here;
    const range = boxes.slice(Math.min(from, here), Math.max(from, here) + 1);
    const changed = range.filter((each) => each === box || each.checked !== box.checked);
    for (const each of changed) each.checked = box.checked;
    last = here;
    showAll();
    send(changed, box.checked);
  });
  all.addEventListener("change", (event) => {
    event.stopPropagation();
    const changed = boxes.filter((box) => box.checked !== all.checked);
    for (const box of changed) box.checked = all.checked;
    send(changed, all.checked);
  });
}

// Keys: each link or field that has one says which; `?` lists them.
function listenForKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  const places = [...document.querySelectorAll("[data-key]")];
  const name = (place) => (place.matches("input") ? `Go to ${place.labels[0]?.firstChild.textContent.trim()}` : place.textContent);
  const list = dialog.querySelector("dl");
  for (const [keys, words] of [...places.map((place) => [place.dataset.key, name(place)]), ["?", "These keys"]]) {
    const row = list.appendChild(document.createElement("div"));
    row.appendChild(document.createElement("dt")).textContent = keys;
    row.appendChild(document.createElement("dd")).textContent = words;
  }
  let before = "";
  document.addEventListener("keydown", (event) => {
    // Where something is typed, keys are letters; nothing is typed into a box that is ticked.
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
    const typed = before === "g" ? `g ${event.key}` : event.key;
    before = event.key;
    if (event.key === "?") dialog.showModal();
    const place = places.find((place) => place.dataset.key === typed);
    if (!place) return;
    event.preventDefault();
    if (place.matches("input")) place.focus();
    else place.click();
  });
}

// What is shown once is easily taken: marked whole when the field is entered, or copied. A link is made whole with where this server is.
function offerToCopy(field) {
  if (field.matches("[data-absolute]")) field.value = new URL(field.value, location.href).href;
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${field.labels[0].textContent}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  });
  field.after(button);
}

// An invitation stands behind the # of its link, which browsers keep to themselves; it goes into the form and out of the address.
function takeInvitation(field) {
  if (!location.hash) return;
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

document.querySelectorAll("[data-copy]").forEach(offerToCopy);
document.querySelectorAll("[data-invitation]").forEach(takeInvitation);
// Suggests what a page of the server lists for what is typed so far.
function suggest(input) {
  const list = document.getElementById(input.getAttribute("list"));
  let [timer, asked] = [0, ""];
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = input.value.trim();
      if (!text || text === asked || text.endsWith(")")) return;
      asked = text;
      const answer = await fetch(`${input.dataset.suggest}?name=${encodeURIComponent(text)}`).catch(() => null);
      if (!answer?.ok || asked !== text) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const options = [...page.querySelectorAll("[data-suggestion]")].map((found) => {
        const option = document.createElement("option");
        option.value = found.textContent;
        return option;
      });
      list.replaceChildren(...options);
    }, 250);
  });
}

// A form that is on its way is not sent twice, and some ask first, with live figures as they are now. Of orders the server knows a second one
// by its key; of what else is made it does not. The page as a whole listens: parts of it are put in the places of others.
function letGo(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
}
function once(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  const now = (whole, name) => document.querySelector(`[data-live="${name}"]`)?.textContent ?? whole;
  const question = form.dataset.confirm?.replace(/\{(\w+)\}/g, now);
  if (form.dataset.sent || (question && !confirm(question))) return event.preventDefault();
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  // By then it was answered, or somebody has stopped it.
  setTimeout(letGo, 60000, form);
}
document.addEventListener("submit", once);
// Whoever goes back may send it again.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(letGo));

document.querySelectorAll("[data-suggest]").forEach(suggest);
document.querySelectorAll("[data-follow]").forEach(follow);
document.querySelectorAll("form[data-ticks]").forEach(tick);
listenForKeys();
comeBack();
