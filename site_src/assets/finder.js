/**
 * Finds papers by words, for the explorer and, in its worker, for the header's search, which gets this file after words.js
 * without its `import` and the word `export`.
 *
 * The words of all papers are one sorted list in pieces (scripts/render/knowledge/shards.py). A search fetches the pieces
 * that may hold words like those asked; what it has fetched it keeps.
 */

import { bareIdentifier, cutWords, fold } from "./words.js";

/** Words that nearly every paper has. As in shards.py, and so is what follows. */
const LITTLE = new Set(["a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "in", "into", "is", "it",
  "its", "of", "on", "or", "than", "that", "the", "their", "this", "to", "which", "with"]);
const TITLE = 2; // of a posting's code: the field, and where the place in it begins
const [WHOLE_NAME, PLACE] = [32, 64];
/** What a word in the name, title, authors, summary, or elsewhere weighs; the code's bits in their order. */
const WEIGHTS = [5, 3, 1.5, 1, 2];
const weightOf = Array.from({ length: PLACE }, (_, code) => WEIGHTS.reduce((sum, w, bit) => sum + (code >> bit & 1) * w, 0));
const LABEL = 2; // what a word in the name of a filter's value weighs
const FEW = 5; // papers found, so that words with a typing error may be meant
const KEPT = 60; // words whose papers are remembered

const hasDigit = (term) => /\d/.test(term);
const isLong = (term) => term.length >= 5;

/** Whether one word becomes the other by at most `most` letters left out, put in or changed. */
function near(one, two, most) {
  if (Math.abs(one.length - two.length) > most) return false;
  let above = Array.from({ length: two.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= two.length; j++) {
      row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (one[i - 1] !== two[j - 1])));
    }
    if (Math.min(...row) > most) return false;
    above = row;
  }
  return above[two.length] <= most;
}

/** What to look for, in groups that must all be found. Words that a hyphen joins are one group: its parts, or the word
 * that they make together. */
function groupsOf(query) {
  const groups = [];
  for (const word of query.split(/\s+/)) {
    const parts = cutWords(word).filter((part) => !LITTLE.has(part));
    if (parts.length > 1 && !/[^\p{L}\p{N}‐‑-]/u.test(word)) groups.push([parts, [cutWords(word).join("")]]);
    else groups.push(...parts.map((part) => [[part]]));
  }
  return groups;
}

/**
 * @typedef {{ ranked: number[], words: Set<string>, loose: boolean }} Hits numbers of papers, the best first; the words
 *   to mark; whether no paper has all the words
 * @typedef {{ of: (match: (word: string) => number, hit: (docs: Iterable<number>, weight: number, word: string) => void)
 *   => void, called: (words: string[]) => Iterable<number> }} Labels the names of what papers are filed under
 */
export class Finder {
  /** @param {string} data the folder of the data @param {{ folder: string, papers: number, cards: number, words: string[] }}
   * about as find.json has it @param {(word: string) => string} stem of a folded word */
  constructor(data, about, stem) {
    Object.assign(this, { data, about, stemmer: stem, files: new Map(), here: new Map(), known: new Map() });
  }

  /** A file of the data, fetched once. @param {string} name */
  file(name) {
    if (!this.files.has(name)) {
      const asked = fetch(new URL(`${this.about.folder}${name}.json`, this.data)).then(async (response) => {
        if (!response.ok) throw new Error(`${response.status} for ${response.url}`);
        const value = await response.json();
        this.here.set(name, value);
        return value;
      });
      this.files.set(name, asked);
      asked.catch(() => this.files.delete(name)); // the next one who wants it tries again
    }
    return this.files.get(name);
  }

  /** The cards of papers. @param {number[]} numbers @returns {Promise<object[]>} */
  async cards(numbers) {
    const { cards } = this.about;
    const name = (number) => `cards/${Math.floor(number / cards)}`;
    await Promise.all([...new Set(numbers.map(name))].filter((file) => !this.here.has(file)).map((file) => this.file(file)));
    return numbers.map((number) => this.here.get(name(number))[number % cards]);
  }

  /** "routing" and "routes" are looked for as "rout"; what holds a digit is meant as it is. */
  stem(word) {
    return hasDigit(word) ? word : this.stemmer(word);
  }

  /** How well a word of the index answers a term: 1 if it is the term, less for another form of it or a longer word that
   * begins with it, and, where errors are allowed, for one that is nearly the term. A number is meant as it is. */
  matcher(term, errors) {
    const [root, beginning] = [this.stem(term), this.beginning(term, false)];
    const begins = term.length > 1 && (!hasDigit(term) || isLong(term));
    const most = errors && isLong(term) && !hasDigit(term) ? Math.round(term.length / 5) : 0;
    return (word) => {
      if (word === term) return 1;
      if (word.startsWith(beginning) && this.stem(word) === root) return 0.9;
      if (begins && word.startsWith(term)) return 0.3 + 0.4 * term.length / word.length;
      return most && near(term, word, most) ? 0.75 : 0;
    };
  }

  /** How the words begin that may answer a term. A typing error in the first two letters is not seen. */
  beginning(term, errors) {
    if (errors) return term.slice(0, 2);
    const root = this.stem(term);
    return hasDigit(term) ? term : root.slice(0, Math.max(2, root.length - 1)); // "rating" and "rate": "rat"
  }

  /** The pieces of the list of words that hold those with this beginning. */
  async piecesWith(beginning) {
    const { words } = this.about;
    const first = Math.max(0, words.findLastIndex((word) => word <= beginning));
    const after = words.findIndex((word) => word > beginning && !word.startsWith(beginning));
    const numbers = [...words.keys()].slice(first, after < 0 ? words.length : after);
    return Promise.all(numbers.map((number) => this.file(`words/${number}`)));
  }

  /** What each paper is worth for a term, where in its title an answer stands, and the words that answered.
   * @param {Labels | null} labels */
  async answers(term, errors, labels) {
    const known = `${term} ${errors}`;
    if (this.known.has(known)) return this.known.get(known);
    const match = this.matcher(term, errors);
    const scores = new Float32Array(this.about.papers);
    const [places, words, named] = [new Map(), new Set(), []];
    for (const piece of await this.piecesWith(this.beginning(term, errors))) {
      for (const word of Object.keys(piece)) {
        const weight = match(word);
        if (!weight) continue;
        words.add(word);
        let paper = 0;
        const list = piece[word];
        for (let at = 0; at < list.length; at += 2) {
          paper += list[at];
          const code = list[at + 1] % PLACE;
          scores[paper] = Math.max(scores[paper], weight * weightOf[code]);
          if (code & TITLE) {
            const place = Math.floor(list[at + 1] / PLACE) - 1;
            if (place >= 0 && (weight === 1 || word.startsWith(term))) places.set(paper * PLACE + place, weight);
          }
          if (code & WHOLE_NAME && word === term) named.push(paper);
        }
      }
    }
    labels?.of(match, (docs, weight, word) => {
      words.add(word);
      for (const paper of docs) scores[paper] = Math.max(scores[paper], weight * LABEL);
    });
    let having = 0;
    for (const score of scores) having += score > 0;
    const rare = Math.log(1 + (scores.length + 0.5) / (having + 0.5)); // a word of few papers tells more
    for (let paper = 0; paper < scores.length; paper++) scores[paper] *= rare;
    const found = { scores, places, words, named };
    if (this.known.size >= KEPT) this.known.clear();
    this.known.set(known, found);
    return found;
  }

  /** Papers with all the words or, if there are none, with any of them: first what is called so, then what holds the words
   * side by side in its title, then by where the words stand.
   * @param {string} query @param {Labels | null} labels @returns {Promise<Hits | null>} null: no word to go by */
  async find(query, labels = null) {
    const asked = bareIdentifier(query);
    const words = cutWords(asked);
    const groups = groupsOf(asked);
    if (!groups.length || (words.length === 1 && /^[\x00-\x7f]$/.test(words[0]))) return null;
    let found = await this.together(groups, { labels });
    if (found.count < FEW) found = await this.together(groups, { labels, errors: true });
    const loose = !found.count && groups.length > 1;
    if (loose) found = await this.together(groups, { labels, errors: true, any: true });
    await this.raise(found.scores, words, labels);
    return { ranked: bestFirst(found.scores), words: found.words, loose };
  }

  /** The sum of what papers are worth for groups of terms; 0 where one is missing, unless `any` will do. */
  async together(groups, { labels, errors = false, any = false }) {
    const all = await Promise.all(groups.map((ways) => Promise.all(ways.map(
      (terms) => Promise.all(terms.map((term) => this.answers(term, errors, labels)))))));
    const words = new Set();
    for (const answer of all.flat(2)) for (const word of answer.words) words.add(word);
    const scores = new Float32Array(this.about.papers);
    let count = 0;
    for (let paper = 0; paper < scores.length; paper++) {
      let sum = 0;
      for (const ways of all) {
        let best = 0;
        for (const terms of ways) {
          let worth = 0;
          for (const { scores: of } of terms) {
            if (!of[paper]) { worth = 0; break; }
            worth += of[paper];
          }
          if (worth > best) best = worth;
        }
        if (!best && !any) { sum = 0; break; }
        sum += best;
      }
      scores[paper] = sum;
      if (sum) count += 1;
    }
    return { scores, words, count };
  }

  /** Raises the papers whose name is the query, or whose title or label holds it as a phrase. */
  async raise(scores, words, labels) {
    const factors = new Map();
    const raise = (paper, factor) => factors.set(paper, Math.max(factors.get(paper) ?? 1, factor));
    for (const paper of labels?.called(words) ?? []) raise(paper, 3);
    let starts = null; // where in which title the phrase may begin
    for (const [offset, word] of words.entries()) {
      if (LITTLE.has(word)) continue;
      const last = offset && offset === words.length - 1; // which the reader may still be typing
      const { places } = await this.answers(word, false, labels);
      const begin = [...places].filter(([place, weight]) => (last || weight === 1) && place % PLACE >= offset)
        .map(([place]) => place - offset).filter((place) => !starts || starts.has(place));
      starts = new Set(begin);
    }
    for (const place of starts ?? []) raise(Math.floor(place / PLACE), place % PLACE ? 5 : 8);
    const { named } = await this.answers(words.join(""), false, labels);
    for (const paper of named) raise(paper, 20);
    for (const [paper, factor] of factors) scores[paper] *= factor;
  }
}

/** Numbers of the papers with a score, the highest first; equal ones newest first, which is the order of the numbers. */
function bestFirst(scores) {
  const found = [];
  for (let paper = 0; paper < scores.length; paper++) if (scores[paper] > 0) found.push(paper);
  return found.sort((a, b) => scores[b] - scores[a] || a - b);
}
