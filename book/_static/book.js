// What the theme leaves for screen readers to stumble over, set right after loading.
document.addEventListener("DOMContentLoaded", () => {
  const strip = (selector, attribute) =>
    document.querySelectorAll(selector).forEach((e) => e.removeAttribute(attribute));

  // The visible name of these must not differ from the announced one.
  strip(".search-button-field, .theme-switch-button", "aria-label");
  document.querySelectorAll("summary").forEach((e) => {
    if (e.textContent.trim()) e.removeAttribute("aria-label");
    else e.setAttribute("aria-label", "What is below");
  });
  // A list of references whose items are not list items, to a reader.
  strip(".citation-list, [role=doc-biblioentry], [role=doc-backlink]", "role");

  // A signature of several lines is a list of values without names, to a reader.
  document.querySelectorAll("dt.sig dl, dt.sig dl dd").forEach((e) => {
    e.setAttribute("role", "none");
  });

  // The book's name in the sidebar lies outside every landmark.
  const home = document.querySelector(".navbar-brand")?.parentElement;
  home?.setAttribute("role", "region");
  home?.setAttribute("aria-label", "Home");

  // pandas leaves the head of the index column empty.
  document.querySelectorAll("table thead th").forEach((cell) => {
    if (cell.textContent.trim() === "") {
      cell.innerHTML = '<span class="visually-hidden">row</span>';
    }
  });
});

// A link from a figure to its code opens the fold in which the code stands.
const showCode = (hash) => {
  const anchor = hash.startsWith("#code-") && document.getElementById(hash.slice(1));
  anchor && anchor.nextElementSibling?.querySelector("details")?.setAttribute("open", "");
};
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#code-"]');
  if (link) showCode(link.getAttribute("href"));
});
window.addEventListener("load", () => showCode(location.hash));

// The theme takes the focus from its button after every press; keys would need it again.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".theme-switch-button");
  if (button && event.detail === 0) button.focus();
});

// The slider of a figure, for keys and fingers: plotly's own listens to a mouse alone.
const slide = (plot) => {
  const [bar] = plot.layout?.sliders ?? [];
  if (!bar) return;
  const row = document.createElement("div");
  row.className = "interactive-slider";
  row.innerHTML = '<output></output><input type="range" min="0">';
  const [shown, range] = row.children;
  const prefix = bar.currentvalue?.prefix ?? "step: ";
  range.setAttribute("aria-label", prefix.replace(/:?\s*$/, ""));
  const show = () => {
    shown.textContent = prefix + bar.steps[range.value].label;
    range.setAttribute("aria-valuetext", shown.textContent);
  };
  range.max = bar.steps.length - 1;
  range.value = bar.active ?? 0;
  range.addEventListener("input", () => {
    show();
    Plotly.update(plot, ...bar.steps[range.value].args);
  });
  show();
  if (bar.steps.length > 1) plot.after(row);
  const height = plot.layout.height - (bar.pad?.t ?? 0);
  Plotly.relayout(plot, { sliders: [], height, dragmode: false });
};
document.addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll(".interactive").forEach(slide),
);

// Paper is white: print in the light theme, figures with a slider as they stand.
let themeOnScreen;
addEventListener("beforeprint", () => {
  themeOnScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = themeOnScreen;
});
