// Comfort on top of pages that work without it: keys and live lists on the workbench, the help dialog, drafts, files.
(() => {
  "use strict";

  const typing = (element) => element.matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  const find = (selector) => document.querySelector(selector);
  const rows = () => [...document.querySelectorAll(".list .what")];
  const row = () => document.activeElement?.closest(".list tr");
  const box = (tr) => tr?.querySelector("[name=task]");
  const boxes = () => [...document.querySelectorAll(".list [name=task]")];

  // ---- keys of the workbench: what a page offers carries its key, as data-key, data-go (after G) or data-pick ----

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(row()?.querySelector(".what"));
    all[Math.min(Math.max(at + by, 0), all.length - 1)].focus();
  }

  let lastPick = null;
  function pick(shift) {
    const here = box(row());
    if (!here) return;
    const all = boxes(), from = all.indexOf(lastPick);
    if (shift && from >= 0) {
      const to = all.indexOf(here);
      all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((each) => { each.checked = true; });
    } else here.checked = !here.checked;
    lastPick = here;
    tell();
  }

  function tell() {
    const said = find("[data-count]");
    if (said) said.textContent = said.dataset.count.replace("%n", boxes().filter((each) => each.checked).length);
  }

  // With nothing selected, a key means the row that has the focus.
  function withPicked(key) {
    const button = find(`[data-pick=${key}]`);
    if (!button) return false;
    if (!boxes().some((each) => each.checked)) {
      const here = box(row());
      if (!here) return true;
      here.checked = true;
    }
    button.click();
    return true;
  }

  // What a key leads to: a part that opens with the cursor in it, a field, or a button.
  function reach(element) {
    if (element.matches("details")) {
      element.open = true;
      element.querySelector("textarea, input:not([type=hidden], [type=checkbox], [type=radio]), select")?.focus();
      element.scrollIntoView({ block: "nearest" });
    } else if (typing(element)) {
      element.focus();
      if (element.type === "search") element.select();
    } else element.click();
  }

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    o: () => row()?.querySelector(".what").click(),
    x: () => pick(false),
    X: () => pick(true),
    "?": () => find("#help")?.showModal(),
  };
  let going = 0;

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const send = event.target.closest("form")?.querySelector("[data-send]");
      if (send) { event.preventDefault(); send.click(); }
      return;
    }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || typing(event.target) || find("dialog[open]")) return;
    if (!find(".bench")) return;
    const key = event.key;
    if (key === "g") { going = Date.now(); return; }
    if (Date.now() - going < 1500) {
      going = 0;
      const to = /^[a-z]$/.test(key) && find(`[data-go=${key}]`);
      if (to) { event.preventDefault(); to.click(); }
      return;
    }
    if (key.startsWith("Arrow") && !row()) return;
    if (keys[key]) { event.preventDefault(); keys[key](); return; }
    if (/^[chd]$/.test(key) && withPicked(key)) { event.preventDefault(); return; }
    const marked = /^[a-z/[\]]$/.test(key) && find(`[data-key="${key}"]`);
    if (marked) { event.preventDefault(); reach(marked); }
  });

  document.addEventListener("click", (event) => {
    const here = event.target.closest(".list [name=task]");
    if (!here) return;
    const all = boxes(), from = all.indexOf(lastPick), to = all.indexOf(here);
    if (event.shiftKey && from >= 0) {
      all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((each) => { each.checked = here.checked; });
    }
    lastPick = here;
    tell();
  });

  // ---- a lead drags a row, or all that are selected, onto a queue or a person; the form does the same without ----

  document.addEventListener("dragstart", (event) => {
    const here = box(event.target.closest?.("#move tr"));
    if (!here) return;
    here.checked = true;
    tell();
    event.dataTransfer.setData("text/plain", "task");
    event.dataTransfer.effectAllowed = "move";
  });
  const over = (event) => event.target.closest?.("[data-drop]");
  document.addEventListener("dragover", (event) => {
    const place = find("#move") && over(event);
    if (!place) return;
    event.preventDefault();
    place.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => over(event)?.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    const place = find("#move") && over(event);
    if (!place) return;
    event.preventDefault();
    const to = find("#to"), where = place.dataset.drop;
    if (![...to.options].some((each) => each.value === where)) to.add(new Option("", where));
    to.value = where;
    if (find("#find")) find("#find").value = "";
    find("#move").requestSubmit();
  });

  // ---- the way back: the same list, the same row ----

  const PLACE = "porter-list";
  const list = () => find("#list, .list");
  document.addEventListener("click", (event) => {
    const open = event.target.closest(".list .what");
    if (open) sessionStorage.setItem(PLACE, JSON.stringify(
      { at: location.pathname + location.search, row: open.id, number: rows().indexOf(open) }));
  }, true);
  document.addEventListener("DOMContentLoaded", () => {
    const kept = JSON.parse(sessionStorage.getItem(PLACE) || "null");
    const back = find("a[data-key=u]");
    if (back && kept && !list()) back.href = kept.at;
    if (kept && list() && kept.at === location.pathname + location.search) {
      const all = rows();
      // What was done is gone from the list: go on with the row that has moved up.
      (document.getElementById(kept.row) || all[Math.min(kept.number, all.length - 1)])?.focus();
      sessionStorage.removeItem(PLACE);
    }
  });

  // ---- a list keeps itself up to date while somebody looks at it ----

  const EVERY = 20000, WHOLE = 15; // a whole one now and then, since times grow old without a change
  let looks = 0;
  const look = () => {
    const live = find("#live");
    if (!live || document.hidden || !window.htmx || find("dialog[open]")) return;
    looks += 1;
    const address = live.getAttribute("hx-get").split("?")[0];
    live.setAttribute("hx-get", looks % WHOLE ? address : `${address}?whole=1`);
    window.htmx.process(live);
    window.htmx.trigger(live, "look");
  };
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);

  let picked = [], focused = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "list") return;
    picked = boxes().filter((each) => each.checked).map((each) => each.value.split(":")[0]);
    focused = document.activeElement?.id || "";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "list") return;
    boxes().forEach((each) => { each.checked = picked.includes(each.value.split(":")[0]); });
    tell();
    if (focused.startsWith("open-")) (document.getElementById(focused) || rows()[0])?.focus();
  });
  const warn = (kind) => {
    const live = find("#live");
    if (!live) return;
    live.textContent = live.dataset[kind];
    live.className = "told-live";
  };
  document.addEventListener("htmx:sendError", () => warn("lost"));
  document.addEventListener("htmx:responseError", (event) => warn([401, 403].includes(event.detail.xhr.status) ? "signedOut" : "lost"));
  document.addEventListener("htmx:afterRequest", (event) => {
    const live = find("#live");
    if (event.target === live && event.detail.successful && live.textContent) { live.textContent = ""; live.className = ""; }
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    const dialog = opener && document.getElementById(opener.dataset.open);
    if (dialog) { event.preventDefault(); dialog.showModal(); } // without scripts it is a link to a page that asks
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

  // Saves of a page carry a number that only grows, so that one given up on can't undo a newer one on the server.
  let turn = 0;
  const number = (form) => {
    const field = form.querySelector("#turn");
    if (!field) return;
    turn = Math.max(turn + 1, Date.now());
    field.value = turn;
    form.querySelectorAll("#tab, #turn").forEach((each) => { each.name = each.dataset.name; });
  };
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.querySelector?.("#turn")) return;
    number(event.target);
    event.detail.parameters.set("tab", find("#tab").value);
    event.detail.parameters.set("turn", turn);
  });
  document.addEventListener("submit", (event) => number(event.target));

  // What was typed while a save was under way is not in its answer: leave the page as it is, the next save follows.
  const written = (form) => [...new FormData(form)].filter(([name]) => name.startsWith("i.")).map(([name, value]) => `${name}=${value.name ?? value}`).join("\n");
  let saving = null;
  document.addEventListener("htmx:beforeSend", (event) => {
    if (event.target.querySelector?.("#turn")) saving = written(event.target);
  });

  // A key or a finger that is down now comes up on what it went down on, or the press is lost: the answer waits for it,
  // no longer than a second, since it may bring a notice of an emergency.
  let down = 0;
  const pressed = () => Date.now() - down < 1000;
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => { down = Date.now(); }, true);
  for (const kind of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(kind, () => { down = 0; }, true);

  // The focus stays where it is: htmx sees to what has an id, this to buttons and links.
  let lost = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = event.detail.requestConfig.elt;
    if (event.detail.target.id !== "page" || !form.matches("form")) return;
    if (written(form) !== saving) event.detail.shouldSwap = false;
    else if (pressed()) {
      event.detail.shouldSwap = false;
      setTimeout(() => window.htmx.trigger(form, "change"), 200);
    }
    lost = find("#page").contains(document.activeElement) ? document.activeElement : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (!lost || lost.isConnected || document.activeElement !== document.body) return;
    [...document.querySelectorAll(`#page ${lost.localName}`)].find((each) => each.outerHTML === lost.outerHTML)?.focus();
    lost = null;
  });

  // A notice of an emergency interrupts: the first time it is shown, the focus goes to it.
  let told = document.querySelector("#notice")?.dataset.key;
  document.addEventListener("htmx:afterSettle", () => {
    const notice = document.querySelector("#notice");
    if (notice && notice.dataset.key !== told) { notice.focus(); notice.scrollIntoView({ block: "start" }); }
    told = notice?.dataset.key;
  });

  // The quick way out: nothing of the page is left to see, and "back" doesn't lead here.
  function leave(link) {
    document.documentElement.hidden = true;
    location.replace(link.href);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-exit]");
    if (link) { event.preventDefault(); leave(link); }
  });
  let escapes = [];
  document.addEventListener("keydown", (event) => {
    const link = document.querySelector("[data-exit]");
    if (event.key !== "Escape" || !link) return;
    escapes = [...escapes, event.timeStamp].filter((at) => event.timeStamp - at < 3000);
    if (escapes.length >= 3) leave(link);
  }, true);

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
