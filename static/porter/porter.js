// Comfort on top of pages that work without it: keys on the workbench, the help dialog, draft saving after a pause.
(() => {
  "use strict";

  const typing = (element) => element.matches("input:not([type=radio], [type=checkbox]), textarea, select");
  const rows = () => [...document.querySelectorAll(".list .what")];

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    all[Math.min(Math.max(at + by, 0), all.length - 1)].focus();
  }

  // What a key leads to: a part that opens with the cursor in it, a field, or a button.
  function reach(element) {
    if (element.matches("details")) {
      element.open = true;
      element.querySelector("textarea, input:not([type=hidden], [type=checkbox], [type=radio]), select")?.focus();
      element.scrollIntoView({ block: "nearest" });
    } else if (typing(element)) element.focus();
    else element.click();
  }

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    n: () => document.querySelector("[data-key=n]")?.click(),
    c: () => document.querySelector("[data-key=c]")?.click(),
    r: () => document.querySelector("[data-key=r]")?.focus(),
    u: () => document.querySelector("[data-key=u]")?.click(),
    "/": () => document.querySelector("[data-key='/']")?.focus(),
    "?": () => document.querySelector("#help")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const send = event.target.closest("form")?.querySelector("[data-send]");
      if (send) { event.preventDefault(); send.click(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); return; }
    const marked = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key=${event.key}]`);
    if (marked) { event.preventDefault(); reach(marked); }
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
  });

  // A template goes where the cursor is; without this the server puts it into the box.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const text = button.parentElement.querySelector("select").selectedOptions[0]?.dataset.text;
    const box = document.getElementById(button.dataset.insert);
    if (!text) return;
    event.preventDefault();
    const at = box.selectionStart, before = box.value.slice(0, at), after = box.value.slice(box.selectionEnd);
    const gap = before && !before.endsWith("\n") ? "\n\n" : "";
    box.value = before + gap + text + after;
    box.focus();
    box.selectionStart = box.selectionEnd = (before + gap + text).length;
  });

  // What can be taken back can be for some seconds; then the offer goes.
  const undo = document.querySelector(".undo");
  if (undo) setTimeout(() => undo.remove(), Number(undo.dataset.for) * 1000);

  // A file that is too large is told before it is sent: a phone would send for minutes first. Seen before htmx does.
  document.addEventListener("change", (event) => {
    const input = event.target;
    const form = input.closest("form[data-most]");
    if (!form || input.type !== "file") return;
    const most = Number(form.dataset.most);
    const large = [...input.files].find((file) => file.size > most);
    input.parentElement.querySelector(".error.size")?.remove();
    if (!large) return;
    event.stopImmediatePropagation();
    input.value = "";
    const said = document.createElement("p");
    said.className = "error size";
    said.setAttribute("role", "alert");
    said.textContent = `${large.name}: ${form.dataset.tooLarge}`;
    input.before(said);
  }, true);
  // Choosing a file is one event too many for a form that saves after each: the second would begin the upload anew.
  document.addEventListener("input", (event) => {
    if (event.target.type === "file") event.stopImmediatePropagation();
  }, true);

  // A request is sent once, however often the button is pressed. The server makes sure of it; this saves the worry.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.once === undefined) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 8000);
  });

  // After a swap the person goes on where they were: htmx keeps the focus of elements with an id, and the cursor.
  document.addEventListener("htmx:responseError", (event) => {
    const status = document.querySelector(".saved");
    if (!status) return;
    status.textContent = event.detail.xhr.status === 403 || event.detail.xhr.status === 401
      ? status.dataset.signedOut : status.dataset.failed;
  });
  document.addEventListener("htmx:sendError", () => {
    const status = document.querySelector(".saved");
    if (status) status.textContent = status.dataset.failed;
  });
})();
