// The equalizer's backend of an offline page: the recommender and its dictionary, run here. Numbers are those of Python
// (`interp.study.equalizer`) up to rounding. What a page carries is unpacked when it is first asked for.

/** @typedef {{kind: "concept" | "feature", index: number, value: number}} EngineSetting */
/** @typedef {Passage & {f: number, features: () => Float64Array}} Reached a passage, its features [n, f] and how many there are */
/** @typedef {{history: number[], settings?: EngineSetting[], boosts?: Record<string, number> | null, item?: number, reasons?: boolean}} EngineRequest */

const ENGINE = { reasons: 3, through: 2, lit: 5, features: 6, links: 12 }; // how much of each an answer has

/**
 * A backend (equalizer_contract.js) on what `interp.pages.page_model` packed.
 * @param {(name: string) => Promise<ArrayBuffer>} read the page's block "model", and "graph" of a recommender in ONNX
 */
function makeEngine(read) {
  /** @type {Promise<{runner: Runner, page: any, places: Map<number, number>}> | null} */
  let opened = null;
  /** @type {{key: string, passage: Promise<Reached>} | null} */
  let latest = null;

  async function open() {
    opened ??= read("model").then(async (bytes) => {
      const [tensors, page] = readTensors(bytes);
      if (page.why) throw new Error(page.why);
      const places = new Map(page.about.features.map((/** @type {{index: number}} */ { index }, /** @type {number} */ place) => [index, place]));
      const runner = page.onnx ? await onnxRunner(tensors, page, await read("graph")) : ownRunner(modelOf(tensors, page));
      return { runner, page, places };
    });
    return opened;
  }

  /** A history read once, however often sliders move. @param {number[]} history */
  async function reading(history) {
    const { runner, page } = await open();
    const n = page.about.items.id.length;
    if (!history?.length) throw new Error("there is no history yet: choose a test user, or add items");
    const unknown = history.find((item) => !Number.isInteger(item) || item < 0 || item >= n);
    if (unknown !== undefined) throw new Error(`there is no item ${unknown}: give 0 to ${n - 1}`);
    const key = history.join();
    if (latest?.key !== key) {
      /** @type {Float64Array | null} */
      let features = null;
      const f = runner.model.dictionary.encoder.bias.length;
      const passage = runner.read(history).then((own) => ({ ...own, f, features: () => (features ??= encoded(runner.model, own.hidden)) }));
      latest = { key, passage };
    }
    return latest.passage;
  }

  /** What settings add to each feature. @param {any} page @param {EngineSetting[]} settings @returns {Map<number, number>} */
  function amountsOf({ about, aligned, p99 }, settings) {
    const amounts = new Map();
    for (const { kind, index, value } of settings.filter((setting) => setting.value !== 0)) {
      const features = kind === "concept" ? aligned[index] : about.features[index] && [about.features[index].index];
      if (!features) throw new Error(`there is no ${kind} ${index}`);
      if (!Number.isFinite(value) || Math.abs(value) > about.reach[kind]) throw new Error(`${kind} ${index} is ${value}: give a number from -${about.reach[kind]} to ${about.reach[kind]}`);
      for (const feature of features) {
        if (!p99[feature]) throw new Error(`feature ${feature} is never active, so it has no p99: turn another one`);
        amounts.set(feature, (amounts.get(feature) ?? 0) + value * p99[feature]);
      }
    }
    return amounts;
  }

  /** Reasons of the items that enter and leave. */
  async function reasonsOf(/** @type {Reached} */ own, /** @type {Amounts} */ amounts, /** @type {any[]} */ before, /** @type {any[]} */ after, /** @type {number[]} */ history) {
    const { page, places } = await open();
    const entering = after.filter(({ move }) => move).map(({ item }) => item);
    const leaving = before.filter(({ move }) => move).map(({ item }) => item);
    if (!amounts.size || !(entering.length + leaving.length)) return {};
    const parts = await own.contributions([...entering, ...leaving], amounts, page.nodes.reasons);
    const lit = [...amounts.keys()].map((feature) => /** @type {const} */ ([feature, litBy(own, feature, history)]));
    const items = new Map(lit);
    return Object.fromEntries(
      [...parts].flatMap(([item, byFeature]) => {
        const sign = entering.includes(item) ? 1 : -1;
        const changes = [...byFeature].filter(([, change]) => sign * change > 0).sort(([, one], [, other]) => sign * (other - one));
        const features = changes.slice(0, ENGINE.reasons).map(([feature, change]) => ({ feature: places.get(feature), change, items: items.get(feature) }));
        const total = [...byFeature.values()].reduce((sum, change) => sum + change, 0);
        return features.length ? [[item, { total, features }]] : [];
      }),
    );
  }

  /** The items of a history at which a feature is most active. */
  function litBy(/** @type {Reached} */ own, /** @type {number} */ feature, /** @type {number[]} */ history) {
    const activations = own.features();
    const steps = history.slice(own.first).map((item, step) => /** @type {const} */ ([activations[step * own.f + feature], item])).filter(([activation]) => activation > 0);
    return [...new Set(steps.sort(([one], [other]) => other - one).map(([, item]) => item))].slice(0, ENGINE.through);
  }

  return {
    about: async () => (await open()).page.about,

    /** The library that runs the recommender, and its licence; null where the page's own scripts run it. @returns {Promise<{name: string, licence: string} | null>} */
    library: async () => (await open()).page.runtime ?? null,

    /** @param {number} place */
    async user(place) {
      const history = (await open()).page.histories[place];
      if (!history) throw new Error(`there is no user ${place}`);
      return { history };
    },

    /** Lists without and with the settings. `reasons: false` leaves reasons out, as while a slider is dragged. @param {EngineRequest} request */
    async run({ history, settings = [], boosts = null, reasons = true }) {
      const { page } = await open();
      const { k, keep_seen, items, concepts } = page.about;
      const own = await reading(history);
      const amounts = amountsOf(page, settings);
      const left = new Set(keep_seen ? [] : history);
      const scores = amounts.size ? await own.steered(amounts) : own.scores;
      const [plain, turned] = [own.scores, scores].map((values) => ({ scores: values, own: left }));
      const raised = new Map(Object.entries(boosts ?? {}).map(([concept, value]) => [Number(concept), value]));
      const ranked = { scores: boostedScores(own.scores, items.concepts, raised), own: left };
      const lists = {
        before: listOf(plain, turned, k, "leaves"),
        after: listOf(turned, plain, k, "enters"),
        boosted: raised.size ? listOf(ranked, plain, k, "enters") : null,
      };
      const shares = Object.fromEntries(
        Object.entries(lists).map(([name, rows]) => [name, rows && sharesOf(rows, items.concepts, concepts.length)]),
      );
      const told = reasons ? await reasonsOf(own, amounts, lists.before, lists.after, history) : {};
      return { ...lists, shares, reasons: told, python: null, json: null };
    },

    /** The strongest features of each item of a history; none of items that are not read. @param {EngineRequest} request */
    async lights({ history }) {
      const { places } = await open();
      const own = await reading(history);
      const [activations, unread, f] = [own.features(), own.first, own.f];
      return history.map((item, place) => {
        const row = activations.subarray((place - unread) * f, (place - unread + 1) * f);
        const active = [...row].flatMap((activation, feature) => {
          const at = places.get(feature);
          return place < unread || !activation || at === undefined ? [] : [/** @type {[number, number]} */ ([at, activation])];
        });
        return { item, features: active.sort(([, one], [, other]) => other - one).slice(0, ENGINE.lit) };
      });
    },

    /** History item or slider → feature → item. @param {EngineRequest} request */
    async explain({ history, settings = [], item = -1 }) {
      const { page, places } = await open();
      const own = await reading(history);
      if (!(item in page.about.items.id)) throw new Error(`there is no item ${item}`);
      const { total, features } = await own.attributed(amountsOf(page, settings), item, ENGINE.features, page.nodes.attributions);
      const shown = features.filter(({ feature }) => places.has(feature));
      const links = shown.flatMap(({ feature, steps }) =>
        steps.map(([step, part]) => ({ step: step + own.first, feature: places.get(feature), part })).filter(({ step, part }) => part && step < history.length),
      );
      links.sort((one, other) => Math.abs(other.part) - Math.abs(one.part));
      return {
        total,
        explained: shown.reduce((sum, { part }) => sum + part, 0),
        links: links.slice(0, ENGINE.links),
        sliders: shown.filter(({ sliders }) => sliders).map(({ feature, sliders }) => ({ feature: places.get(feature), part: sliders })),
        features: shown.map(({ feature, part }) => ({ feature: places.get(feature), part })),
      };
    },

    measure: null, // needs what the page lacks; `about.measure_note` says so
  };
}

/** The backend of this page; where the page carries no recommender, `about` and all other calls reject and say why. */
const engine = makeEngine(unpacked);
