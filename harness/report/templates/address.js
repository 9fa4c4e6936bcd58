"use strict";
// The address: what a person chose is in it, and a link that is opened shows exactly that.
const LISTS = ["columns", "proxies", "pair"];
const NAMES = ["columns", "proxies", "column", "pair", "axes", "architecture", "theme", "at"];

/** Reads "#column=nb201/cifar10&pair=swap,params"; "#explorer" alone is a place to go to. */
function readAddress(hash) {
  const text = hash.replace(/^#/, "");
  if (text && !text.includes("=")) return { at: decoded(text) };
  const state = {};
  for (const part of text.split("&")) {
    const [name, value] = [part.split("=")[0], part.slice(part.indexOf("=") + 1)];
    if (!NAMES.includes(name) || !value) continue;
    state[name] = LISTS.includes(name) ? value.split(",").map(decoded) : decoded(value);
  }
  return state;
}

/** Writes what readAddress reads; what is empty has its default and is left out. */
function writeAddress(state) {
  const chosen = NAMES.filter((name) => state[name]?.length);
  if (!chosen.length) return location.pathname;
  if (chosen.join() === "at") return `#${encoded(state.at)}`;
  const values = (name) => [state[name]].flat().map(encoded).join(",");
  return `#${chosen.map((name) => `${name}=${values(name)}`).join("&")}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % was typed by hand
  }
}

/** Keys of architectures stay readable: browsers take these signs in an address as they are. */
function encoded(text) {
  return encodeURIComponent(text).replace(/%(2F|3A|40|7C|2B|5B|5D)/g, decodeURIComponent);
}
