// What the equalizer asks of a backend, as types: there is nothing to run here, and no page carries it. The page's own
// engine and Python (interp.study.equalizer) both answer so. Items, concepts and features are positions in the arrays of
// `About`; a feature's number is its `index` there. Errors are rejected promises with one line for people.

/**
 * @typedef {object} About
 * @property {string} title
 * @property {number} k length of a list
 * @property {boolean} [keep_seen] whether lists may hold items of the history
 * @property {{concept: number, feature: number}} reach of a slider, to either side
 * @property {number} step of a slider
 * @property {{id: (string | number)[], title: string[], concepts: number[][]}} items
 * @property {{name: string, weak: boolean}[]} concepts `weak`: no feature follows it above chance on unseen items
 * @property {number} [max_history] how many of a history's last items the model reads; without it, all
 * @property {{index: number, name: string, grade: string, alive: boolean, max?: number, concept?: number | null}[]} features
 *   best evidence first; `max`: its largest activation on the test users; `concept`: the one that names it
 * @property {{name: string, n: number}[]} users
 * @property {string[]} [notes] what the study lacks, a line each
 * @property {string | null} [warning]
 * @property {string} [measure_note] why there is no receipt, where `Backend.measure` is null
 */

/** @typedef {{kind: "concept" | "feature", index: number, value: number}} Setting `value` in 99th percentiles */

/**
 * @typedef {object} Query
 * @property {number[]} history oldest first
 * @property {Setting[]} settings those that are not 0
 * @property {Record<number, number>} boosts concept → what is added to its items' scores, in standard deviations of the scores
 * @property {boolean} [reasons] whether reasons are wanted; false where lists are needed at once
 */

/**
 * @typedef {object} Row of a list
 * @property {number} item
 * @property {number} score
 * @property {number} rank from 1
 * @property {number} other rank in the other list, among all items; of a re-ranked row, its rank before
 * @property {"enters" | "leaves" | null} move
 */

/**
 * @typedef {object} Reason why an item enters or leaves
 * @property {number} total change of its score
 * @property {{feature: number, change: number, items: number[]}[]} features the strongest first; `items`: those of the
 *   history at which it is most active
 */

/**
 * @typedef {object} Result
 * @property {Row[]} before
 * @property {Row[]} after
 * @property {Row[] | null} boosted the list re-ranked by the boosts
 * @property {{before: number[], after: number[], boosted: number[] | null}} shares of every concept in the lists
 * @property {Record<number, Reason>} reasons by item; may be empty where none were wanted
 * @property {number[]} [targets] concepts whose shares the re-ranked list matches; the component adds them
 * @property {string | null} python
 * @property {string | null} json
 */

/** @typedef {{item: number, features: [number, number][]}} Light a step, its strongest features and their activations */

/**
 * @typedef {object} Explanation of an item's score, relative to the mean item's
 * @property {number} total the score
 * @property {number} explained the sum of the parts of all features
 * @property {{step: number, feature: number, part: number}[]} links what history items do, by what they light without the
 *   sliders; `step`: place in the history, from 0
 * @property {{feature: number, part: number}[]} sliders what the sliders do, by how they change activations
 * @property {{feature: number, part: number}[]} features
 */

/**
 * @typedef {object} Backend
 * @property {() => About | Promise<About>} about
 * @property {(place: number) => Promise<{history: number[]}>} user
 * @property {(request: Query) => Promise<Result>} run
 * @property {(request: {history: number[]}) => Promise<Light[]>} lights
 * @property {(request: {history: number[], settings: Setting[], item: number}) => Promise<Explanation>} explain
 * @property {((request: {settings: Setting[]}) => Promise<{html: string}>) | null} measure
 */

/**
 * @typedef {object} Options
 * @property {(feature: number) => string | null} [link] the address of a feature's page, by its number
 * @property {(id: string | number) => string | null} [itemLink] the address of an item's page, by its id
 * @property {number} [heading] level of the headings, 2 by default
 */
