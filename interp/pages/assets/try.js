// The section "Try it": the equalizer on the recommender that the page carries. It is mounted when it comes near.

let trial = null; // the promise of the mounted equalizer; of null where there is none

/** The equalizer, once; the notes of the study are at the head of the page already. */
function mountTrial() {
  const about = async () => ({ ...(await engine.about()), notes: [], warning: null });
  const options = { link: (/** @type {number} */ feature) => `#${feature}`, itemLink, heading: 3 };
  trial ??= mountEqualizer(byId("equalizer"), /** @type {any} */ ({ ...engine, about }), options).then(nameLibrary).catch(sayNothingToTry);
  return trial;
}

/** Name the library that runs the recommender, if there is one. @template T @param {T} equalizer */
async function nameLibrary(equalizer) {
  const library = await engine.library();
  if (library) {
    const [summary, licence] = byId("try-library").children;
    summary.textContent = `${library.name} runs the recommender: its licence`;
    licence.textContent = library.licence;
    byId("try-library").hidden = false;
  }
  return equalizer;
}

/** Say why there is nothing to try. @param {Error} error */
function sayNothingToTry({ message }) {
  for (const id of ["try-lead", "try-feature", "equalizer"]) byId(id).hidden = true;
  byId("try-not").hidden = false;
  byId("try-not").textContent = `There is nothing to try in this page: ${message}.`;
  return null;
}

/** Mount the equalizer when somebody comes near, or wants to try a feature. */
function prepareTrial() {
  const observer = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    observer.disconnect();
    mountTrial();
  }, { rootMargin: "600px" });
  observer.observe(byId("equalizer"));
  byId("try-feature").addEventListener("click", async () => {
    const { feature } = state;
    byId("try").scrollIntoView();
    (await mountTrial())?.addFeature(feature, 1);
  });
}
