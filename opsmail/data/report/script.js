"use strict";
// Search and filter of the table; without it the page shows everything.
(() => {
  const rows = [...document.querySelectorAll("tbody.rows tr")].map((row) => ({
    row, state: row.dataset.state, text: row.textContent.toLowerCase(),
  }));
  const [search, state, shown] = ["search", "state", "shown"].map((id) => document.getElementById(id));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of rows) {
      const fits = (!state.value || item.state === state.value) && words.every((word) => item.text.includes(word));
      item.row.hidden = !fits;
      count += fits;
    }
    shown.textContent = shown.dataset.text.replace("{shown}", count).replace("{all}", rows.length);
  };
  search.addEventListener("input", filter);
  state.addEventListener("change", filter);
  document.querySelector(".tools").hidden = false;
  filter();
})();
