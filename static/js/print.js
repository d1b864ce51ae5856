// A button that prints the page. Without script it stays hidden, and the browser's own menu prints the same.
"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
