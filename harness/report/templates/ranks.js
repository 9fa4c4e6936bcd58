// Ranks as scipy.stats.rankdata has them, and Spearman's ρ of two proxies, which a person chose.

/** What a proxy's scores rank as: as harness.stats.ranks.resolve_undefined, NaN for "does not". */
function rankedValues(panel, policy) {
  return panel.values.map((value, i) => {
    if (value !== null) return value;
    return policy === "worst" && panel.status[i] === "undefined" ? -Infinity : NaN;
  });
}

/** Ascending from 1; ties get their average, NaN stays. */
function averageRanks(values) {
  const order = [...values.keys()].filter((i) => !Number.isNaN(values[i]));
  order.sort((a, b) => (values[a] < values[b] ? -1 : Number(values[a] > values[b])));
  const ranks = values.map(() => NaN);
  for (let start = 0, end; start < order.length; start = end) {
    end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end += 1;
    for (let i = start; i < end; i += 1) ranks[order[i]] = (start + 1 + end) / 2;
  }
  return ranks;
}

/** ρ and the number of pairs that have both values; NaN if a side is constant. */
function spearman(first, second) {
  const lacks = (i) => Number.isNaN(first[i]) || Number.isNaN(second[i]);
  const both = [...first.keys()].filter((i) => !lacks(i));
  const [x, y] = [first, second].map((values) => averageRanks(both.map((i) => values[i])));
  const middle = (both.length + 1) / 2;
  const sum = (a, b) => a.reduce((total, value, i) => total + (value - middle) * (b[i] - middle), 0);
  return { rho: sum(x, y) / Math.sqrt(sum(x, x) * sum(y, y)), n: both.length };
}
