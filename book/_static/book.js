// What the theme leaves for screen readers to stumble over, set right after loading.
document.addEventListener("DOMContentLoaded", () => {
  const strip = (selector, attribute) =>
    document.querySelectorAll(selector).forEach((e) => e.removeAttribute(attribute));

  // The visible name of these must not differ from the announced one.
  strip(".search-button-field, .theme-switch-button, summary", "aria-label");
  // A list of references whose items are not list items, to a reader.
  strip(".citation-list, [role=doc-biblioentry], [role=doc-backlink]", "role");

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
