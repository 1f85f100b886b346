// Follows bulk changes while they run; what portal.js calls.
"use strict";

// How old parts of a page may get whose change goes on, how soon they are renewed when it has become something else, as it may have ended a
// moment later, and how often those who listen are told how far it is.
const RENEWED = 10_000;
const AT_ONCE = 250;
const TOLD = 15_000;

// By what somebody knows a link, a button or a field again on the page as it is now.
const known = (it) => [it.tagName, it.getAttribute("href"), it.name, it.value, it.getAttribute("aria-label"), it.form?.getAttribute("action"), it.closest("tr")?.querySelector("th")?.textContent].join("\n");

// Notes what of a part is in sight; answers what scrolls back to it once the part is another.
function standing(part) {
  const place = (it) => it.getBoundingClientRect();
  const { top, bottom, height } = place(part);
  // All of it is below the upper edge: whatever it becomes, what is in sight above it stays.
  if (top >= 0) return () => {};
  if (bottom <= 0) return () => scrollBy(0, place(part).height - height);
  const rows = () => [...part.querySelectorAll("tbody tr")];
  const row = rows().find((it) => place(it).bottom > 0);
  const [name, was] = row ? [known(row), place(row).top] : [];
  return () => {
    const now = rows().find((it) => known(it) === name);
    if (now) scrollBy(0, place(now).top - was);
  };
}

// Puts a part of the page as it is now in the place of what it was. Ticks, the focus and what is in sight stay; where a ticked line stands on
// the page no more, the part stays as a whole.
function replace(part, fresh) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  for (const field of fresh.querySelectorAll("[name=csrf_token]")) field.setAttribute("value", token);
  if (part.isEqualNode(fresh)) return;
  const boxes = new Map([...fresh.querySelectorAll("input[type=checkbox]")].map((box) => [box.value, box]));
  const ticked = [...part.querySelectorAll("input:checked")].map((box) => box.value);
  if (ticked.some((row) => !boxes.has(row))) return;
  for (const row of ticked) boxes.get(row).checked = true;
  const focused = part.contains(document.activeElement) ? known(document.activeElement) : null;
  const aside = [...part.querySelectorAll(".wide")].map((table) => table.scrollLeft);
  const stay = standing(part);
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll(".wide").forEach((table, nth) => (table.scrollLeft = aside[nth] ?? 0));
  stay();
  if (focused === null) return;
  const again = [...part.querySelectorAll("a, button, input, [tabindex]")].find((it) => known(it) === focused);
  // What had the focus is gone: whoever works with keys goes on from where it was.
  if (!again) part.tabIndex = -1;
  (again ?? part).focus({ preventScroll: true });
}

// Renews the parts that no stream tells of; answers the server's estimate of how long the change takes.
async function renew(section) {
  // Where the address does not say which lines are shown, failures would come first once there are any: they stay those that are shown.
  const says = [...new URLSearchParams(location.search).keys()].some((name) => ["status", "code"].includes(name));
  const address = says ? location.href : document.querySelector("[data-part=tabs] [aria-current]").href;
  // Nobody has asked for it: it does not keep anybody signed in.
  const answer = await fetch(address, { cache: "no-store", headers: { "x-unattended": "yes" } }).catch(() => null);
  if (!answer || answer.status === 429 || answer.status >= 500) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = [...page.querySelectorAll("[data-follow]")].find((it) => it.dataset.follow === section.dataset.follow);
  // It has ended, or whoever is signed in is not, or in another tenant: the page as a whole says so.
  if (!fresh) {
    loadAgain();
    return null;
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    const same = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (same) replace(part, same);
  }
  return fresh.querySelector("[data-live=pace]").textContent;
}

// Renews now, or when the parts are old enough; in between nothing is asked.
function renewals(section, renewed) {
  let [at, timer, underWay, onceMore, isOwed] = [Date.now(), 0, false, false, false];
  const begin = async () => {
    [at, timer, onceMore] = [Date.now(), 0, underWay];
    // What was asked before must not be shown after what was asked later.
    if (underWay) return;
    underWay = true;
    const estimate = await renew(section);
    underWay = false;
    if (estimate !== null) renewed(estimate);
    if (onceMore) begin();
  };
  // They are put in their places by hand, so that every browser does it alike.
  if (document.querySelector("[data-part]")) document.documentElement.style.overflowAnchor = "none";
  return {
    ask: (now) => {
      if (!document.querySelector("[data-part]") || (timer && !now)) return;
      clearTimeout(timer);
      timer = setTimeout(begin, now ? AT_ONCE : Math.max(AT_ONCE, at + RENEWED - Date.now()));
    },
    // Whoever comes back is owed what was not renewed.
    resume: () => {
      if (isOwed) timer = setTimeout(begin, AT_ONCE);
      isOwed = false;
    },
    end: () => {
      isOwed ||= timer !== 0;
      clearTimeout(timer);
      timer = 0;
    },
  };
}

// Tells those who listen what a change has become, and now and then how far it is: not whenever a figure changes.
function teller(section, shown) {
  const place = section.querySelector("[data-told]");
  let [at, last] = [Date.now(), shown];
  return (what, words) => {
    if (!place || (last === what && Date.now() - at < TOLD)) return;
    [at, last] = [Date.now(), what];
    place.textContent = words;
  };
}

// Shows how far a change is.
function progressOf(section) {
  const show = (name, text) => {
    for (const place of section.querySelectorAll(`[data-live="${name}"]`)) if (place.textContent !== text) place.textContent = text;
  };
  let before = { status: section.querySelector("[data-live=status]").textContent.trim(), held: "held" in section.dataset };
  const tell = teller(section, before.status);
  const state = { estimate: section.querySelector("[data-live=pace]")?.textContent ?? "", measured: [] };
  const pace = () => show("pace", state.measured.join(", ") || state.estimate);
  const renewing = renewals(section, (estimate) => {
    state.estimate = estimate;
    pace();
  });
  const progress = (event) => {
    const { status, held, counts, devices_per_second: rate, seconds_left: left } = JSON.parse(event.data);
    const shown = section.querySelector("[data-live=status] .status");
    shown.textContent = status;
    shown.className = `status status-${status.toLowerCase()}`;
    // What was scheduled and refused when it fell due is not done.
    const [done, failed] = [counts.processed - counts.scheduled_failed, counts.error + counts.scheduled_failed];
    for (const [name, count] of Object.entries({ ...counts, done, failed })) show(name, thousands(count));
    const share = (count) => Math.floor((count * 1000) / Math.max(counts.total, 1));
    const [good, bad] = [section.querySelector(".bar-done"), section.querySelector(".bar-failed")];
    good.setAttribute("width", share(done));
    bad.setAttribute("x", share(done));
    bad.setAttribute("width", share(failed));
    // Until a rate is measured, what the limits of the account make of it stands there.
    state.measured = [];
    if (rate) state.measured.push(`${thousands(Math.round(rate))} lines a second`);
    if (left) state.measured.push(`about ${lasting(left)} left`);
    pace();
    tell(status, `${status}: ${thousands(counts.open)} of ${thousands(counts.total)} lines are open, ${thousands(failed)} failed`);
    if (status !== before.status || held !== before.held) renewing.ask(true);
    else if (before.counts && JSON.stringify(before.counts) !== JSON.stringify(counts)) renewing.ask(false);
    before = { status, held, counts };
  };
  const lost = () => {
    const words = "the connection is lost; connecting again";
    show("pace", words);
    tell("lost", words);
  };
  return { progress, lost, resume: renewing.resume, end: renewing.end };
}

// Refused by what was asked: whoever asks is not signed in any more, may not look, or is in another tenant by now.
const REFUSED = [401, 403, 404, 409];

// Follows a bulk change. Whenever the line breaks it is taken up again; a page that nobody sees does not ask.
function follow(section) {
  const { progress, lost, resume: resumeRenewing, end: endRenewing } = progressOf(section);
  let source = null;
  let again = 0;
  let pause = 1;
  const begin = () => {
    clearTimeout(again);
    if (source || document.hidden) return;
    source = new EventSource(section.dataset.follow);
    resumeRenewing();
    source.addEventListener("open", () => (pause = 1));
    source.addEventListener("progress", progress);
    source.addEventListener("done", (event) => {
      progress(event);
      end();
      // The reasons, and what can be done now, stand on the page as it is now.
      loadAgain();
    });
    source.addEventListener("error", () => {
      lost();
      // A broken line the browser takes up by itself. An answer that was no stream (the server starts, too many look) it gives up.
      if (source?.readyState === EventSource.CLOSED) look();
    });
  };
  // What a stream was answered does not say; a request does. A page that is refused leads on by itself, as to the page for signing in.
  const look = async () => {
    end();
    const asking = new AbortController();
    const answer = await fetch(section.dataset.follow, { signal: asking.signal }).catch(() => null);
    asking.abort();
    if (REFUSED.includes(answer?.status)) {
      loadAgain();
      return;
    }
    again = setTimeout(begin, pause * 1000);
    pause = Math.min(pause * 2, 30);
  };
  const end = () => {
    clearTimeout(again);
    endRenewing();
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  addEventListener("online", () => {
    end();
    begin();
  });
  // Whoever goes back to the page finds it as it was left, without its stream.
  addEventListener("pagehide", end);
  addEventListener("pageshow", begin);
  for (const link of section.querySelectorAll("[data-reload]")) link.hidden = true;
  begin();
}
