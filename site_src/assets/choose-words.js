// What the script of the page choose says, in both languages; `wordsOf` gives those of the page. Numbers come formatted.

import { counted } from "./dom.js";

const money = (dollars) => `${Number(dollars.toPrecision(2))} USD`;
const number = (n) => n.toLocaleString("en");

const en = {
  reached: (aim, { margin, saved }) => ({
    better: "are clearly better than the best single model of their pool",
    "no-dearer": "are clearly better than the best single model of their pool and cost no more",
    cheaper: `are less than ${counted(margin, "point")} worse than the best single model of their pool and save ${saved} % or more`,
  }[aim]),
  status: (runs, methods, won, lost, reached) => `${counted(runs, "run")} of ${counted(methods, "method")} `
    + `${runs === 1 ? "fits" : "fit"}: ${number(won)} ${reached}, ${number(lost)} are clearly worse.`,
  gained: "Other methods that gained",
  notGained: "Methods that did not gain",
  notRun: "Methods that fit, without a run that does",
  keptOut: "Methods that your answers keep out",
  one: "Use one model",
  oneMeasured: "Of the methods that fit, none reached the aim more often than it clearly lost. Take the model that scores "
    + "best on queries of your own; if you have no scores, a few dozen are the first thing to make.",
  oneUnmeasured: "Nothing was measured under these answers. Until something is, take the model that scores best on your own "
    + "queries, or leave a question open.",
  preflight: "What your models could gain at most, before any method is run: ",
  told: (text) => text,
  rows: { gained: "Gained", cost: "Cost", labels: "Labels", risk: "Risk", attempt: "Try" },
  over: (gain, baseline) => [gain, ` over ${baseline}: `],
  own: " (small models trained for this Atlas)",
  among: (aim, n) => `, the largest ${aim === "cheaper" ? "saving" : "gain"} of ${n}`,
  stop: ".",
  unknownCost: "unknown there",
  costs: (mine, baseline, alone) => `${money(mine)} there, ${baseline} ${money(alone)} (1,000 queries)`,
  learned: (labels) => `learned from ${counted(labels, "scored query", "scored queries")} there`,
  needsNone: "needs none",
  needed: (n) => `; some ${number(n)} would show a gain of 2 points`,
  nothing: (none, of, aim) => `${none} of ${counted(of, "run")} without ${aim === "cheaper" ? "that" : "a clear difference"}`,
  worse: (n, by) => `, ${n} clearly worse, the worst by ${by} on `,
  noneWorse: ", none clearly worse.",
  control: (told) => ` Something simpler gained as much there: ${told}.`,
  fit: (n) => `${counted(n, "run")} that ${n === 1 ? "fits" : "fit"}`,
  run: (detail, told, baseline) => `${detail && ` (${detail})`}: ${told} over ${baseline}`,
  ordered: "Ordered by the share of runs that reached the aim less the share that clearly lost. ",
  compare: "Compare them side by side",
  count: (title, n) => `${title} (${n})`,
  record: (won, of, lost) => `: ${won} of ${counted(of, "run")} reached it, ${lost} clearly worse`,
  failed: "The questions could not be loaded; the table below says what each answer alone leads to.",
};

const zh = {
  reached: (aim, { margin, saved }) => ({
    better: "明显好于各自模型池的最佳单模型",
    "no-dearer": "明显好于各自模型池的最佳单模型，而且不更贵",
    cheaper: `比各自模型池的最佳单模型差不到 ${margin} 个百分点，并省下 ${saved}% 以上`,
  }[aim]),
  status: (runs, methods, won, lost, reached) => `${number(methods)} 个方法的 ${number(runs)} 次运行符合条件：`
    + `${number(won)} 次${reached}，${number(lost)} 次明显更差。`,
  gained: "其他有收益的方法",
  notGained: "没有收益的方法",
  notRun: "符合条件但没有相应运行的方法",
  keptOut: "被您的回答排除的方法",
  one: "用一个模型",
  oneMeasured: "在符合条件的方法中，没有一个达到目标的次数多于明显更差的次数。请在您自己的查询上选得分最高的模型；还没有分数的话，先做几十条。",
  oneUnmeasured: "在这些回答之下没有任何测量。在有测量之前，请用在您自己的查询上得分最高的模型，或者放开一个问题。",
  preflight: "在运行任何方法之前，您的模型最多能得到多少：",
  told: (text) => text.replace(/(\S+) points \((\S+) to (\S+?)\)/, "$1 个百分点（$2 至 $3）"),
  rows: { gained: "收益", cost: "成本", labels: "标注", risk: "风险", attempt: "试一试" },
  over: (gain, baseline) => [`相对 ${baseline} `, gain, "："],
  own: "（为本项目训练的小模型）",
  among: (aim, n) => `，是 ${n} 次中${aim === "cheaper" ? "省得最多" : "收益最大"}的一次`,
  stop: "。",
  unknownCost: "该处未知",
  costs: (mine, baseline, alone) => `该处 ${money(mine)}，${baseline} 为 ${money(alone)}（1,000 条查询）`,
  learned: (labels) => `该处从 ${number(labels)} 条打过分的查询学得`,
  needsNone: "不需要",
  needed: (n) => `；约 ${number(n)} 条可看出 2 个百分点的收益`,
  nothing: (none, of, aim) => `${number(of)} 次运行中 ${none} 次${aim === "cheaper" ? "没有做到" : "没有明显差别"}`,
  worse: (n, by) => `，${n} 次明显更差，最差的一次差 ${by}，在 `,
  noneWorse: "，没有一次明显更差。",
  control: (told) => ` 更简单的做法在该处收益一样大：${told}。`,
  fit: (n) => `符合条件的 ${number(n)} 次运行`,
  run: (detail, told, baseline) => `${detail && `（${detail}）`}：相对 ${baseline} ${told}`,
  ordered: "按达到目标的运行所占份额减去明显更差的份额排序。",
  compare: "并排比较（英文）",
  count: (title, n) => `${title}（${n}）`,
  record: (won, of, lost) => `：${number(of)} 次运行中 ${won} 次达到目标，${lost} 次明显更差`,
  failed: "问题未能载入；下表说明每个回答单独会引向什么。",
};

export const LANGUAGES = { en, zh };
export const wordsOf = (language) => LANGUAGES[language] ?? en;

/** A name in English on a page in another language. */
export const foreign = (node, language) => {
  if (language !== "en") node.setAttribute("lang", "en");
  return node;
};
