"use strict";

// Opens the page: unpacks what is in it, then runs its scripts, which have their data in `data`. Blocks are deflated and
// written in base64, which is a fifth of the size of the data as text. A script that is put in runs only if the page's
// content security policy has its hash.

/** A block as it stands in the page. @param {string} id */
function blockOf(id) {
  const block = document.getElementById(id);
  if (!block) throw new Error(`the page has no block ${id}`);
  return block;
}

/** The bytes of a block, such as "data". @param {string} id */
const unpacked = (id) => inflated(blockOf(id).textContent ?? "");

/** The bytes of what is deflated and in base64. @param {string} block @returns {Promise<ArrayBuffer>} */
async function inflated(block) {
  const text = atob(block);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

/** Put a script in the place of the block that holds its text. @param {string} id @param {string} text */
function runScript(id, text) {
  const script = document.createElement("script");
  script.textContent = text;
  blockOf(id).replaceWith(script);
}

const painted = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));

/** A part of an address as it reads; as it stands where its escapes are broken. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function openPage() {
  const [text, plotly] = ["data", "plotly"].map(async (id) => new TextDecoder().decode(await unpacked(id)));
  Object.assign(globalThis, { data: JSON.parse(await text) });
  runScript("script", blockOf("script").textContent ?? "");
  document.getElementById(decoded(location.hash.slice(1).split("&")[0]))?.scrollIntoView(); // it may be there only now
  if (!document.hidden) await painted(); // plotly.js takes a while, and what needs no figure can be read
  runScript("plotly", await plotly);
  dispatchEvent(new Event("plotly"));
}

openPage().catch((error) => {
  const note = document.createElement("p");
  note.className = "note warning";
  note.textContent = `This page could not be opened: ${error.message}. It needs a browser of 2023 or later, and the whole file.`;
  document.body.prepend(note);
  throw error;
});
