// Sliders for concepts and for features, each with a field that takes a number.

/**
 * @param {About} about
 * @param {{change: (settings: Setting[]) => void, level: number}} acts
 */
function sliderPanel(about, { change, level }) {
  const line = element("p", { className: "refusal", role: "alert", hidden: true });
  const say = (/** @type {string} */ text) => {
    line.hidden = !text;
    line.textContent = text;
  };
  /** @type {Map<string, ReturnType<typeof sliderRow>>} */
  const rows = new Map();
  const settings = () => [...rows.values()].map((row) => row.setting()).filter(({ value }) => value !== 0);
  const changed = () => change(settings());
  const row = (/** @type {"concept" | "feature"} */ kind, /** @type {number} */ index, /** @type {string} */ name, weak = false) => {
    const made = sliderRow({ kind, index, name, weak, reach: about.reach[kind], step: about.step, changed, say });
    rows.set(`${kind} ${index}`, made);
    return made.node;
  };
  const features = element("div", {});
  /** A feature's slider, the newest on top; at `value`, unless it is turned already. */
  function addFeature(/** @type {number} */ feature, value = 0) {
    if (!rows.has(`feature ${feature}`)) features.prepend(row("feature", feature, featureText(about, feature)));
    if (panel.firstChild !== block) panel.prepend(block); // before the concepts, where it is seen
    const own = rows.get(`feature ${feature}`);
    if (value && own?.setting().value === 0) {
      own.set(value);
      changed();
    }
    own?.focus();
  }
  const reset = element("button", { type: "button" }, "All to 0");
  reset.addEventListener("click", () => {
    rows.forEach((one) => one.set(0));
    say("");
    changed();
  });
  const concepts = about.concepts.map(({ name, weak }, index) => row("concept", index, name, weak));
  const weak = about.concepts.some((concept) => concept.weak);
  const alive = about.features.map((_, place) => place).filter((place) => about.features[place].alive);
  const search = wordSearch(alive.map((place) => featureText(about, place)), alive.map((place) => about.features[place].index));
  const adder = combobox({
    label: "Add a feature",
    placeholder: "name or number",
    find: (text) => (text ? search(text).map((place) => alive[place]) : alive).map((index) => ({ index, text: featureText(about, index) })),
    choose: addFeature,
    open: true,
  });
  const heading = (/** @type {number} */ under, /** @type {string} */ text) => element(`h${level + under}`, {}, text);
  const block = element("div", {}, heading(1, "Features"), features, adder);
  const panel = element("div", { className: "rows" },
    ...(concepts.length ? [heading(1, "Concepts"), ...concepts] : []),
    element("p", { className: "hint" }, "A slider at 1 adds the 99th percentile of its feature’s activations, or of its concept’s features, at the last step; below 0 it takes away."),
    ...(weak ? [element("p", { className: "hint" }, "Weak: no feature follows this concept above chance on unseen items, so its slider may do something else.")] : []),
    block,
  );
  const more = element("button", { type: "button", className: "more", "aria-expanded": "false" }, "More");
  more.addEventListener("click", () => {
    const isOpen = node.classList.toggle("opened");
    more.setAttribute("aria-expanded", String(isOpen));
    more.textContent = isOpen ? "Fewer" : "More";
  });
  const tools = element("span", { className: "field" }, reset, more); // on a narrow page, few sliders stay in view until more are asked for
  const parts = [element("div", { className: "between" }, heading(0, "Sliders"), tools), line, panel];
  const node = element("section", { className: "card sliders", "aria-label": "Sliders" }, ...parts);
  return { node, addFeature, settings };
}

/**
 * A slider and its field. The slider applies as it moves; the field when Enter is pressed or it is left. A number out of
 * reach is refused as it is typed.
 * @param {object} parts
 * @param {"concept" | "feature"} parts.kind
 * @param {number} parts.index
 * @param {string} parts.name
 * @param {boolean} parts.weak
 * @param {number} parts.reach
 * @param {number} parts.step
 * @param {() => void} parts.changed
 * @param {(line: string) => void} parts.say
 */
function sliderRow({ kind, index, name, weak, reach, step, changed, say }) {
  let value = 0;
  const bounds = { min: -reach, max: reach, value: 0 };
  const label = weak ? `${name}, weak` : name;
  const slider = element("input", { type: "range", step, ...bounds, "aria-label": label });
  const field = element("input", { type: "number", step, ...bounds, "aria-label": `${label}, as a number` });
  const title = element("span", { className: "caption", title: name }, element("span", { dir: "auto" }, shortTitle(name)));
  const row = element("div", { className: "slider" }, title, slider, field);
  if (weak) title.append(element("em", {}, "weak"));

  function set(/** @type {number} */ wanted) {
    value = tidy(wanted);
    slider.value = field.value = String(value);
    field.removeAttribute("aria-invalid");
    row.classList.toggle("turned", value !== 0);
    const at = 50 + (50 * value) / reach;
    slider.style.setProperty("--from", `${Math.min(50, at)}%`);
    slider.style.setProperty("--to", `${Math.max(50, at)}%`);
  }
  const isValid = () => field.value.trim() !== "" && Math.abs(Number(field.value)) <= reach;
  function check() {
    const valid = isValid() || (field.value === "" && !field.validity.badInput); // emptied: a number may follow
    field.setAttribute("aria-invalid", String(!valid));
    say(valid ? "" : `${shortTitle(name)} takes a number from −${reach} to ${reach}.`);
    return valid;
  }
  function apply() {
    if (field.value === "" && !field.validity.badInput) field.value = "0";
    if (!check() || Number(field.value) === value) return; // Enter also makes a change
    set(Number(field.value));
    changed();
  }
  slider.addEventListener("input", () => {
    set(Number(slider.value));
    say("");
    changed();
  });
  field.addEventListener("input", check);
  field.addEventListener("change", apply);
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter") apply();
    if (event.key === "Escape") set(value), say("");
  });
  field.addEventListener("blur", () => isValid() || (set(value), say("")));
  set(0);
  return { node: row, set, focus: () => slider.focus(), setting: () => ({ kind, index, value }) };
}
