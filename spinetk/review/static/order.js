// Order: which pictures of the worklist are shown, and in what order.

export const STATES = { new: "new", predicted: "predicted", "nothing found": "nothing found", truth: "truth", corrected: "corrected", signed: "signed" };
const PROGRESS = ["new", "nothing found", "predicted", "truth", "corrected", "signed", ""];

// Neither corrected nor signed by anybody (blinded: by this reader).
export const unread = (row) => row.state !== "corrected" && row.state !== "signed";

export const FILTERS = {
  all: ["All", () => true],
  unread: ["Unread", unread],
  ...Object.fromEntries(Object.entries(STATES).map(([state, title]) => [state, [title[0].toUpperCase() + title.slice(1), (row) => row.state === state]])),
  fractured: ["Grade 1 and above", (row) => (row.grade ?? 0) > 0],
};

// Where a row says nothing it comes last.
const by = (value) => (a, b) => {
  const [one, other] = [value(a), value(b)];
  if (one === null || other === null) return (one === null) - (other === null);
  return one < other ? -1 : one > other ? 1 : 0;
};

export const SORTS = {
  given: ["As given", null],
  state: ["Status", by((row) => PROGRESS.indexOf(row.state))],
  grade: ["Highest grade", by((row) => (row.grade === null ? null : -row.grade))],
  score: ["Least sure", by((row) => row.score)],
  view: ["View", by((row) => row.view || null)],
  name: ["Name", (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })],
};

export function arrange(rows, { text = "", filter = "all", view = "", sort = "given" }) {
  const wanted = text.trim().toLowerCase();
  const [, keep] = FILTERS[filter] ?? FILTERS.all, [, compare] = SORTS[sort] ?? SORTS.given;
  const found = rows.filter((row) => keep(row) && (!view || row.view === view) && (!wanted || row.name.toLowerCase().includes(wanted)));
  return compare ? [...found].sort(compare) : found; // Array's sort is stable: ties stay as given
}
