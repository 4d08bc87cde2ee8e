// Keeps a page of the demonstration up to date, and presses the clock's buttons without leaving it.
// Everything here also works without it: the forms post and come back.

const POLL = 600; // milliseconds
let pressing = false;
let lost = false;

const version = () => document.querySelector("main").dataset.version;

function say(text) {
  document.querySelector("#clock-news").textContent = text;
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const focused = document.activeElement;
  const place = focused && (focused.id ? `#${focused.id}` : focused.getAttribute("href") && `a[href="${focused.getAttribute("href")}"]`);
  for (const region of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(region.id);
    if (next && next.innerHTML !== region.innerHTML) {
      const held = region.contains(focused) && place;
      region.innerHTML = next.innerHTML;
      if (held) {
        // Play becomes Pause: the focus stays where the hand was.
        const twin = { "#press-play": "#press-pause", "#press-pause": "#press-play" }[place];
        (region.querySelector(place) || (twin && region.querySelector(twin)) || region.querySelector("button"))?.focus();
      }
    }
  }
  document.querySelector("main").dataset.version = fresh.querySelector("main").dataset.version;
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (answer.ok && answer.url === location.href.split("#")[0]) swap(await answer.text());
}

async function look() {
  if (document.hidden || pressing) return;
  try {
    const answer = await fetch("/demo/now");
    const now = await answer.json();
    if (now.version !== version() && !pressing) await refresh();
    if (lost) say("");
    lost = false;
  } catch {
    lost = true;
    say("The demonstration does not answer. Start it again with: make demo");
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-press]");
  if (!form) return;
  event.preventDefault();
  if (pressing) return;
  pressing = true;
  const bar = document.querySelector(".clock");
  bar.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => say("Sending what is due…"), 300);
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    clearTimeout(slow);
    if (!answer.ok) throw new Error();
    swap(await answer.text());
  } catch {
    clearTimeout(slow);
    say("That did not work. Press it again, or start again with: make demo");
  } finally {
    bar.removeAttribute("aria-busy");
    pressing = false;
  }
});

setInterval(look, POLL);
document.querySelector(".errors")?.focus();
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
