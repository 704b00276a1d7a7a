// The page choose: answers to a few questions lead to the methods that fit, with the reasons; the address keeps the
// answers. What a question governs and what an answer meets is written in the page (scripts/render/choose.py).
// Without this file the table of the page says the same.

import { counted, el, fetchJson } from "./dom.js";

const COMPARED = "compare/?m=";
const SHOWN = 3; // gains of a method on its card
const money = (dollars) => (dollars === null ? "unknown" : `${Number(dollars.toPrecision(2))} USD`);
const words = (string) => (string ?? "").split(" ").filter(Boolean);

/** Of a method's runs, the share that is clearly better less the share that is clearly worse. */
const weight = ({ gains }) => gains.length
  ? gains.reduce((sum, { verdict }) => sum + (verdict === "better") - (verdict === "worse"), 0) / gains.length : -1;

class Chooser {
  /** @param {HTMLElement} page @param {any} data methods.json */
  constructor(page, data) {
    this.data = data;
    this.root = new URL(page.dataset.root, document.baseURI);
    this.form = document.getElementById("atlas-choose-form");
    this.meanings = new Map(data.needs.map(({ id, meaning }) => [id, meaning]));
    this.questions = [...this.form.querySelectorAll("fieldset")].map((set) => ({
      text: set.querySelector("legend").textContent,
      governs: words(set.dataset.governs),
      inputs: [...set.querySelectorAll("input")],
    }));
    this.status = el("p", { role: "status", "aria-live": "polite", class: "atlas-choose-status" });
    this.fits = el("ol", { class: "atlas-choose-fits" });
    this.out = el("div");
    this.compare = el("p");
    this.one = el("p", { class: "atlas-question" }, "Use one model: of the methods that fit, none is more often clearly "
      + "better than the best single model of its pool than clearly worse.");
    document.querySelector("#atlas-choose-found > div")
      .replaceChildren(this.status, this.one, this.compare, this.fits, this.out);
    this.form.addEventListener("change", () => this.answered());
    this.form.addEventListener("submit", (event) => event.preventDefault()); // Enter changes nothing
    this.form.addEventListener("reset", () => setTimeout(() => this.answered()));
    window.addEventListener("popstate", () => this.fromAddress());
    this.fromAddress();
  }

  fromAddress() {
    const asked = new URLSearchParams(location.search);
    for (const { inputs } of this.questions) {
      const wanted = asked.get(inputs[0].name) ?? "";
      (inputs.find((input) => input.value === wanted) ?? inputs[0]).checked = true;
    }
    this.show();
  }

  answered() {
    const address = new URL(location.href);
    for (const { inputs } of this.questions) {
      const { name, value } = inputs.find((input) => input.checked);
      address.searchParams.delete(name);
      if (value) address.searchParams.set(name, value);
    }
    if (address.href !== location.href) history.pushState(null, "", address);
    this.show();
  }

  /** The answer given to every question, or null where it is left open. */
  given() {
    return this.questions.map(({ text, governs, inputs }) => {
      const input = inputs.find((one) => one.checked);
      const label = input.parentElement.querySelector("b")?.textContent;
      const calls = input.dataset.calls ? Number(input.dataset.calls) : Infinity;
      return input.value ? { text, label, governs, meets: words(input.dataset.meets), calls } : null;
    });
  }

  /** Why a method fits, and why it does not: an empty second list lets it in. */
  judge(method, given) {
    const [pro, contra] = [[], []];
    for (const need of method.needs) {
      const answer = given.find((one) => one?.governs.includes(need));
      const meaning = this.meanings.get(need);
      const met = answer?.meets.includes(need);
      if (!answer) pro.push(`It needs ${meaning}; you left that open.`);
      else if (met) pro.push(`It needs ${meaning}: your answer \u201c${answer.label}\u201d gives that.`);
      else contra.push({ id: need, text: `need ${meaning}` });
    }
    if (!method.needs.length) pro.push("It needs nothing beyond one response of a model.");
    const { mean, measured } = method.calls;
    const basis = measured ? "measured" : "by construction";
    const allowed = Math.min(...given.map((one) => one?.calls ?? Infinity));
    if (mean === null) pro.push("How many calls it makes has not been measured.");
    else if (mean > allowed) contra.push({ id: "calls", text: `make more than ${counted(allowed, "call")} a query` });
    else pro.push(`It makes ${counted(Number(mean.toPrecision(3)), "call")} a query (${basis}).`);
    return { method, pro, contra };
  }

  show() {
    const given = this.given();
    const judged = this.data.methods.map((method) => this.judge(method, given));
    const fitting = judged.filter(({ contra }) => !contra.length);
    fitting.sort((a, b) => weight(b.method) - weight(a.method));
    const open = given.filter((answer) => !answer).length;
    this.status.textContent = `${fitting.length} of ${counted(judged.length, "method")} `
      + `${fitting.length === 1 ? "fits" : "fit"}${open ? `; ${counted(open, "question")} left open` : ""}.`
      + (fitting.length ? "" : " Leave a question open to see more.");
    this.one.hidden = !fitting.length || !this.data.pools || fitting.some(({ method }) => weight(method) > 0);
    this.fits.replaceChildren(...fitting.map(({ method, pro }) => this.card(method, pro)));
    this.showCompare(fitting.map(({ method }) => method.name).slice(0, this.data.most));
    this.showOut(judged.filter(({ contra }) => contra.length));
    const kept = new Set(fitting.map(({ method }) => method.category.id));
    for (const group of document.querySelectorAll(".atlas-reading")) group.hidden = !kept.has(group.dataset.category);
  }

  link({ page, title }) {
    return el("a", { href: new URL(page, this.root).href }, title);
  }

  card(method, pro) {
    return el("li", { class: `atlas-card atlas-card--${method.category.stage}`, "data-method": method.name },
      el("h3", {}, this.link(method)),
      el("p", {}, el("span", { class: `atlas-tag atlas-tag--${method.category.stage}` }, method.category.name),
        ` ${method.lead}`),
      el("ul", {}, pro.map((reason) => el("li", {}, reason))),
      this.evidence(method));
  }

  /** Where the method gained over the best single model of the same pool, and at what cost; or that it did not. */
  evidence({ gains, needs }) {
    if (!gains.length) return el("p", { class: "atlas-none" }, "Not measured yet.");
    const [better, worse] = ["better", "worse"].map((verdict) => gains.filter((gain) => gain.verdict === verdict));
    const counts = `Clearly better than the best single model in ${better.length} of ${counted(gains.length, "run")}, `
      + `clearly worse in ${worse.length}.`;
    return el("div", { class: "atlas-choose-gains" },
      el("p", {}, el("b", {}, better.length ? counts : `${counts} Use one model instead.`)),
      el("ul", {}, better.slice(0, SHOWN).map((gain) => this.gain(gain, needs))));
  }

  gain({ where, page, baseline, told, cost, alone, labels }, needs) {
    const paid = cost === null || alone === null ? "cost unknown" : `${money(cost)} against ${money(alone)} for 1,000 queries`;
    const wanted = needs.includes("labels") && labels
      ? `; some ${labels.toLocaleString("en")} labelled queries would find a gain of 2 points there` : "";
    return el("li", {}, this.link({ page, title: where }), `: ${told} over ${baseline}, ${paid}${wanted}.`);
  }

  showCompare(names) {
    const order = this.data.pools
      ? "Ordered by the share of runs in which they are clearly better than the best single model of the pool, less that "
        + "in which they are clearly worse; with your models the order may differ. "
      : "In the order of the taxonomy; nothing has been measured yet. ";
    const address = new URL(COMPARED + names.join(","), this.root).href;
    this.compare.hidden = !names.length;
    this.compare.replaceChildren(order,
      names.length > 1 ? el("a", { href: address }, `Compare the first ${names.length} side by side`) : "");
  }

  showOut(out) {
    const reasons = new Map();
    for (const { method, contra } of out) {
      for (const { id, text } of contra) {
        if (!reasons.has(id)) reasons.set(id, { text, methods: [] });
        reasons.get(id).methods.push(method);
      }
    }
    const groups = [...reasons.values()].sort((a, b) => b.methods.length - a.methods.length);
    this.out.hidden = !out.length;
    this.out.replaceChildren(
      el("h2", {}, `What falls out (${out.length})`),
      el("p", {}, "A method with several reasons stands under each."),
      ...groups.map(({ text, methods }) => el("details", {},
        el("summary", {}, `${methods.length} ${methods.length === 1 ? text.replace(/^(need|make)/, "$1s") : text}`),
        el("ul", {}, methods.map((method) => el("li", {}, this.link(method)))))));
  }
}

const page = document.querySelector(".atlas-choose");
try {
  new Chooser(page, await fetchJson(new URL(page.dataset.src, document.baseURI)));
  page.dataset.state = "ready";
} catch (error) {
  console.error("Choose:", error);
  document.getElementById("atlas-choose-form").hidden = true;
  document.querySelector("#atlas-choose-found > div").replaceChildren(
    el("p", {}, "The questions could not be loaded; the table below says what each method needs."));
  page.dataset.state = "failed";
}
