/* What the theme leaves out for keyboards and screen readers. */
(function () {
  "use strict";

  /* Buttons that unfold the pages below another one in the sidebar have no name. */
  document.querySelectorAll(".bd-sidebar-primary summary").forEach((button) => {
    const page = button.closest("li").querySelector("a").textContent.trim();
    button.setAttribute("aria-label", `Pages of ${page}`);
  });

  /* A table that is wider than the page is scrolled with the arrow keys only where its
   * box can be focused. */
  document.querySelectorAll(".pst-scrollable-table-container").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  });

  /* What is folded is open on paper, and as it was afterwards. */
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => (part.open = true));
  });
  window.addEventListener("afterprint", () => {
    folded.forEach((part) => (part.open = false));
  });
})();
