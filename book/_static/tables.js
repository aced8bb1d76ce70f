// Tables to search, sort and filter: DataTables does the work, this sets it up.
// A row carries its labels as data-NAME, several divided by "|"; ?NAME=label in the
// address sets a filter, ?search=words the search.
document.addEventListener("DOMContentLoaded", () => {
  const asked = new URLSearchParams(location.search);

  const choice = (name, rows) => {
    const labels = new Map();
    for (const row of rows) {
      for (const label of row.dataset[name].split("|")) {
        if (label) labels.set(label, (labels.get(label) ?? 0) + 1);
      }
    }
    const select = document.createElement("select");
    select.add(new Option(`any ${name}`, ""));
    const sorted = [...labels].sort(([a], [b]) => a.localeCompare(b));
    for (const [label, count] of sorted) select.add(new Option(`${label} (${count})`, label));
    select.setAttribute("aria-label", `Show by ${name}`);
    if (labels.has(asked.get(name))) select.value = asked.get(name);
    return select;
  };

  for (const box of document.querySelectorAll(".filter-table")) {
    const table = box.querySelector("table");
    const rows = [...table.tBodies[0].rows];
    const bar = document.createElement("div");
    bar.className = "table-filters";
    const selects = box.dataset.filters.split(" ").map((name) => [name, choice(name, rows)]);
    bar.append(...selects.map(([, select]) => select));
    const { default: DataTable } = window.ScalingTables;
    const made = new DataTable(table, {
      autoWidth: false,
      paging: false,
      order: [],
      search: { search: asked.get("search") ?? "" },
      layout: {
        top2: () => bar,
        topStart: "info",
        topEnd: "search",
        bottomStart: null,
        bottomEnd: null,
      },
      language: {
        search: "Search",
        info: "_TOTAL_ rows",
        infoEmpty: "no rows",
        infoFiltered: "of _MAX_",
        zeroRecords: "Nothing fits.",
      },
    });
    const shown = () => {
      for (const [name, select] of selects) {
        const wanted = select.value;
        made.search.fixed(name, (text, data, index) => {
          const labels = made.row(index).node().dataset[name].split("|");
          return !wanted || labels.includes(wanted);
        });
      }
      made.draw();
    };
    bar.addEventListener("change", () => {
      shown();
      const query = new URLSearchParams();
      for (const [name, select] of selects) if (select.value) query.set(name, select.value);
      const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
      try { history.replaceState(null, "", address); } catch { /* a sandboxed page */ }
    });
    shown();
    // Rows may have moved since the address was followed.
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }
});
