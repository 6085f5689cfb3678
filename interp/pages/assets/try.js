// The section "Try it": the equalizer on the recommender that the page carries. It is mounted when it comes near.

const trial = { mounted: null };

/** The backend of this page, whose notes are at its head already. */
function pageBackend() {
  const engine = makeEngine(() => unpacked("model"));
  return { ...engine, about: async () => ({ ...(await engine.about()), notes: [], warning: null }) };
}

/** The equalizer, once. */
function mountTrial() {
  const link = (feature) => `#${feature}`;
  trial.mounted ??= mountEqualizer(byId("equalizer"), pageBackend(), { link, heading: 3 }).catch(({ message }) => {
    byId("try-not").hidden = false;
    byId("try-not").textContent = `The recommender could not be opened: ${message}`;
  });
  return trial.mounted;
}

/** Say why there is nothing to try, or wait until somebody comes near. */
function prepareTrial() {
  byId("try-feature").hidden = byId("try-lead").hidden = about.no_model !== null;
  if (about.no_model !== null) {
    byId("try-not").hidden = false;
    byId("try-not").textContent = `There is nothing to try here: ${about.no_model}.`;
    return;
  }
  byId("equalizer").classList.add("waiting");
  new IntersectionObserver(([{ isIntersecting }], observer) => {
    if (!isIntersecting) return;
    observer.disconnect();
    mountTrial();
  }, { rootMargin: "600px" }).observe(byId("equalizer"));
  byId("try-feature").addEventListener("click", async () => {
    byId("try").scrollIntoView();
    (await mountTrial())?.addFeature(state.feature);
  });
}
