// The map of the dictionary: what its points say, and drawing around some of them.

/** The map in the wanted colours; what a point says on hover is made here, as titles are not in the figure. */
function drawMap() {
  const figure = structuredClone((data.maps[byId("map-colour").value] ?? data.maps.density));
  for (const trace of figure.data) {
    trace.text = trace.customdata.map(pointText);
    if (state.chosen) trace.selectedpoints = range(trace.customdata.length).filter((place) => state.chosen.has(trace.customdata[place]));
  }
  figure.layout.dragmode = byId("map-drag").value || false;
  draw("plot-map", figure);
}

function pointText(feature) {
  const best = `${escaped(short(conceptOf(feature)))} ${fixed(features.correlation[feature])}`;
  const titles = topItems(feature).map((item) => escaped(items.titles[item].slice(0, 60)));
  return [
    `<b>Feature ${feature}</b> · ${escaped(short(nameOf(feature)))}`,
    `${concepts.length ? `correlation with ${best}, ` : ""}on at ${percent(features.density[feature])} of steps`,
    ...titles,
  ].join("<br>");
}

/** Show in the table only the features that were drawn around; null for all. */
function choose(chosen) {
  state.chosen = chosen;
  for (const button of document.querySelectorAll(".unchoose")) {
    button.hidden = chosen === null;
    button.textContent = `${chosen?.size ?? 0} chosen on the map ✕`;
  }
  applySearch();
  drawMap();
}

/** Choose what was drawn around; plotly says "selected" also when a figure is drawn again, without saying where. */
function chooseDrawn(event) {
  if (event?.range || event?.lassoPoints) choose(new Set(event.points.map((point) => point.customdata)));
}

function openClicked({ points: [point] }) {
  if (point.data.meta === "feature") go(point.customdata);
}
