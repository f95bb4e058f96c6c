"use strict";
// What plain HTML cannot do: keep folded steps open when a page refreshes itself, and j/k/enter in lists.
(function () {
  const open = new Set();

  document.addEventListener("toggle", function (event) {
    const id = event.target.id;
    if (id) { event.target.open ? open.add(id) : open.delete(id); }
  }, true);

  document.addEventListener("htmx:oobAfterSwap", function () {
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) { details.open = true; }
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) { return; }
    const step = { j: 1, k: -1 }[event.key];
    const links = Array.from(document.querySelectorAll("[data-keys] tbody th a"));
    if (!step || !links.length) { return; }
    const here = links.indexOf(document.activeElement);
    links[Math.min(Math.max(here + step, 0), links.length - 1)].focus();
  });
})();
