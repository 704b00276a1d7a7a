// Draws the charts of a page: loads Vega when the first one comes into view, and draws again when the colour scheme
// changes. Without this file the tables beside the charts hold the same numbers.

const LIBRARY = ["vega.js", "vega-lite.js", "vega-embed.js"];
const NARROW = 480; // pixels; below it legends stand in one column less and axes have fewer ticks
let library;

/** The three files of the library, in the order in which they need each other. */
function loadLibrary() {
  library ??= LIBRARY.reduce(
    (before, name) => before.then(() => new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(`vendor/${name}`, import.meta.url);
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${name} could not be loaded`));
      document.head.append(script);
    })), Promise.resolve());
  return library;
}

/** The specification with `var(--name)` replaced by what the page's colour scheme says. */
function coloured(value, style) {
  if (typeof value === "string") {
    const name = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
    return name ? style.getPropertyValue(name).trim() : value;
  }
  if (Array.isArray(value)) return value.map((item) => coloured(item, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
}

/** Fonts, lines and colours of every chart. */
function look(style, narrow) {
  const ink = style.getPropertyValue("--atlas-ink").trim();
  const soft = style.getPropertyValue("--atlas-ink-soft").trim();
  const line = style.getPropertyValue("--atlas-line").trim();
  const text = { labelColor: soft, titleColor: ink, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 600 };
  return {
    font: getComputedStyle(document.body).fontFamily,
    axis: {
      ...text, domainColor: line, tickColor: line, gridColor: line, labelOverlap: true, labelFlush: true,
      ...(narrow ? { tickCount: 4, titleAlign: "center" } : {}),
    },
    header: text,
    legend: {
      ...text, symbolOpacity: 1, orient: "top", direction: "horizontal", columns: narrow ? 2 : 6, titleOrient: "top", symbolSize: 90,
      labelLimit: 0,
    },
    range: { category: ["before", "during", "after", "related"].map((id) => style.getPropertyValue(`--atlas-${id}`).trim()) },
    text: { color: ink, fill: ink },
    title: { color: ink },
    view: { stroke: null },
  };
}

/** The marks as one stop of the Tab key; arrows go from one to the next, and a mark with the focus shows its tooltip. */
function walkable(box) {
  const marks = [...box.querySelectorAll(".mark-symbol > path[aria-label]")]
    .sort((a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x);
  marks.forEach((mark, place) => {
    mark.setAttribute("tabindex", place ? "-1" : "0");
    // Vega shows a tooltip on `pointermove` and hides it on `mouseout`.
    const tell = (kind) => {
      const { x, y, width, height } = mark.getBoundingClientRect();
      const where = { clientX: x + width / 2, clientY: y + height / 2, bubbles: true };
      mark.dispatchEvent(new MouseEvent(kind, where));
    };
    mark.addEventListener("focus", () => tell("pointermove"));
    mark.addEventListener("blur", () => tell("mouseout"));
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") tell("mouseout");
      if (!step) return;
      event.preventDefault();
      const next = marks[(place + step + marks.length) % marks.length];
      mark.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
}

async function draw(figure) {
  const box = figure.querySelector(".atlas-chart-box");
  const style = getComputedStyle(document.body);
  const width = box.clientWidth;
  const narrow = figure.narrow = width < NARROW;
  try {
    figure.specification ??= fetch(figure.dataset.src).then((answer) => {
      if (!answer.ok) throw new Error(`${figure.dataset.src}: ${answer.status}`);
      return answer.json();
    });
    const specification = coloured(await figure.specification, style);
    await loadLibrary();
    figure.view?.finalize();
    const dark = document.body.dataset.mdColorScheme === "slate";
    const result = await window.vegaEmbed(box, specification, {
      actions: false, renderer: "svg", config: look(style, narrow), mode: "vega-lite",
      ast: true, // expressions are interpreted, so that a host may forbid `eval`
      tooltip: { theme: dark ? "dark" : "light" },
    });
    figure.view = result.view;
    walkable(box);
    figure.dataset.state = "drawn";
    // Vega follows the window only from here on: a phone that was turned meanwhile would keep the chart of before
    if (box.clientWidth !== width) window.dispatchEvent(new Event("resize"));
  } catch (error) {
    figure.dataset.state = "failed";
    box.textContent = `The chart could not be drawn (${error.message}). The tables of this page hold the same numbers.`;
  }
}

const figures = document.querySelectorAll(".atlas-chart");
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
}, { rootMargin: "200px" });
figures.forEach((figure) => seen.observe(figure));

// Widths are Vega's to follow, but on a narrow screen other sizes are taken too.
window.addEventListener("resize", () => {
  for (const figure of figures) {
    const narrow = figure.querySelector(".atlas-chart-box").clientWidth < NARROW;
    if (figure.dataset.state === "drawn" && figure.narrow !== narrow) draw(figure);
  }
});

new MutationObserver(() => {
  for (const figure of figures) if (figure.dataset.state) draw(figure);
}).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
