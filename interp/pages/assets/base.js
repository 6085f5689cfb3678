"use strict";

// What all offline pages share: elements made of text, figures that are drawn when they come into view, shades of
// activations, printing.

const LONGEST = 160; // characters of a title that are shown
const PHONE = 500; // pixels: below, two figures side by side need smaller letters
/** @type {Map<any, any>} */
const wanted = new Map(); // element → the figure that belongs in it, or what makes its nodes
/** @type {Set<any>} */
const stale = new Set(); // elements in which that is not yet
const near = new Set(); // elements in view or nearly
let drawing = false; // whether figures are about to be drawn
/** @type {ReturnType<typeof setTimeout> | undefined} */
let spare; // the timer of what is made when there is time
/** @type {Record<string, (event: any) => void>} */
const hooks = {}; // what a page does at an event of a figure, such as plotly_click

// ---- small tools ----

/** The element with an id, which the page is known to have. @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

/**
 * A new element with these properties, holding nodes or text.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** What must not be missed, at the head of the page. @param {string | null} [text] */
function warn(text) {
  byId("warning").hidden = !text;
  byId("warning").textContent = text ?? "";
}

/** Say what the data lack and what lists leave out, each in a line. @param {string[]} lines */
function sayNotes(lines) {
  byId("notes").hidden = !lines.length;
  byId("notes").replaceChildren(...lines.map((line) => make("li", {}, line)));
}

/** A number with a minus sign, and without any sign where it is written as zero. @param {number} value @param {number} digits */
const signed = (value, digits, plus = "") => {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : plus}${text}`;
};
/** @param {Value} value */
const fixed = (value, digits = 3) => (value == null ? "–" : signed(value, digits));
/** @param {Value} value */
const percent = (value, digits = 1) => (value == null ? "–" : `${signed(100 * value, digits)}%`);
/** @param {string} text */
const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
/** @param {string} text */
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
/** @param {string} text */
const wordsOf = (text) => folded(text).split(/[\p{P}\s]+/u).filter(Boolean);
/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** @param {number} count */
const range = (count) => Array.from({ length: count }, (_, place) => place);
/** @param {Value} share */
const points = (share) => (share == null ? "–" : `${signed(100 * share, 1, "+")} points`);
/** @param {Value} value */
const change = (value, digits = 3) => (value == null ? "–" : signed(value, digits, "+"));

/**
 * Bounds as "[−0.037, +0.011]"; points have their unit once.
 * @param {number} low
 * @param {number} high
 * @param {(value: Value) => string} show
 */
const interval = (low, high, show = change) => (show === points ? `[${change(100 * low, 1)}, ${change(100 * high, 1)}] points` : `[${show(low)}, ${show(high)}]`);

/** Names and values side by side. @param {any} list @param {any[][]} facts */
function fillFacts(list, facts) {
  list.replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

// ---- figures ----

/** Have a figure in an element: soon where that is in view or nearly, else when it comes near. @param {string} id @param {any} figure */
function draw(id, figure) {
  want(id, figure, figure.layout.height);
}

/**
 * Have the nodes that a function makes in an element of about this height: as soon as it comes near, or when there is time.
 * @param {string} id
 * @param {number} height in pixels
 * @param {() => Node[]} nodes
 */
function fill(id, height, nodes) {
  byId(id).replaceChildren(); // nobody, and no screen reader, should take the old ones for the new
  want(id, nodes, height);
  clearTimeout(spare);
  spare = setTimeout(() => [...stale].filter(isLate).forEach(put), 300);
}

/** @param {string} id @param {any} content @param {number} height */
function want(id, content, height) {
  const target = byId(id);
  target.style.minHeight = `${height}px`; // so that links to later parts stay right
  wanted.set(target, content);
  stale.add(target);
  drawNear();
}

/** @param {any} target */
const isLate = (target) => typeof wanted.get(target) === "function";

/** Draw what is near with the next frame, so that what is wanted twice is drawn once, and what nobody will see never. */
function drawNear() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(drawStale);
}

function drawStale() {
  drawing = false;
  if (window.Plotly) [...stale].filter((target) => near.has(target)).forEach(put); // plotly.js comes last
}

/** @param {any} target */
function put(target) {
  stale.delete(target);
  if (!isLate(target)) return plot(target);
  target.replaceChildren(...wanted.get(target)());
  target.style.minHeight = "";
}

/** Draw all figures again, in other colours or another width. */
function drawAgain() {
  for (const target of wanted.keys()) if (!isLate(target)) stale.add(target);
  drawNear();
}

/** Draw again what has another width now; a phone also says "resize" when it hides its address bar. */
function fitFigures() {
  for (const target of wanted.keys()) if (target.layout && target.layout.width !== target.clientWidth) stale.add(target);
  drawNear();
}

/** Draw an element's figure in the page's colours. @param {any} target */
function plot(target) {
  const { data: traces, layout } = structuredClone(wanted.get(target));
  const style = getComputedStyle(document.documentElement);
  const [ink, soft, card, line] = ["--ink", "--soft", "--card", "--line"].map((name) => style.getPropertyValue(name).trim());
  layout.font.color = soft;
  layout.hoverlabel = { bgcolor: card, bordercolor: line, font: { color: ink } };
  layout.dragmode ??= false;
  layout.width = target.clientWidth; // plotly would keep the first one when the page is printed
  if (layout.xaxis2 && layout.width < PHONE) layout.font.size = 10;
  const first = !target.on;
  Plotly.react(target, traces, layout, { displayModeBar: false, doubleClick: false });
  tell(target, target._fullData ?? traces); // plotly unpacks arrays there
  if (first) for (const [event, hook] of Object.entries(hooks)) target.on(event, hook);
}

/**
 * A figure in words, for those who do not see it: what it is called, and the range of each of its series.
 * @param {any} target
 * @param {any[]} traces
 */
function tell(target, traces) {
  const title = target.closest("figure")?.querySelector("h3")?.textContent ?? "Figure";
  const series = traces.filter((trace) => (trace.y ?? trace.x)?.length && trace.hoverinfo !== "skip").slice(0, 8).map(seriesText);
  target.setAttribute("role", "img");
  target.setAttribute("aria-label", [title, ...series].join(". "));
}

/** @param {any} trace */
function seriesText({ name: ownName, x, y, orientation }) {
  const name = /^trace \d+$/.test(ownName) ? "" : ownName; // plotly’s own name of a series without one
  const [along, across] = orientation === "h" || !y ? [x, y] : [y, x];
  /** @type {any[][]} */
  const all = [...along].map((value, place) => [value, across?.[place] ?? place]);
  const values = all.filter(([value]) => typeof value === "number");
  if (!values.length) return name ?? "no values";
  values.sort(([one], [other]) => one - other);
  const [[low, lowAt], [high, highAt]] = [values[0], values[values.length - 1]];
  const at = (/** @type {any} */ value) => (typeof value === "number" ? String(Number(value.toPrecision(3))).replace("-", "−") : value);
  return `${name ? `${name}: ` : ""}${values.length} values, from ${at(low)} (at ${at(lowAt)}) to ${at(high)} (at ${at(highAt)})`;
}

function watchFigures() {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) near[isIntersecting ? "add" : "delete"](target);
      drawNear();
    },
    { rootMargin: "300px" },
  );
  document.querySelectorAll(".plot, .late").forEach((target) => observer.observe(target));
}

// ---- items and activations ----

/** @param {string} title */
function titleOf(title) {
  return make("b", { dir: "auto", title: title.slice(0, 1000) }, short(title));
}

/** An item's concepts; the one that matters here stands out. @param {string[]} concepts @param {string} [best] */
function chipsOf(concepts, best) {
  const chips = concepts.map((name) => make("span", { className: name === best ? "chip best" : "chip" }, short(name)));
  return make("span", { className: "chips" }, ...chips);
}

// Shares of the largest activation from which the other text colour is easier to read, on a light and on a dark page.
const [DARK, BRIGHT] = [0.661, 0.521];

/**
 * Shade a node by a share of the largest activation; the style sheet has the colours, for light, dark and paper.
 * @param {HTMLElement} node
 * @param {number} share
 */
function shade(node, share) {
  node.style.setProperty("--a", Math.min(share, 1).toFixed(2));
  node.classList.toggle("dark", share > DARK);
  node.classList.toggle("bright", share > BRIGHT);
}

/**
 * One step of a history, shaded by its share of the feature's largest activation.
 * @param {string} title
 * @param {Node} chips
 * @param {number} step
 * @param {number} activation
 * @param {number} largest
 * @param {string | null} next the title that followed
 * @param {Node} name the node with the title
 */
function itemCard(title, chips, step, activation, largest, next = null, name = titleOf(title)) {
  const card = make("li", { className: "item" }, name, chips);
  const took = next === null ? [] : [`took next: ${short(next)}`];
  card.dataset.tip = [short(title), `step ${step}, activation ${activation}`, ...took].join("\n");
  if (activation > 0) {
    shade(card, activation / largest);
    if (!card.querySelector("a")) card.tabIndex = 0; // what is in it shows the tip, too
    card.append(make("span", { className: "value" }, activation.toPrecision(2)));
  }
  return card;
}

/** Show what an element has to tell while the pointer or the focus is on it. */
function keepTips() {
  const tip = make("div", { id: "tip", role: "tooltip", hidden: true, dir: "auto" });
  document.body.append(tip);
  /** @type {any} */
  let owner = null;
  const hide = () => (tip.hidden = true);
  const place = () => {
    const [box, own] = [owner.getBoundingClientRect(), tip.getBoundingClientRect()];
    tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - own.width - 4))}px`;
    tip.style.top = `${box.bottom + 6 + own.height > innerHeight ? box.top - own.height - 6 : box.bottom + 6}px`;
  };
  const show = (/** @type {any} */ { target }) => {
    owner = target.closest?.("[data-tip]") ?? null;
    if (!owner) return hide();
    tip.textContent = owner.dataset.tip;
    tip.hidden = false;
    place();
  };
  for (const event of ["pointerover", "focusin"]) document.addEventListener(event, show);
  for (const event of ["focusout", "beforeprint"]) window.addEventListener(event, hide);
  window.addEventListener("scroll", () => (owner && owner === document.activeElement ? place() : hide()), true);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
}

/**
 * A history's cards in a row, the one with the largest of its activations outlined.
 * @param {string} name
 * @param {number} first step
 * @param {any[]} cards
 * @param {number[]} activations
 */
function historyRow(name, first, cards, activations) {
  cards[activations.indexOf(Math.max(...activations))].classList.add("peak");
  const row = make("ol", { className: "items", ariaLabel: name }, ...cards);
  unscrolled.observe(row);
  return make("div", { className: "history" }, make("h4", {}, `${name}, from step ${first}`), row);
}

/** Brings a history's peak into view, where a row is wider than the page, when the row itself comes into view. */
const unscrolled = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    const peak = /** @type {HTMLElement} */ (target.querySelector(".peak"));
    target.scrollLeft = peak.offsetLeft + peak.offsetWidth / 2 - target.clientWidth / 2;
    unscrolled.unobserve(target);
  }
});

// ---- printing ----

/** A narrow page while printing, with all figures to fit. @param {boolean} printing */
function setPrinting(printing) {
  document.documentElement.classList.toggle("printing", printing);
  document.documentElement.classList.toggle("one-feature", printing && /^#(item-|\d+(&|$))/.test(location.hash));
  drawAgain();
  if (printing) [...stale].filter((target) => target.checkVisibility()).forEach(put);
}

/** Keep figures fitting the page; they appear once plotly.js, which comes after this script, is there. */
function keepFigures() {
  watchFigures();
  window.addEventListener("resize", fitFigures);
  window.addEventListener("beforeprint", () => setPrinting(true));
  window.addEventListener("afterprint", () => setPrinting(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);
  for (const event of ["DOMContentLoaded", "plotly"]) window.addEventListener(event, drawNear); // plotly.js is there
}
