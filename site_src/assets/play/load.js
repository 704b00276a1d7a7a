// What the page fetches after Start, kept by the browser's Cache so that it is fetched once for all pages and visits.

/** @typedef {(done: {name: string, bytes: number}) => void} Progress */

/** A file of the site, unpacked where it is compressed.
 * @param {URL} url
 * @param {string} version what the cached copy must be of; older copies go
 * @returns {Promise<Uint8Array>} */
export async function fetched(url, version) {
  const name = `atlas-play-${version}`;
  const cache = await opened(name);
  let response = await cache?.match(url);
  if (!response) {
    response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} for ${url.pathname}`);
    await cache?.put(url, response.clone()).catch(() => undefined); // a full disk keeps nothing
  }
  return unpacked(new Uint8Array(await response.arrayBuffer()));
}

/** The cache of a version; none where the browser has none (without https, or in a private window).
 * @param {string} name */
async function opened(name) {
  if (!globalThis.caches) return null;
  try {
    for (const old of await caches.keys()) if (old.startsWith("atlas-play-") && old !== name) await caches.delete(old);
    return await caches.open(name);
  } catch {
    return null;
  }
}

/** Without gzip's compression; some servers have taken it off already.
 * @param {Uint8Array<ArrayBuffer>} data */
async function unpacked(data) {
  if (data[0] !== 0x1f || data[1] !== 0x8b) return data;
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Bytes of which every other one stands first, then the rest, in their own order again (_planes of
 * scripts/render/live.py).
 * @param {Uint8Array} data */
export function interleaved(data) {
  const result = new Uint8Array(data.length);
  const half = Math.ceil(data.length / 2);
  for (let i = 0; i < half; i++) result[2 * i] = data[i];
  for (let i = half; i < data.length; i++) result[2 * (i - half) + 1] = data[i];
  return result;
}
