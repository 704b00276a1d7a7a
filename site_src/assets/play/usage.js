// What a run has cost: calls, tokens and US dollars, as reference_impls/core/meter.py counts them.

import { costOf } from "./model.js";

export class Usage {
  constructor() {
    this.calls = 0;
    this.prompt = 0;
    this.completion = 0;
    this.cost = 0;
    /** @type {string[]} */
    this.models = [];
  }

  /** Books one call, or one pass of a session.
   * @param {import("./model.js").Card} card
   * @param {number} calls
   * @param {number} prompt tokens read
   * @param {number} completion tokens written */
  record(card, calls, prompt, completion) {
    if (!this.models.includes(card.name)) this.models.push(card.name);
    this.calls += calls;
    this.prompt += prompt;
    this.completion += completion;
    this.cost += costOf(card, prompt, completion);
  }

  /** The numbers so far, to be sent and kept. */
  get now() {
    return { calls: this.calls, prompt: this.prompt, completion: this.completion, cost: this.cost };
  }
}
