// Byte strings: a string of which each character is one byte. They compare, slice and key a Map as bytes do in Python.

const READ = new TextDecoder("utf-8", { ignoreBOM: true });
const WRITE = new TextEncoder();
const PART = 8192;

/** The UTF-8 bytes of a text.
 * @param {string} text
 * @returns {string} */
export function encoded(text) {
  const bytes = WRITE.encode(text);
  let result = "";
  for (let at = 0; at < bytes.length; at += PART) result += String.fromCharCode(...bytes.subarray(at, at + PART));
  return result;
}

/** The text of bytes; what is no UTF-8 becomes U+FFFD.
 * @param {string} data
 * @returns {string} */
export function decoded(data) {
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) bytes[i] = data.charCodeAt(i);
  return READ.decode(bytes);
}
