"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, index) => {
    const value = row.cells[index].dataset.sort;
    return value === "" || isNaN(value) ? value : Number(value);
  };
  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sign = down ? -1 : 1;
      const compare = (a, b) => {
        const [x, y] = [key(a, index), key(b, index)];
        if (x === "" || y === "") return (x === "") - (y === ""); // what is missing stands last
        return sign * (typeof x === "number" && typeof y === "number"
          ? x - y
          : String(x).localeCompare(String(y)));
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
}
