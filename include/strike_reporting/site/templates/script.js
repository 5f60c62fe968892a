// Sorting and filtering. Without this script every table is still there, whole and in order.
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("n");
      const was = head.getAttribute("aria-sort");
      const up = was ? was === "descending" : !numeric;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => {
        const text = row.cells[column].textContent.trim();
        if (!numeric) return text.toLowerCase();
        if (text.startsWith("under")) return 0.01;
        if (text.startsWith("over")) return 99.99;
        return /\d/.test(text) ? Number.parseFloat(text.replace(/[,%]/g, "")) : null;
      };
      const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
      // What is not available comes last, whichever way the rest goes.
      rows.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null);
        const order = numeric ? a - b : a.localeCompare(b, "en-GB");
        return up ? order : -order;
      });
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}
const asked = new URLSearchParams(location.search);
for (const box of document.querySelectorAll(".filter[data-for]")) {
  const rows = [...document.getElementById(box.dataset.for).tBodies[0].rows].filter((row) => row.cells.length > 1);
  const [search, list, output] = ["input", "select", "output"].map((name) => box.querySelector(name));
  const apply = () => {
    const q = search ? search.value.trim().toLowerCase() : "";
    const only = list ? list.value : "";
    let shown = 0;
    for (const row of rows) {
      const tags = (row.dataset.tags ?? "").split(" ");
      const hit = (!q || tags.includes(q) || row.textContent.toLowerCase().includes(q)) && (!only || tags.includes(only));
      row.hidden = !hit;
      shown += hit;
    }
    output.textContent = q || only ? `${shown} of ${rows.length} shown` : "";
  };
  box.hidden = false;
  box.addEventListener("input", apply);
  if (search && asked.get("q")) search.value = asked.get("q");
  if (list && asked.get("only")) list.value = asked.get("only");
  apply();
}
// Rows that a filter has just hidden moved the place that the address names.
if (asked.size && location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
// Which release was current at a moment: the newest that had been cut. Both are minutes in London, so texts compare.
for (const box of document.querySelectorAll(".then")) {
  const [moment, output] = ["input", "output"].map((name) => box.querySelector(name));
  const rows = [...document.querySelectorAll("tr[data-from]")];
  box.hidden = false;
  box.addEventListener("input", () => {
    const row = moment.value && rows.find((one) => one.dataset.from <= moment.value);
    output.replaceChildren(moment.value && !row ? "No release had been cut." : "");
    if (moment.value) document.querySelector(".moment").textContent = moment.value;
    if (row) output.append(row.cells[0].textContent.replace(" (current)", ""), " was current: ", row.querySelector("a").cloneNode(true));
  });
}
