// What people say of a feature: a name of their own, a vote, a comment. Notes of the study come with the page; those that
// are written here stay in the browser, if it lets them, until they are exported and merged (interp notes FOLDER merge).
// A note is {feature, by, at, kind, text}, as interp.study.notes_file has it. Texts become text nodes, never markup.

const KEY = `interp-notes-${data.notes?.dictionary}`;
const saved = new Set((data.notes?.notes ?? []).map(noteKey)); // what the study has
let own = readOwn();
let kept = true; // whether the browser keeps what is written here

/** The same text for the same note. @param {Note} note */
function noteKey({ feature, by, at, kind, text }) {
  return JSON.stringify([feature, by, at, kind, text]);
}

/**
 * What was written in this browser and the study does not have yet. Another page may have put anything there.
 * @returns {Note[]}
 */
function readOwn() {
  try {
    const notes = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    /** @param {any} note */
    const isNote = (note) => Number.isInteger(note?.feature) && features.name[note.feature] !== undefined &&
      ["by", "at", "kind", "text"].every((part) => typeof note[part] === "string");
    return notes.filter((/** @type {Note} */ note) => isNote(note) && !saved.has(noteKey(note)));
  } catch {
    return [];
  }
}

function keepOwn() {
  try {
    localStorage.setItem(KEY, JSON.stringify(own));
    kept = true;
  } catch {
    kept = false; // some browsers keep nothing for files
  }
}

/** All notes of a feature, the earliest first. @param {number} feature */
function notesOf(feature) {
  const all = [...(data.notes?.notes ?? []), ...own].filter((note) => note.feature === feature);
  return all.sort((one, other) => (one.at + one.by + one.text < other.at + other.by + other.text ? -1 : 1));
}

/** Each person's latest note of a kind, the latest person last. @param {number} feature @param {string} kind */
function latestOf(feature, kind) {
  /** @type {Map<string, Note>} */
  const latest = new Map();
  for (const note of notesOf(feature).filter((one) => one.kind === kind)) {
    latest.delete(note.by);
    latest.set(note.by, note);
  }
  return [...latest.values()];
}

/** The names that people gave a feature and did not take back; the last is shown. @param {number} feature */
const givenNames = (feature) => latestOf(feature, "name").filter(({ text }) => text);

/** Have every chip of the page show the name that is in force. @param {number} feature */
function takeName(feature) {
  const last = givenNames(feature).at(-1);
  features.given[feature] = last ? [last.text, last.by] : null;
  searched.names[feature] = searchable(toldOf(feature).join(" "));
}

/** @param {number} feature */
function showNotes(feature) {
  if (!data.notes) return;
  const names = givenNames(feature).reverse().map(({ text, by }) => make("li", {}, givenChip(text, by), ` by ${short(by)}`));
  const comments = latestFirst(feature).map(({ text, by, at }) => make("li", {}, make("b", { dir: "auto" }, short(by)), ` ${at.slice(0, 10)} `, make("p", { dir: "auto" }, text)));
  const votes = latestOf(feature, "vote");
  const [up, down] = ["up", "down"].map((way) => votes.filter(({ text }) => text === way).length);
  byId("said").replaceChildren(...names, ...(names.length || comments.length ? [] : [make("li", { className: "weak" }, "Nobody said anything yet.")]), ...comments);
  const me = byId("note-by").value.trim();
  const mine = votes.find(({ by }) => by === me)?.text;
  for (const [way, count, sign] of /** @type {[string, number, string][]} */ ([["up", up, "▲"], ["down", down, "▼"]])) {
    byId(`vote-${way}`).replaceChildren(make("span", { ariaHidden: "true" }, sign), ` ${count}`);
    byId(`vote-${way}`).ariaLabel = `Vote ${way === "up" ? "for" : "against"} its names, ${count} so far`;
    byId(`vote-${way}`).ariaPressed = String(mine === way);
  }
  byId("notes-export").disabled = !own.length;
  byId("notes-export").textContent = `Export ${own.length} new ${own.length === 1 ? "note" : "notes"}`;
  const unsaved = kept ? "They stay in this browser until the study has them." : "This browser keeps nothing of a file: export them before you close the page.";
  byId("notes-state").textContent = own.length ? `${own.length} written here are not in the study yet. ${unsaved}` : "";
}

/** @param {number} feature */
const latestFirst = (feature) => notesOf(feature).filter(({ kind }) => kind === "comment").reverse();

/** Write notes of these kinds and texts, and whether it did; says so where nobody signs. @param {Record<string, string>} texts by kind */
function write(texts) {
  const by = byId("note-by").value.trim();
  byId("note-by").setCustomValidity(by ? "" : "Say who you are");
  if (!byId("note-by").reportValidity()) return false;
  const feature = state.feature;
  const at = timeAfter(notesOf(feature).at(-1)?.at ?? "");
  own.push(...Object.entries(texts).map(([kind, text]) => ({ feature, by, at, kind, text })));
  keepOwn();
  takeName(feature);
  showTitle(feature);
  fillTable();
  showNotes(feature);
  return true;
}

/** Now, or a second after an earlier time: what is said later of a feature must stand later. @param {string} earlier */
function timeAfter(earlier) {
  /** @param {Date} time */
  const text = (time) => `${time.toISOString().slice(0, 19)}Z`;
  const now = text(new Date());
  return now > earlier ? now : text(new Date(Date.parse(earlier) + 1000));
}

/** @param {Event} event */
function saveNote(event) {
  event.preventDefault();
  const [name, comment] = ["note-name", "note-comment"].map((id) => byId(id).value.trim());
  const texts = { ...(name && { name }), ...(comment && { comment }) };
  if (!Object.keys(texts).length) return;
  if (!write(texts)) return; // what was typed stays
  for (const id of ["note-name", "note-comment"]) byId(id).value = "";
}

/** A vote by the same button twice is taken back. @param {string} way */
function vote(way) {
  const pressed = byId(`vote-${way}`).ariaPressed === "true";
  write({ vote: pressed ? "none" : way });
}

function exportNotes() {
  if (!data.notes) return;
  const text = JSON.stringify({ ...data.notes, notes: own }, null, 2);
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: address, download: `notes-${data.notes.dictionary.slice(0, 8)}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function listenToNotes() {
  byId("fold-notes").hidden = !data.notes;
  if (!data.notes) return;
  byId("note-form").addEventListener("submit", saveNote);
  byId("note-by").addEventListener("input", () => {
    byId("note-by").setCustomValidity(""); // what write() found missing may be there now
    showNotes(state.feature);
  });
  for (const way of ["up", "down"]) byId(`vote-${way}`).addEventListener("click", () => vote(way));
  byId("notes-export").addEventListener("click", exportNotes);
  new Set(own.map(({ feature }) => feature)).forEach(takeName);
}
