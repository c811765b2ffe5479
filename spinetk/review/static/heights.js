// Heights of one vertebra while its points move, as spinetk.measure.heights computes them: the figure under the
// pointer must not wait for the server, whose answer replaces it a moment later.

const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];

// points: px; visible; columns: name -> [top, bottom] positions; spacing: [row, column] mm or null.
// Returns name -> length in mm (px without a spacing), or null where it cannot be measured.
export function heights(points, visible, columns, spacing) {
  const [row, column] = spacing ?? [1, 1];
  const real = points.map(([x, y]) => [x * column, y * row]);
  const whole = Object.entries(columns).filter(([, [top, bottom]]) => visible[top] && visible[bottom]);
  const vectors = whole.map(([, [top, bottom]]) => minus(real[top], real[bottom]));
  const up = vectors.reduce((sum, v) => [sum[0] + v[0], sum[1] + v[1]], [0, 0]);
  const found = Object.fromEntries(Object.keys(columns).map((name) => [name, null]));
  whole.forEach(([name], k) => {
    const upright = vectors[k][0] * up[0] + vectors[k][1] * up[1] > 0;
    if (upright) found[name] = Math.hypot(...vectors[k]);
  });
  return found;
}
