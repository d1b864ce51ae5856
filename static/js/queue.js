// Keys of the review queue. The page works without them; they can be turned off (WCAG 2.1.4) and stay off on this device.
"use strict";

(() => {
  const queue = document.querySelector("[data-queue]");
  if (!queue) return;
  const dialog = queue.querySelector("[data-keys-dialog]");
  const keysSwitch = queue.querySelector("[data-keys-switch]");
  const STORED = "handover.queue.keys";

  const stored = () => {
    try {
      return localStorage.getItem(STORED);
    } catch {
      return null;
    }
  };
  const setKeys = (on) => {
    queue.dataset.keys = on ? "on" : "off";
    keysSwitch.checked = on;
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // A browser that stores nothing keeps the choice until the page is left.
    }
  };

  const step = (elements, by) => {
    if (!elements.length) return;
    const at = elements.indexOf(document.activeElement.closest?.("a, [data-hit], [data-item]"));
    const current = at < 0 ? elements.findIndex((element) => element.hasAttribute("aria-current")) : at;
    const next = elements[Math.min(Math.max(current + by, 0), elements.length - 1)];
    focusIn(next);
  };
  const focusIn = (element) => {
    const radio = element.querySelector("input:checked") ?? element.querySelector("input");
    (radio ?? element).focus();
    element.scrollIntoView({ block: "nearest" });
  };
  const choose = (key) => {
    const group = document.activeElement.closest("[data-item], [data-hit]");
    const radio = group?.querySelector(`input[data-key="${key}"]`);
    if (!radio) return false;
    radio.click();
    radio.focus();
    if (key === "f") group.querySelector("textarea")?.focus();
    return true;
  };
  const press = (key) => {
    const target = queue.querySelector(`:is(button, textarea, input:not([type="radio"]))[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    target.matches("button") ? target.click() : target.focus();
    return true;
  };

  const handlers = {
    j: () => step([...queue.querySelectorAll("a.item")], 1),
    k: () => step([...queue.querySelectorAll("a.item")], -1),
    h: () => step([...queue.querySelectorAll("[data-hit]")], 1),
  };
  const handle = (key) => {
    if (handlers[key]) {
      handlers[key]();
      return true;
    }
    if (/^[1-9]$/.test(key)) {
      const item = queue.querySelector(`[data-item="${key}"]`);
      if (item) focusIn(item);
      return Boolean(item);
    }
    return choose(key) || press(key);
  };

  const isTyping = (element) =>
    element.matches("textarea, select, input:not([type='radio'], [type='checkbox'])") || element.isContentEditable;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (dialog.open || event.repeat && !/^[jkh]$/i.test(event.key)) return;
    if (queue.dataset.keys !== "on" && event.key !== "?") return;
    if (handle(event.key.toLowerCase())) event.preventDefault();
  });
  queue.querySelector("[data-keys-help]").addEventListener("click", () => dialog.showModal());
  keysSwitch.addEventListener("change", () => setKeys(keysSwitch.checked));
  setKeys(stored() !== "off");
  queue.querySelector("a.item[aria-current]")?.scrollIntoView({ block: "nearest" });
})();
