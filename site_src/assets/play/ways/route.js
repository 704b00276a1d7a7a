// Classifier router: one classifier a model predicts from the query whether that model is right, and the likeliest one
// serves (reference_impls/before_inference/classifier_router.py).

import { ask } from "../ask.js";
import { embedded } from "../embed.js";

/** @param {import("../ask.js").Run} run `fitted.router` holds the axes of the embedding and a classifier a model
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* route(run) {
  const { axes, values, classifiers } = run.fitted.router;
  const vector = embedded(run.query.prompt, axes, values);
  const models = run.names.map((model) => {
    const { weights, intercept } = classifiers[model];
    const sum = vector.reduce((total, value, i) => total + value * weights[i], intercept);
    return { model, p: 0.5 * (1 + Math.tanh(0.5 * sum)) };
  });
  const most = Math.max(...models.map(({ p }) => p));
  // Models stand from the cheapest to the most expensive: of equals the cheapest serves.
  const chosen = /** @type {{model: string}} */ (models.find(({ p }) => p >= most - 1e-12)).model;
  yield { kind: "route", models, chosen };
  return (yield* ask(await run.model(chosen), run)).text;
}
