// The Jupyter widget (interp.study.widget): its backend asks the kernel by messages, each with an id of its own.

const PATIENCE = 120_000; // milliseconds; a kernel answers after the cell that it runs

function askKernel(/** @type {any} */ model) {
  /** @type {Map<string, (answer: any) => void>} */
  const waiting = new Map();
  const view = Math.random().toString(36).slice(2); // each view hears the answers to all views
  let last = 0;
  const hear = (/** @type {{id: string}} */ { id, ...answer }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  };
  model.on("msg:custom", hear);
  const ask = (/** @type {{method: string, args: any[]}} */ message) =>
    new Promise((done) => {
      const id = `${view}-${(last += 1)}`;
      waiting.set(id, done);
      setTimeout(() => hear(/** @type {any} */ ({ id, error: "The kernel has not answered for two minutes: is it busy, or stopped?" })), PATIENCE);
      model.send({ id, message });
    });
  return { ask, stop: () => model.off("msg:custom", hear) };
}

export default {
  async render(/** @type {{model: any, el: HTMLElement}} */ { model, el }) {
    const root = document.createElement("div");
    const { jpThemeLight } = document.body.dataset; // of JupyterLab and Notebook; others follow the system
    const isDark = jpThemeLight ? jpThemeLight === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.classList.toggle("dark", isDark);
    el.append(root);
    const { ask, stop } = askKernel(model);
    const equalizer = await mountEqualizer(root, { ...remoteBackend(ask), about: () => model.get("about") }, { heading: 3 });
    return () => {
      stop();
      equalizer.destroy();
    };
  },
};
