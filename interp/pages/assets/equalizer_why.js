// Why an item is in a list: a reason in words, and a graph from history items over features to the item.

/**
 * A reason in words, such as "because Horror (28, 58) and ≈ Action (3) rose; the first is most active at The Shining". Features
 * of one name are one phrase. Where an item enters, the step is said at which the first feature is most active in the
 * history: the sliders act at the last step, so this is what the feature is about and not the way of the change.
 * @param {About} about
 * @param {Options} options
 * @param {Reason | undefined} reason
 * @param {{turned: number, move: Row["move"]}} parts `turned`: 1 where all sliders are turned up, −1 where all are turned
 *   down, 0 where some are
 */
function reasonParts(about, options, reason, { turned, move }) {
  if (!reason?.features.length) return [move === "leaves" ? "because others passed it" : "because others fell"];
  const { total, features } = reason;
  const verb = turned > 0 ? "rose" : turned < 0 ? "fell" : "changed";
  const nameOf = (/** @type {{feature: number}} */ { feature }) => shortTitle(about.features[feature].name);
  const names = [...new Set(features.map(nameOf))];
  const phrases = names.flatMap((name, place) => {
    const parts = features.filter((part) => nameOf(part) === name);
    const numbers = parts.flatMap(({ feature }, at) => [at ? ", " : "", featureLink(about, feature, options, String(about.features[feature].index))]);
    return [joint(place, names.length), element("span", { dir: "auto" }, name), " (", ...numbers, ")"];
  });
  const item = move === "enters" ? features[0].items[0] : undefined;
  const active = item === undefined ? [] : [`; ${features.length > 1 ? "the first" : "it"} is most active at `, element("cite", {}, itemElement(about, item, options))];
  const sum = features.reduce((all, { change }) => all + change, 0);
  const numbers = `Change of its score, relative to the mean item: ${signed(sum)} by these features, ${signed(total)} by all.`;
  return [element("span", { title: numbers }, "because ", ...phrases, ` ${verb}`, ...active)];
}

/** The share of a score that the features of a graph explain, in words. */
function explainedText(/** @type {Explanation} */ { total, explained, features }) {
  const numbers = `${signed(explained)} of ${signed(total)}`;
  const these = features.length === 1 ? "This feature" : `These ${features.length} features`;
  const [explain, make] = features.length === 1 ? ["explains", "makes"] : ["explain", "make"];
  if (!features.length) return "No feature has a part in its score.";
  const share = total === 0 ? NaN : explained / total;
  return share >= 0 && share <= 1
    ? `${these} ${explain} ${asPercent(share)} of its score: ${numbers} above the mean item.`
    : `${these} ${make} ${numbers} of its score, relative to the mean item; other features, and what is outside them, make the rest.`;
}

/**
 * The graph: history items and the sliders, features, and the item in three columns, with a line for each part. Lines are
 * as wide as their part is large; those that lower the score are dashed.
 * @param {About} about
 * @param {Options} options
 * @param {{history: number[], item: number, explanation: Explanation}} parts
 */
function whyGraph(about, options, { history, item, explanation: { total, links, sliders, features } }) {
  const steps = [...new Set(links.map(({ step }) => step))].sort((one, other) => one - other);
  const box = (/** @type {(Node | string)[]} */ content, /** @type {number} */ part) =>
    element("li", { className: part < 0 ? "down" : "up" }, ...content, element("span", { className: "value" }, signed(part)));
  const sum = (/** @type {number} */ step) => links.filter((link) => link.step === step).reduce((all, { part }) => all + part, 0);
  const left = new Map(steps.map((step) => [step, box([element("small", {}, `step ${step}`), itemElement(about, history[step], options)], sum(step))]));
  const slider = box([element("b", {}, "The sliders")], sliders.reduce((all, { part }) => all + part, 0));
  const middle = new Map(features.map(({ feature, part }) => [feature, box([featureElement(about, feature, options)], part)]));
  const right = box([itemElement(about, item, options)], total);
  const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  lines.setAttribute("aria-hidden", "true");
  const column = (/** @type {string} */ name, /** @type {Iterable<Node>} */ nodes) => element("div", {}, element("p", { className: "hint" }, name), element("ul", {}, ...nodes));
  const graph = element("div", { className: "graph" }, lines, column(sliders.length ? "In the history, and the sliders," : "In the history", [...left.values(), ...(sliders.length ? [slider] : [])]), column("lights features", middle.values()), column("which score", [right]));
  const edges = [
    ...links.filter(({ feature }) => middle.has(feature)).map(({ step, feature, part }) => ({ from: left.get(step), to: middle.get(feature), part })),
    ...sliders.map(({ feature, part }) => ({ from: slider, to: middle.get(feature), part })),
    ...features.map(({ feature, part }) => ({ from: middle.get(feature), to: right, part })),
  ];
  const draw = () => drawLines(lines, graph, edges);
  new ResizeObserver(draw).observe(graph);
  return graph;
}

/**
 * @param {SVGElement} svg
 * @param {HTMLElement} graph
 * @param {{from: any, to: any, part: number}[]} edges
 */
function drawLines(svg, graph, edges) {
  const frame = graph.getBoundingClientRect();
  const largest = Math.max(...edges.map(({ part }) => Math.abs(part)), 1e-9);
  const rightToLeft = getComputedStyle(graph).direction === "rtl";
  svg.replaceChildren(...edges.map(({ from, to, part }) => {
    const [start, end] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
    const [x1, x2] = (rightToLeft ? [start.left, end.right] : [start.right, end.left]).map((x) => x - frame.left);
    const [y1, y2] = [start, end].map((place) => place.top + place.height / 2 - frame.top);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x1} ${y1} C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`);
    path.setAttribute("class", part < 0 ? "down" : "up");
    path.setAttribute("stroke-width", String(1 + (7 * Math.abs(part)) / largest));
    return path;
  }));
}

/**
 * The same in words, for those who do not see it.
 * @param {About} about
 * @param {{history: number[], explanation: Explanation}} parts
 */
function whyText(about, { history, explanation: { links, sliders, features } }) {
  const lines = [
    ...links.map(({ step, feature, part }) => `${shortTitle(about.items.title[history[step]])} (step ${step}), by ${featureText(about, feature)}: ${signed(part)}`),
    ...sliders.map(({ feature, part }) => `The sliders, by ${featureText(about, feature)}: ${signed(part)}`),
    ...features.map(({ feature, part }) => `${featureText(about, feature)} in all: ${signed(part)}`),
  ];
  return element("details", {}, element("summary", {}, "The same in words"), element("ul", {}, ...lines.map((line) => element("li", {}, line))));
}

/**
 * A window that explains an item of a list.
 * @param {About} about
 * @param {Options} options
 * @param {{add: (item: number) => void}} acts
 */
function whyWindow(about, options, { add }) {
  const id = freshId();
  const close = element("button", { type: "button", "aria-label": "Close" }, "✕");
  const body = element("div", {});
  const heading = element("h2", { id });
  const node = element("dialog", { className: "why", "aria-labelledby": id }, element("div", { className: "between" }, heading, close), body);
  close.addEventListener("click", () => node.close());
  node.addEventListener("click", (/** @type {any} */ { target }) => (target === node || target.closest("a")) && node.close()); // beside it, or a link out of it
  node.addEventListener("keydown", (/** @type {Event} */ event) => event.stopPropagation()); // of what is behind it
  let shown = 0;

  /** @param {{item: number, where: string, history: number[], explanation: Promise<Explanation>}} parts */
  async function open({ item, where, history, explanation }) {
    const own = (shown += 1);
    heading.replaceChildren("Why ", itemElement(about, item, options), ` is ${where}`);
    body.replaceChildren(element("p", { role: "status" }, "It is being computed …"));
    node.showModal();
    try {
      const answer = await explanation;
      if (own !== shown) return;
      const grow = element("button", { type: "button" }, "Add it to the history");
      grow.addEventListener("click", () => (node.close(), add(item)));
      const legend = element("p", { className: "hint" }, "Wide lines matter most. ", element("span", { className: "sign up" }, "+ raises"), " ", element("span", { className: "sign down" }, "− lowers (dashed)"));
      body.replaceChildren(
        element("p", { className: "explained" }, explainedText(answer)),
        legend,
        whyGraph(about, options, { history, item, explanation: answer }),
        whyText(about, { history, explanation: answer }),
        grow,
      );
    } catch (error) {
      if (own === shown) body.replaceChildren(element("p", { className: "refusal", role: "alert" }, errorText(error)));
    }
  }
  return { node, open };
}
