"use strict";

// A click on a column's name sorts by it; a second click turns the order round. Unknown values stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const row = table.tHead.rows[table.tHead.rows.length - 1];
  [...row.cells].forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of row.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const key = (line) => line.cells[column].dataset.sort ?? "";
      const order = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        const byNumber = Number(x) - Number(y);
        return sign * (Number.isNaN(byNumber) ? x.localeCompare(y) : byNumber);
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
    });
  });
}
