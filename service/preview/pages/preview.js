"use strict";
// Puts in what changed, and nothing else, so that the page stays where it is; and makes each frame as high as its mail.
const fit = (frame) => {
  const page = frame.contentDocument;
  if (page && page.documentElement && page.URL !== "about:blank") {
    frame.style.height = `${page.documentElement.offsetHeight}px`;
  }
};
const parts = (page) => new Map([...page.querySelectorAll("[data-mark]")].map((part) => [part.id, part]));
const shownNow = () => document.querySelector("main").dataset.version;

async function look() {
  const answer = await fetch(location.href);
  if (!answer.ok) return location.replace("/");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = parts(document);
  const now = parts(fresh);
  if ([...before.keys()].join() !== [...now.keys()].join()) return location.reload();
  for (const [id, part] of now) {
    const old = before.get(id);
    if (part.dataset.mark === old.dataset.mark) continue;
    for (const frame of part.querySelectorAll("iframe")) {
      const was = old.querySelector("iframe");
      if (was) frame.style.height = was.style.height;
    }
    part.classList.add("changed");
    old.replaceWith(document.adoptNode(part));
  }
  document.querySelector("main").dataset.version = fresh.querySelector("main").dataset.version;
}

document.addEventListener("load", (event) => event.target.tagName === "IFRAME" && fit(event.target), true);
addEventListener("resize", () => document.querySelectorAll("iframe").forEach(fit));
document.querySelectorAll("iframe").forEach(fit);

const changes = new EventSource("/changes");
changes.onopen = () => document.body.classList.remove("alone");
changes.onerror = () => document.body.classList.add("alone");
changes.onmessage = (event) => event.data !== shownNow() && look();
