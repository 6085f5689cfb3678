// How well a name fits a search, by the same rule in the page's search and in the equalizer's.

const [EXACT, PREFIX, WORDS, PART] = [0, 1, 2, 3]; // how well a name fits, best first

/**
 * How well a name fits a search, or null: the whole name (or all but a year at its end), its beginning, words that begin
 * so, or parts of words. Both are words in small letters without accents, with single spaces between.
 * @param {string} name
 * @param {string} query
 */
function fitOf(name, query) {
  if (name === query || name.replace(/ \d{4}$/, "") === query) return EXACT;
  if (name.startsWith(query)) return PREFIX;
  const words = query.split(" ");
  if (words.every((word) => ` ${name}`.includes(` ${word}`))) return WORDS;
  return words.every((word) => name.includes(word)) || name.replaceAll(" ", "").includes(query.replaceAll(" ", "")) ? PART : null;
}
