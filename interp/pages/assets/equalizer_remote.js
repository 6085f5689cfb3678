// A backend whose answers come from Python: `ask` sends a message {method, args} and promises the answer, {result} or
// {error: one line}. The local server and the Jupyter widget differ in how they send.

/**
 * @param {(message: {method: string, args: any[]}) => Promise<{result?: any, error?: string}>} ask
 * @returns {any} a Backend (equalizer_contract.js)
 */
function remoteBackend(ask) {
  const method =
    (/** @type {string} */ name) =>
    async (/** @type {any[]} */ ...args) => {
      const { result, error } = await ask({ method: name, args });
      if (error !== undefined) throw new Error(error);
      return result;
    };
  return Object.fromEntries(["about", "user", "run", "lights", "explain", "measure"].map((name) => [name, method(name)]));
}
