// Moving about: links, keys, and what happens when the page is opened.
// Text from the data reaches the page only as text nodes, and figures only with their markup escaped.

/** Open a feature as a link to it would. @param {number} feature */
function go(feature) {
  if (mainPart() === `#${feature}`) reveal();
  else location.hash = String(feature);
}

function followLink() {
  restoreAddress();
  sayMissing();
  if (openPanel() && !state.stepping) reveal();
  state.stepping = false;
}

/** Whether the address names a feature or an item. */
const isNamed = () => featureOf(mainPart()) !== null || itemOf(mainPart()) !== null;

/** Show the feature or the item that the address names; whether it names one. */
function openPanel() {
  const [feature, item] = [featureOf(mainPart()), itemOf(mainPart())];
  if (item !== null) showItem(item);
  else if (feature !== null && (feature !== state.feature || byId("feature").hidden)) show(feature);
  else if (mainPart() === "#feature") showPanel("feature");
  return feature !== null || item !== null;
}

/** Say so where a link names neither a feature nor a part of the page; what is shown stays. */
function sayMissing() {
  const name = mainPart().slice(1);
  const missing = name !== "" && featureOf(`#${name}`) === null && itemOf(`#${name}`) === null && byId(name) === null;
  byId("missing").hidden = !missing;
  if (!missing) return;
  byId("missing").textContent = name.startsWith("item-")
    ? `There is no page of item ${short(decoded(name.slice(5)))}: search for its title`
    : `There is no feature ${short(decoded(name))}: this dictionary has 0 to ${about.features - 1}`;
  byId("all").scrollIntoView();
}

/** Say that a file beside the page is not there, or is another page's. @param {string} text */
function sayMissingPart(text) {
  byId("missing").hidden = false;
  byId("missing").textContent = text;
  byId("all").scrollIntoView();
}

const STAYS = 3000; // ms in which parts above a panel may still grow, as Try it does when it is first near

/** What keeps the panel in view while parts above it grow, until somebody acts. @type {ResizeObserver | null} */
let keeper = null;

/** Bring the panel into view, and the reader's focus with it. */
function reveal() {
  const panel = byId("item").hidden ? "feature" : "item";
  byId(panel).scrollIntoView();
  byId(`${panel}-title`).focus({ preventScroll: true });
  release();
  const own = new ResizeObserver(() => byId(panel).scrollIntoView());
  own.observe(document.body);
  setTimeout(() => own.disconnect(), STAYS);
  keeper = own;
}

/** Let the page move freely again. */
const release = () => keeper?.disconnect();

for (const act of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(act, release, { capture: true, passive: true });

/** Go on by one feature in the order of the table; the page stays where it is if the panel is in view. @param {number} by */
function step(by) {
  const place = state.order.indexOf(featureOf(mainPart()) ?? state.feature);
  const feature = state.order[place < 0 ? 0 : place + by];
  if (feature === undefined) return;
  const { top, bottom } = byId("feature").getBoundingClientRect();
  state.stepping = top < window.innerHeight / 2 && bottom > 0;
  location.hash = String(feature);
}

/** @param {any} event of a key */
function onKey(event) {
  /** @type {Record<string, () => void>} */
  const acts = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: backToTable, "/": toSearch };
  const act = acts[event.key];
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!act || modified || event.target.closest("input, select, textarea, [contenteditable]")) return;
  event.preventDefault();
  act();
}

/** To the search, which is always in view. */
function toSearch() {
  byId("search").focus();
  byId("search").select();
}

/** To the row of the shown feature, or to the search if that is not in the table. */
function backToTable() {
  byId("all").scrollIntoView();
  const link = byId("table").querySelector("tr[aria-current] a");
  (link ?? byId("search")).focus({ preventScroll: true });
}

function showAbout() {
  const name = about.title;
  byId("brand").textContent = short(name);
  byId("heading").textContent = `What ${short(name)} has learnt`;
  byId("max-history").textContent = about.max_history;
  byId("who-saw").textContent = about.who_saw;
  showWords();
  const [correlated, unlabelled, dead] = [KINDS.correlated, KINDS.unlabelled, isDead].map((test) => range(about.features).filter(test).length);
  fillFacts(byId("facts"), [
    [`features (${about.counts}; ${concepts.length ? `${correlated} correlated only, ` : ""}${unlabelled} unlabelled, ${dead} dead)`, about.features.toLocaleString("en")],
    [term("l0", "active at a step (L0)"), fixed(about.l0, 0)],
    [term("explained_variance", "explained variance"), percent(about.explained_variance)],
    [term("ndcg@10", "NDCG@10 of the recommender"), about.ndcg],
    ...(about.beside ? [[term("standard_error", "NDCG@10 of the most popular items (± standard error)"), about.beside.most_popular]] : []),
    [term("through", "NDCG@10 through the features"), about.ndcg_reconstructed],
    [term("site", "read at"), about.site],
  ]);
  byId("family-term").replaceChildren(term("family", "families of near-duplicates"));
  warn(about.beside?.warning);
  sayNotes(about.notes);
  byId("headline").replaceChildren(...about.headline.map((line) => make("li", {}, ...sentenceParts(line))));
  if (!concepts.length) return;
  byId("neurons-note").textContent =
    `Correlation of the best single feature and of the best single neuron with each of ${about.concepts} concepts: ` +
    `${fixed(about.sae)} against ${fixed(about.neurons)} on average.`;
  const { concept, feature, weak } = data.top;
  byId("top-features").replaceChildren(
    ...concept.map((one, place) => {
      const link = make("a", { href: `#${feature[place]}` }, `${short(one)} ${feature[place]}`);
      return make("li", { className: weak[place] ? "weak" : "" }, link, weak[place] ? " weak" : "");
    }),
  );
}

/** What the terms mean; the same texts are the tooltips. */
function showWords() {
  const terms = Object.values(data.glossary).filter(([, , ofConcepts]) => concepts.length || !ofConcepts);
  byId("words").replaceChildren(...terms.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

function listen() {
  listenToSearch();
  for (const id of ["concept", "kind"]) byId(id).addEventListener("input", applySearch);
  for (const id of ["concept", "kind", "map-colour"]) byId(id).addEventListener("input", writeAddress);
  byId("unsearch").addEventListener("click", () => toTable("", byId("concept").value));
  for (const [id, by] of Object.entries({ "map-closer": 1.5, "map-wider": 1 / 1.5, "map-whole": 0 })) byId(id).addEventListener("click", () => zoomMap(by));
  byId("way").addEventListener("input", showMoves);
  for (const id of ["map-colour", "map-drag"]) byId(id).addEventListener("input", drawMap);
  for (const button of document.querySelectorAll(".unchoose")) button.addEventListener("click", () => choose(null));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("page-back").addEventListener("click", () => turnPage(-1));
  byId("page-on").addEventListener("click", () => turnPage(1));
  byId("numbers").addEventListener("toggle", showNumbers);
  window.addEventListener("hashchange", followLink);
  document.addEventListener("keydown", onKey);
  for (const fold of document.querySelectorAll("#feature details")) fold.addEventListener("toggle", drawNear);
}

makeHeads();
makeFilters();
makeWays();
if (matchMedia("(pointer: coarse)").matches) byId("map-drag").value = ""; // a finger scrolls
showAbout();
readAddress();
listenToNotes();
applySearch();
listen();
Object.assign(hooks, { plotly_click: openClicked, plotly_selected: chooseDrawn });
prepareTrial();
keepFigures();
keepTips();
for (const [name, figure] of Object.entries(data.overview)) draw(`plot-${name}`, figure);
drawMap();
show(featureOf(mainPart()) ?? state.order[0] ?? 0);
const linked = itemOf(mainPart());
if (linked !== null) showItem(linked);
writeAddress();
sayMissing();
if (isNamed()) reveal();
performance.mark("first feature"); // for benchmarks/dashboard.py
