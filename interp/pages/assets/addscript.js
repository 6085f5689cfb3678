"use strict";

// Files beside the page: scripts in the folder that the page names, such as dashboard-data/ of dashboard.html. A page that
// is opened from the disk may read no other file, but it may run a script; so the files are scripts, and bring blocks:
//     addBlock("features-3", "9f86d081", "eJyrVkrLz1eyUkpKLFKqBQAfVwRd");
// A block is as those in the page, deflated and in base64, and says to which page it belongs.

/** @type {Map<string, Promise<void>>} each script that was added, by name */
const addedScripts = new Map();
/** @type {Map<string, string>} each block that a script brought, by name */
const addedBlocks = new Map();

/** What the page's head says of its folder: "data-folder", its name, and "data-stamp", which its blocks have too. */
const beside = document.documentElement.dataset;

/**
 * Run a script of the folder beside the page, once.
 * @param {string} name of the file, without .js
 * @returns {Promise<void>} which rejects, in words for the reader, where there is no such file
 */
function addScript(name) {
  const file = `${beside.folder}/${name}.js`;
  const added = addedScripts.get(name) ?? new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${file} is not beside this page: move the page with its folder ${beside.folder}`));
    script.src = file;
    document.head.append(script);
  });
  addedScripts.set(name, added);
  added.catch(() => addedScripts.delete(name)); // it may be there when it is asked for again
  return added;
}

/** What a script of the folder calls. @param {string} name @param {string} stamp of the page @param {string} text */
function addBlock(name, stamp, text) {
  if (stamp === beside.stamp) addedBlocks.set(name, text);
}

/** The bytes of a block of the folder beside the page. @param {string} name @returns {Promise<ArrayBuffer>} */
async function unpackedBeside(name) {
  await addScript(name);
  const block = addedBlocks.get(name);
  if (block !== undefined) return inflated(block);
  addedScripts.delete(name);
  throw new Error(`${beside.folder}/${name}.js belongs to another page: open this page again, or write both again`);
}
