// The page of the local server: its backend asks the server that the page came from (interp.pages.equalizer_app).

async function askServer(/** @type {{method: string, args: any[]}} */ message) {
  try {
    const response = await fetch("ask", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) });
    return await response.json();
  } catch {
    return { error: "The equalizer does not answer: is interp equalizer still running?" };
  }
}

mountEqualizer(/** @type {HTMLElement} */ (document.getElementById("equalizer")), remoteBackend(askServer));
