// The map of the dictionary: what its points say, and drawing around some of them.

/** The map in the wanted colours; what a point says on hover is made here, as titles are not in the figure. */
function drawMap() {
  const figure = structuredClone((data.maps[byId("map-colour").value] ?? data.maps.density));
  for (const trace of figure.data) {
    trace.text = trace.customdata.map(pointText);
    const { chosen } = state;
    if (chosen) trace.selectedpoints = range(trace.customdata.length).filter((place) => membersOf(trace.customdata[place]).some((one) => chosen.has(one)));
  }
  const line = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  for (const name of figure.layout.annotations ?? []) name.font.color = line;
  figure.layout.dragmode = byId("map-drag").value || false;
  // What was moved and zoomed stays as it is; what was drawn around does not, as the points that it chose are marked.
  Object.assign(figure.layout, { uirevision: "map", selectionrevision: performance.now() });
  draw("plot-map", figure);
}

/** The members of a feature's family of near-duplicates, which the map draws as one point. @param {number} feature */
const membersOf = (feature) => families.get(features.family[feature]) ?? [];

/** @type {Map<number, number[]>} */
const families = new Map();
for (const feature of range(about.features)) {
  const family = features.family[feature];
  families.set(family, [...(families.get(family) ?? []), feature]);
}

/** @param {number} feature */
function pointText(feature) {
  const best = `${escaped(short(conceptOf(feature)))} ${fixed(features.correlation[feature])}`;
  const titles = topItems(feature).map((item) => escaped(items.titles[item].slice(0, 60)));
  const others = membersOf(feature).filter((one) => one !== feature).map((one) => `${one} ${escaped(short(nameOf(one)))}`);
  return [
    `<b>Feature ${feature}</b> · ${escaped(short(nameOf(feature)))}`,
    `${concepts.length ? `correlation with ${best}, ` : ""}on at ${percent(features.density[feature])} of steps`,
    ...(others.length ? [`near-duplicates: ${others.join(", ")}`] : []),
    ...titles,
  ].join("<br>");
}

/** Show in the table only the features that were drawn around; null for all. @param {Set<number> | null} chosen */
function choose(chosen) {
  state.chosen = chosen;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".unchoose"))) {
    button.hidden = chosen === null;
    button.textContent = `${chosen?.size ?? 0} chosen on the map ✕`;
  }
  applySearch();
  drawMap();
}

/** Choose what was drawn around; plotly says "selected" also when a figure is drawn again, without saying where. @param {any} event */
function chooseDrawn(event) {
  if (event?.range || event?.lassoPoints) choose(new Set(event.points.flatMap((/** @type {any} */ point) => membersOf(point.customdata))));
}

/** Look closer at the middle of the map by a factor; by 0, at all of it. @param {number} by */
function zoomMap(by) {
  const target = byId("plot-map");
  if (!target.layout) return;
  const natural = data.maps[byId("map-colour").value].layout;
  /** @type {Record<string, number[]>} */
  const change = {};
  for (const axis of ["xaxis", "yaxis"]) {
    const [low, high] = target.layout[axis].range;
    const half = (high - low) / 2 / (by || 1);
    change[`${axis}.range`] = by ? [(low + high) / 2 - half, (low + high) / 2 + half] : [...natural[axis].range];
  }
  Plotly.relayout(target, change);
}

/** @param {any} event of plotly */
function openClicked({ points: [point] }) {
  if (point.data.meta === "feature") go(point.customdata);
}
