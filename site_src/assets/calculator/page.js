// The page calculator: a table comes in by file, drop, paste or example, a worker computes, and this shows what it says.
// Cells of a table reach the page as text nodes only.

import { el } from "../dom.js";
import { showAdvice, showPreflight, showRead, showVerifier } from "./show.js";

const MOST = 256 * 1024 * 1024; // bytes of a table

class Calculator {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.form = /** @type {HTMLFormElement} */ (root.querySelector("form"));
    this.status = /** @type {HTMLElement} */ (root.querySelector(".atlas-calc-status"));
    this.found = /** @type {HTMLElement} */ (root.querySelector(".atlas-calc-found"));
    this.parts = Object.fromEntries(["read", "advice", "preflight", "verifier", "next"].map((name) =>
      [name, el("section", { class: `atlas-calc-${name}` })]));
    this.settings = { margin: 0.01, threshold: 1 };
    this.verifier = { falseAccept: 0.1, falseReject: 0.1, share: 0.05 };
    this.number = 0;
    this.bring();
    root.hidden = false;
    root.dataset.state = "ready";
  }

  bring() {
    const file = /** @type {HTMLInputElement} */ (this.form.querySelector("input[type=file]"));
    const text = /** @type {HTMLTextAreaElement} */ (this.form.querySelector("textarea"));
    file.addEventListener("change", () => file.files?.length && this.take(file.files[0]));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (text.value.trim()) this.take(new Blob([text.value]));
      else this.say("There is nothing to compute yet: paste a table, or pick a file.");
    });
    for (const type of ["dragover", "drop"]) {
      this.form.addEventListener(type, (event) => {
        const { dataTransfer } = /** @type {DragEvent} */ (event);
        if (!dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        if (type === "drop" && dataTransfer.files.length) this.take(dataTransfer.files[0]);
      });
    }
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (this.form.querySelectorAll("[data-example]"))) {
      button.addEventListener("click", async () => {
        const response = await fetch(/** @type {string} */ (button.dataset.example));
        if (response.ok) this.take(await response.blob());
        else this.say(`The example could not be loaded (${response.status}).`);
      });
    }
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /** @param {Blob} blob */
  async take(blob) {
    if (blob.size > MOST) {
      this.say("The file is larger than 256 MiB: split it, or use atlas import csv.");
      return;
    }
    this.say("Reading …");
    this.worker?.terminate(); // of a table that is no longer wanted
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => data.number === this.number && this.told(data));
    this.worker.addEventListener("error", () => this.say("The calculation could not be started in this browser."));
    for (const part of Object.values(this.parts)) part.replaceChildren();
    this.found.replaceChildren(...Object.values(this.parts));
    this.root.dataset.state = "busy";
    const bytes = await blob.arrayBuffer();
    this.ask({ bytes }, [bytes]);
  }

  /** @param {object} asked @param {Transferable[]} transfer */
  ask(asked, transfer = []) {
    this.root.dataset.state = "busy";
    this.number++;
    this.worker?.postMessage({ number: this.number, asked }, transfer);
  }

  /** @param {any} data */
  told(data) {
    if (data.failed) this.say(`Something went wrong: ${data.failed}`);
    if (data.read) {
      this.read = data.read;
      this.parts.read.replaceChildren(...showRead(data.read));
      this.say(data.read.queries ? "Computing …" : "No row could be used; what is wrong stands below.");
    }
    if (data.preflight) this.parts.preflight.replaceChildren(...showPreflight(data.preflight));
    if ("verifier" in data) {
      showVerifier(this.parts.verifier, data.verifier, this.verifier, (changed) => {
        this.verifier = changed;
        this.ask({ verifier: changed });
      });
    }
    if ("advice" in data) {
      showAdvice(this.parts.advice, this.parts.next, data.advice, this.read, this.settings, (changed) => {
        this.settings = changed;
        this.ask({ recommend: changed });
      });
      this.say(data.advice ? data.advice.verdict.sentences[0]
        : "Fewer than five queries can be compared: too few to advise anything.");
    }
    if (data.done) this.root.dataset.state = "ready";
  }
}

const root = document.querySelector(".atlas-calc");
if (root instanceof HTMLElement) new Calculator(root);
