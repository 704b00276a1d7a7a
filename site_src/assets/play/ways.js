// The ways in which models work together, by the names in the page's address.

import { cascade } from "./ways/cascade.js";
import { gac } from "./ways/gac.js";
import { mixture } from "./ways/mixture.js";
import { one } from "./ways/one.js";
import { route } from "./ways/route.js";
import { span } from "./ways/span.js";
import { steps } from "./ways/steps.js";
import { unite } from "./ways/unite.js";
import { vote } from "./ways/vote.js";

/** @type {Record<string, (run: import("./ask.js").Run) => AsyncGenerator<import("./ask.js").Event, string>>} */
export const WAYS = { one, route, vote, cascade, unite, gac, span, steps, mixture };
