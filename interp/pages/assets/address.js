// The state of the page in its address: "#412&search=horror&sort=-density&map=concept". A default is left out.
// A link names a feature, an item or a part of the page alone; the rest of the state stays, and is added to the address.

const DEFAULT_SORT = `-${state.sort}`;
/** @type {Record<string, [() => string, (value: string) => void, string]>} how each part is read and set, and its default */
const KEPT = {
  search: [() => byId("search").value.trim(), (value) => (byId("search").value = value), ""],
  concept: [() => byId("concept").value, (value) => (byId("concept").value = value), ""],
  show: [() => byId("kind").value, (value) => (byId("kind").value = value), ""],
  sort: [() => `${state.ascending ? "" : "-"}${state.sort}`, setSort, DEFAULT_SORT],
  map: [() => byId("map-colour").value, setColour, byId("map-colour").options[0].value],
};
/** @type {ReturnType<typeof setTimeout> | undefined} */
let written; // the timer of what is to be written: browsers take an address only so often

/** The part of the address that a link names, such as "#412" or "#item-50": an item by its id. */
const mainPart = () => location.hash.split("&")[0];

/** @param {string} value */
function setSort(value) {
  const key = value.replace(/^-/, "");
  if (COLUMNS.some((column) => column.key === key)) Object.assign(state, { sort: key, ascending: !value.startsWith("-") });
}

/** @param {string} value */
function setColour(value) {
  if ([...byId("map-colour").options].some((option) => option.value === value)) byId("map-colour").value = value;
}

/** Take the state from the address: when the page is opened, reloaded, or gone back to. */
function readAddress() {
  const wanted = new URLSearchParams(location.hash.split("&").slice(1).join("&"));
  for (const [name, [, set, natural]] of Object.entries(KEPT)) set(wanted.get(name) ?? natural);
}

/** Write the state into the address, in place of what is there. */
function writeAddress() {
  clearTimeout(written);
  const wanted = new URLSearchParams();
  for (const [name, [get, , natural]] of Object.entries(KEPT)) if (get() !== natural) wanted.set(name, get());
  const rest = wanted.size ? `&${wanted}` : "";
  const hash = `${mainPart()}${rest}`;
  const address = hash === "" ? location.pathname + location.search : hash.startsWith("#") ? hash : `#${hash}`;
  history.replaceState({ own: true }, "", address);
}

function writeSoon() {
  clearTimeout(written);
  written = setTimeout(writeAddress, 250);
}

/** What an address says that was not written by a link on this page: it was gone back to. */
function restoreAddress() {
  if (!history.state?.own) return writeAddress();
  readAddress();
  applySearch();
  drawMap();
}
