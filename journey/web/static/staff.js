// Keeps the preview beside the enroll form as one types, and puts the focus where it is needed.
// Everything here also works without it: the form posts and comes back with the preview.

const WAIT = 400; // milliseconds after the last key

function watch(form) {
  const target = document.querySelector("#preview");
  let timer = 0;
  let asked = 0;

  async function refresh() {
    const mine = ++asked;
    const slow = setTimeout(() => target.setAttribute("aria-busy", "true"), 300);
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.dataset.preview, { method: "POST", body });
      if (mine !== asked) return; // a newer one is under way
      if (answer.status === 401) target.textContent = "You have been signed out. Press the button: your form is kept.";
      else if (answer.ok) show(await answer.text());
    } catch {
      target.textContent = "The preview does not answer. Press the button to try again.";
    } finally {
      clearTimeout(slow);
      if (mine === asked) target.removeAttribute("aria-busy");
    }
  }

  function show(html) {
    const open = [...target.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
    target.innerHTML = html;
    for (const one of target.querySelectorAll("details > summary")) {
      if (open.includes(one.textContent)) one.parentElement.open = true;
    }
  }

  form.addEventListener("input", () => {
    // What was confirmed must be what was seen: a changed form shows its preview first.
    document.querySelector("#confirm")?.remove();
    form.querySelector("[data-show]")?.classList.add("primary");
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT);
  });
  form.addEventListener("change", (event) => {
    if (["pathway", "site"].includes(event.target.name)) form.requestSubmit(form.querySelector("[data-show]"));
  });
}

// Longer work: shows how far it is, and opens the page anew once it is over.
function follow(bar) {
  setInterval(async () => {
    try {
      const answer = await fetch(location.href);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-progress]");
      if (!fresh) location.reload();
      else bar.replaceChildren(...fresh.childNodes);
    } catch {
      // The next look may get an answer.
    }
  }, 2000);
}

const bar = document.querySelector("[data-progress]");
if (bar) follow(bar);
const form = document.querySelector("form[data-preview]");
if (form) watch(form);
document.querySelector(".errors")?.focus();
