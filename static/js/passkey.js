// A passkey that was refused or canceled is told on the page. Without script, or without passkeys, their buttons stay hidden.
"use strict";

if (window.PublicKeyCredential) {
  for (const part of document.querySelectorAll("[data-passkey]")) part.hidden = false;
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("passkey-problem").hidden = false;
});
