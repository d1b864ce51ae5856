// Keys of the review queue. The page works without them; they can be turned off (WCAG 2.1.4) and stay off on this device.
"use strict";

(() => {
  const queue = document.querySelector("[data-queue]");
  if (!queue) return;
  const dialog = queue.querySelector("[data-keys-dialog]");
  const keysSwitch = queue.querySelector("[data-keys-switch]");
  const work = queue.querySelector("[data-work]");
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

  const focusIn = (element) => {
    const radio = element.querySelector("input:checked") ?? element.querySelector("input");
    (radio ?? element).focus();
    element.scrollIntoView({ block: "nearest" });
  };
  const step = (selector, by) => {
    const elements = [...queue.querySelectorAll(selector)];
    if (!elements.length) return false;
    const at = elements.indexOf(document.activeElement.closest(selector));
    const current = at < 0 ? elements.findIndex((element) => element.hasAttribute("aria-current")) : at;
    const next = elements[Math.min(Math.max(current + by, 0), elements.length - 1)];
    // On a narrow screen the list is another page: there is nothing to point at.
    if (next.checkVisibility()) focusIn(next);
    else if (next !== elements[current]) next.click();
    return true;
  };
  const choose = (key) => {
    const group = document.activeElement.closest("[data-item], [data-hit]");
    const radio = group?.querySelector(`input[data-key="${key}"]`);
    if (!radio) return false;
    radio.click();
    radio.focus();
    if (key === "f") group.querySelector("textarea").focus();
    return true;
  };
  const press = (key) => {
    const target = queue.querySelector(`:is(button, textarea, input:not([type="radio"]))[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    if (target.matches("button")) target.click();
    else target.focus();
    return true;
  };
  const question = (number) => {
    const item = queue.querySelector(`[data-item="${number}"]`);
    if (!item?.querySelector("input")) return false;
    focusIn(item);
    return true;
  };

  const handlers = {
    j: () => step("a.item", 1),
    k: () => step("a.item", -1),
    h: () => step("[data-hit]:has(input)", 1),
  };
  const handle = (key) => {
    if (handlers[key]) return handlers[key]();
    return /^[1-9]$/.test(key) ? question(key) : choose(key) || press(key);
  };
  const isTyping = (element) => element.matches("textarea, select, input:not([type='radio'], [type='checkbox'])");

  document.addEventListener("keydown", (event) => {
    if (queue.dataset.keys !== "on" || dialog.open) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    // A key that is held down walks through the list, but never decides twice.
    if (event.repeat && !/^[jkh]$/i.test(event.key)) return;
    if (handle(event.key.toLowerCase())) event.preventDefault();
  });
  queue.querySelector("[data-keys-help]").addEventListener("click", () => dialog.showModal());
  keysSwitch.addEventListener("change", () => setKeys(keysSwitch.checked));
  setKeys(stored() !== "off");

  // What the server counted holds until something is changed.
  work?.addEventListener("change", () => {
    const why = work.querySelector("[data-changed]");
    if (why) why.textContent = why.dataset.changed;
    work.querySelector("[data-answered]").textContent = work.querySelectorAll("[data-item] input:checked").length;
  });
  queue.querySelector("a.item[aria-current]")?.scrollIntoView({ block: "nearest" });
})();
