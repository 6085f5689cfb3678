// An item's page: what lights up on it, which features promote it, in whose lists it is, and its nearest items.

const itemById = new Map(items.ids.map((id, item) => [id, item]));

/** The item whose id a text such as "#item-50" names, or null; those that occur least have no page. @param {string} text */
function itemOf(text) {
  const item = text.startsWith("#item-") ? itemById.get(decoded(text.slice(6))) : undefined;
  return item !== undefined && items.paged[item] ? item : null;
}

/** The part of an address that names an item: by its id, in which "#", "&" and the like are escaped. @param {number} item */
const itemAddress = (item) => `#item-${encodeURIComponent(items.ids[item])}`;

/** The address of an item's page by its id; null where it has none. @param {string | number} id */
function itemLink(id) {
  const item = itemById.get(String(id));
  return item !== undefined && items.paged[item] ? itemAddress(item) : null;
}

/** What an item is called in a link: its id where it has no title. @param {number} item */
const titleText = (item) => short(items.titles[item].trim()) || `item ${items.ids[item]}`;

/** An item's title as a link to its page, if it has one. @param {number} item */
function itemTitle(item) {
  const title = titleOf(items.titles[item].trim() || titleText(item));
  return items.paged[item] ? make("a", { href: itemAddress(item), className: "to-item" }, title) : title;
}

/** Fill the panel of items, and show it in place of the feature's. @param {number} item */
function showItem(item) {
  withDetails([items.promoted, items.suppressed].flatMap(({ feature }) => feature[item]), () => fillItem(item));
}

/** @param {number} item */
function fillItem(item) {
  state.item = item;
  showPanel("item");
  const title = titleText(item);
  byId("item-title").replaceChildren(make("span", { dir: "auto" }, title));
  byId("item-chips").replaceChildren(chipsOf(items.concepts[item].map((concept) => concepts[concept])));
  Object.assign(byId("item-self"), { href: itemAddress(item), textContent: short(`#item-${items.ids[item]}`), ariaLabel: `Link to ${title}` });
  byId("item-sentence").textContent = itemSentence(item);
  document.title = `${title} · ${OWN_TITLE}`;
  const { feature, activation } = items.lit;
  fillRows("item-lit", feature[item].map((one, place) => featureRow(one, litValue(one, activation[item][place]))));
  byId("item-steps").textContent = items.steps[item]
    ? `mean activation at its ${count(items.steps[item], "step")}; first, what is most above its own mean`
    : "no step of these users has it";
  for (const direction of ["promoted", "suppressed"]) {
    const { feature: one, effect } = items[/** @type {"promoted" | "suppressed"} */ (direction)];
    const rows = one[item].map((number, place) => {
      const value = make("span", { className: "value" }, change(effect[item][place], 2));
      return featureRow(number, value, listsText(number, item));
    });
    fillRows(`item-${direction}`, rows);
  }
  const { item: near, similarity } = items.near;
  fillRows("item-near", near[item].map((one, place) => make("li", {}, make("span", { className: "value" }, fixed(similarity[item][place], 2)), itemTitle(one))));
  byId("item").dataset.item = item;
}

/** @param {string} id @param {Node[]} rows */
const fillRows = (id, rows) => byId(id).replaceChildren(...(rows.length ? rows : [nothing()]));

/** @param {number} number @param {string} name */
const count = (number, name) => `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;

/** The panel that is shown: of a feature or of an item. @param {string} id */
function showPanel(id) {
  for (const name of ["feature", "item"]) byId(name).hidden = name !== id;
}

/** @param {number} feature @param {number} activation */
function litValue(feature, activation) {
  const value = make("span", { className: "value shade" }, activation.toPrecision(2));
  shade(value, activation / features.max[feature]);
  return value;
}

/**
 * A feature on an item's page: a value, its number, its name, and what there is to add.
 * @param {number} feature
 * @param {Node} value
 */
function featureRow(feature, value, added = "") {
  const name = make("span", {}, make("a", { href: `#${feature}` }, `#${feature}`), " ", nameChip(feature));
  const [peak] = features.grade[feature] === "none" ? topItems(feature, 1) : [];
  if (peak !== undefined) name.append(make("span", { className: "counted", dir: "auto" }, `highest at ${titleText(peak)}`));
  if (added) name.append(make("span", { className: "counted" }, added));
  return make("li", {}, value, name);
}

/**
 * How many lists have an item as a feature is turned, where it is among the items that the feature moves most.
 * @param {number} feature
 * @param {number} item
 */
function listsText(feature, item) {
  for (const { item: moved, up, down, users } of Object.values(data.moves.lists)) {
    const place = moved[feature].indexOf(item);
    if (place >= 0) return `turned down → up: in ${down[feature][place]} → ${up[feature][place]} of ${users[feature][place]} lists`;
  }
  return "";
}

/** In how many lists an item is, and what place that is beside its popularity. @param {number} item */
function itemSentence(item) {
  const [inMore, morePopular] = [items.in_more_lists, items.more_popular].map((values) => values[item].toLocaleString("en"));
  const [lists, users] = [items.lists[item], items.users[item]];
  const where = lists ? `, at place ${items.place[item].toFixed(1)} on average` : "";
  return (
    `In the lists of ${lists} of the ${count(users, "test user")} who can get it${where}. ` +
    `Of ${count(items.all, "item")}, ${inMore} are in more lists, and ${morePopular} ` +
    `are more popular (it has ${count(items.popularity[item], "training interaction")}).`
  );
}
