// The SHA-256 of a chosen file, computed here: the file is not sent. Without script, or where the browser offers no
// cryptography (a page without HTTPS), the field for the file stays hidden and the hash is typed.
"use strict";

for (const form of document.querySelectorAll("[data-verify]")) {
  const place = form.querySelector("[data-verify-file]");
  const field = form.querySelector("[name=digest]");
  if (!window.crypto || !window.crypto.subtle) continue;
  place.hidden = false;
  place.querySelector("input").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    const digest = await window.crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    field.value = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  });
}
