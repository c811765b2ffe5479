// Heights of one vertebra while its points move, as spinetk.measure.heights computes them: the figure under the
// pointer must not wait for the server, whose answer replaces it a moment later.

const BEYOND = 0.1; // how far along its endplate a middle may lie beyond a corner, as a share of that endplate
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];

// points: px; visible; columns: name -> [top, bottom] positions; spacing: [row, column] mm or null.
// Returns name -> length in mm (px without a spacing), or null where it cannot be measured.
export function heights(points, visible, columns, spacing) {
  const [row, column] = spacing ?? [1, 1];
  const real = points.map(([x, y]) => [x * column, y * row]);
  const whole = Object.entries(columns).filter(([, [top, bottom]]) => visible[top] && visible[bottom]);
  const vectors = whole.map(([, [top, bottom]]) => minus(real[top], real[bottom]));
  const up = vectors.reduce((sum, v) => [sum[0] + v[0], sum[1] + v[1]], [0, 0]);
  const found = Object.fromEntries(Object.keys(columns).map((name) => [name, null]));
  if (disordered(real, visible, columns)) return found;
  whole.forEach(([name], k) => {
    if (dot(vectors[k], up) > 0) found[name] = Math.hypot(...vectors[k]);
  });
  return found;
}

// Whether points were set in another order than that of their names: endplates run opposite ways, or a middle lies
// beyond the corners beside it.
function disordered(points, visible, columns) {
  const ends = [0, 1].map((end) => ["left", "middle", "right"].map((name) => {
    const at = columns[name]?.[end];
    return at !== undefined && visible[at] ? points[at] : null;
  }));
  const plates = ends.map(([left, , right]) => (left && right ? minus(right, left) : null));
  if (plates[0] && plates[1] && dot(plates[0], plates[1]) < 0) return true;
  return ends.some(([left, middle], end) => {
    if (!plates[end] || !middle) return false;
    const along = dot(minus(middle, left), plates[end]);
    const length = dot(plates[end], plates[end]);
    return along < -BEYOND * length || along > (1 + BEYOND) * length;
  });
}
