// A backend of the equalizer that is small enough to be worked out by hand. Item i of 12 scores (12 - i) / 10 before;
// feature f and concept f add their value to the items of concept f, which are f, f + 3, f + 6 and f + 9; the last
// feature has no name and adds to none.

const CONCEPT_NAMES = ["<b>Noir</b>", "Drama & 'co'", "Sci-Fi"];
const TITLES = ["<script>alert(1)</script>", "Amélie (2001)", "Alien (1979)", "Heat (1995)", "Alien 3 (1992)", "Fargo (1996)", "Jaws (1975)", "", "x".repeat(400), "Brazil (1985)", "Big Night (1996)", "The Alien Within"];

function handmadeBackend({ measure = true, delay = 0 } = {}) {
  const count = TITLES.length;
  const has = (item, concept) => item % 3 === concept;
  const calls = [];
  const about = {
    title: "a study by hand",
    k: 4,
    keep_seen: false,
    reach: { concept: 2, feature: 4 },
    step: 0.05,
    max_history: 3,
    items: { id: TITLES.map((_, place) => 100 + place), title: TITLES, concepts: TITLES.map((_, place) => [place % 3]) },
    concepts: CONCEPT_NAMES.map((name, place) => ({ name, weak: place === 1 })),
    features: [
      { index: 7, name: CONCEPT_NAMES[0], grade: "tested", alive: true, max: 2, concept: 0 },
      { index: 20, name: `≈ ${CONCEPT_NAMES[1]}`, grade: "correlated", alive: true, max: 4, concept: 1 },
      { index: 5, name: CONCEPT_NAMES[2], grade: "tested", alive: true, max: 3, concept: 2 },
      { index: 13, name: "unlabelled", grade: "none", alive: true, max: 1, concept: null },
      { index: 9, name: "unlabelled", grade: "none", alive: false },
    ],
    users: [{ name: "<i>1</i>", n: 2 }, { name: "2", n: 3 }],
    notes: ["Two <b>tables</b> are left out."],
    warning: null,
    measure_note: "No receipt here.",
  };
  const base = (item) => (count - item) / 10;
  const deviation = Math.sqrt(TITLES.reduce((sum, _, item) => sum + (base(item) - 0.65) ** 2, 0) / (count - 1));
  const added = (item, settings) => settings.reduce((sum, { index, value }) => sum + (has(item, index) ? value : 0), 0);
  const ranked = (history, score) => {
    const items = TITLES.map((_, item) => item).filter((item) => !history.includes(item));
    return items.sort((one, other) => score(other) - score(one) || one - other);
  };
  const rows = (own, other, score, way) =>
    own.slice(0, about.k).map((item, place) => ({ item, score: score(item), rank: place + 1, other: other.indexOf(item) + 1, move: other.indexOf(item) < about.k ? null : way }));
  const shares = (list) => CONCEPT_NAMES.map((_, concept) => list.filter(({ item }) => has(item, concept)).length / list.length);
  const answer = async (name, request, make) => {
    calls.push([name, request]);
    if (delay) await new Promise((done) => setTimeout(done, delay));
    return make();
  };
  return {
    calls,
    about: () => about,
    user: (place) => answer("user", place, () => ({ history: [[0, 1], [2, 4, 11]][place] })),
    run: (request) =>
      answer("run", request, () => {
        const { history, settings, boosts } = request;
        const steered = (item) => base(item) + added(item, settings);
        const boosted = (item) => base(item) + deviation * (boosts?.[item % 3] ?? 0);
        const orders = [base, steered, boosted].map((score) => ranked(history, score));
        const before = rows(orders[0], orders[1], base, "leaves");
        const after = rows(orders[1], orders[0], steered, "enters");
        const again = Object.keys(boosts ?? {}).length ? rows(orders[2], orders[0], boosted, "enters") : null;
        const turned = settings.map(({ index, value }) => ({ feature: index, change: value, items: history.filter((item) => has(item, index)).slice(0, 2) }));
        const moved = [...before, ...after].filter(({ move }) => move);
        const reasons = request.reasons === false ? {} : Object.fromEntries(moved.map(({ item, move }) => [item, { total: added(item, settings), features: move === "enters" ? turned.filter(({ feature }) => has(item, feature)) : [] }]));
        return { before, after, boosted: again, shares: { before: shares(before), after: shares(after), boosted: again && shares(again) }, reasons, python: measure ? "import interp" : null, json: null };
      }),
    lights: (request) => answer("lights", request, () => request.history.map((item, step) => ({ item, features: step < request.history.length - about.max_history ? [] : [[item % 3, 1 + step / 10], [3, 0.25]] }))),
    explain: (request) =>
      answer("explain", request, () => ({
        total: 2,
        explained: 1.5,
        links: request.history.map((item, step) => ({ step, feature: item % 3, part: step ? -0.5 : 1 })),
        sliders: request.settings.map(({ index, value }) => ({ feature: index, part: value / 2 })),
        features: [{ feature: request.history[0] % 3, part: 2 }, { feature: 3, part: -0.5 }],
      })),
    measure: measure ? (request) => answer("measure", request, () => ({ html: "<p>Receipt</p><table><tr><th>share</th><td>&lt;b&gt; 5%</td></tr></table><script>alert(4)</script>" })) : null,
  };
}
