// One model alone.

import { ask } from "../ask.js";

/** @param {import("../ask.js").Run} run of one model
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* one(run) {
  return (yield* ask(await run.model(run.names[0]), run)).text;
}
