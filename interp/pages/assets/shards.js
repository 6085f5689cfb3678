// Details of features in files beside the page, where there are too many features for one file (interp.pages.feature_shards).
// Columns of details are empty at first; a file of features fills their places.

/** @type {Map<number, Promise<void>>} */
const loads = new Map(); // file → the promise that its features are here
let turn = 0; // of what was asked for last

/** @param {number} feature */
const isHere = (feature) => !data.shards || data.histories[feature] !== undefined;

/** Have the details of features: a promise, or null where they are here. @param {number[]} wantedFeatures */
function details(wantedFeatures) {
  const size = data.shards?.size ?? 1;
  const files = new Set(wantedFeatures.filter((feature) => !isHere(feature)).map((feature) => Math.floor(feature / size)));
  return files.size ? Promise.all([...files].map(loadFile)) : null;
}

/** @param {number} file */
function loadFile(file) {
  const load = loads.get(file) ?? takeFile(file).finally(() => loads.delete(file));
  loads.set(file, load);
  return load;
}

/** @param {number} file */
async function takeFile(file) {
  const text = new TextDecoder().decode(await unpackedBeside(`features-${file}`));
  takeColumns(data, JSON.parse(text), file * (data.shards?.size ?? 1));
}

/**
 * Put rows into columns from a place on, however deep the columns lie.
 * @param {any} columns
 * @param {Record<string, any>} rows
 * @param {number} start
 */
function takeColumns(columns, rows, start) {
  for (const [name, below] of Object.entries(rows)) {
    if (Array.isArray(below)) below.forEach((row, place) => (columns[name][start + place] = row));
    else takeColumns(columns[name], below, start);
  }
}

/**
 * Do what shows details of features: at once where they are here, else when they are, unless something else is asked for
 * by then.
 * @param {number[]} wantedFeatures
 * @param {() => void} act
 */
function withDetails(wantedFeatures, act) {
  const mine = (turn += 1);
  const loading = details(wantedFeatures);
  if (!loading) return act();
  const first = byId("feature").hidden && byId("item").hidden;
  loading.then(
    () => {
      if (mine !== turn) return;
      act();
      if (first && isNamed()) reveal();
    },
    ({ message }) => mine === turn && sayMissingPart(message),
  );
}
