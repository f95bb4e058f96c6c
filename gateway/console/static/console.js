"use strict";
// What plain HTML cannot do: times in the reader's zone, folded steps that stay open when a page refreshes itself, j/k in lists.
(function () {
  const open = new Set();
  const formats = document.documentElement.dataset;
  const part = function (options) { return new Intl.DateTimeFormat("en-US", options); };
  const month = part({ month: "short" });
  const twelve = part({ hour: "numeric", minute: "2-digit", hour12: true });
  const twentyFour = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const zone = part({ timeZoneName: "short" });

  function day(at) {
    const numbers = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(function (n) { return String(n).padStart(2, "0"); });
    if (formats.dateOrder === "ymd") { return numbers.join("-"); }
    const written = [month.format(at), at.getDate()];
    return formats.dateOrder === "mdy" ? written.join(" ") + ", " + at.getFullYear() : written.reverse().join(" ") + " " + at.getFullYear();
  }

  function localize() {
    for (const each of document.querySelectorAll("time[data-local]")) {
      const at = new Date(each.dateTime);
      const said = day(at) + ", " + (formats.clock === "12h" ? twelve : twentyFour).format(at).replace("\u202f", " ");
      if (each.dataset.local === "title") { each.title = said; } else { each.textContent = said; }
    }
    const named = document.getElementById("zone");
    const found = zone.formatToParts(new Date()).find(function (each) { return each.type === "timeZoneName"; });
    if (named && found) { named.textContent = found.value; }
  }

  localize();
  document.addEventListener("htmx:afterSwap", localize);

  document.addEventListener("toggle", function (event) {
    const id = event.target.id;
    if (id) { event.target.open ? open.add(id) : open.delete(id); }
  }, true);

  document.addEventListener("htmx:oobAfterSwap", function () {
    localize();
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
