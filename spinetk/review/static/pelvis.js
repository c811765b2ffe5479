// Pelvis: the S1 endplate and the femoral heads, which the pelvic angles are taken from. Their points are dragged like
// those of vertebrae; a head has two: its centre, and one on its rim.

import { tell } from "./messages.js";
import { change, store } from "./store.js";

export const NAMES = { s1: "S1 endplate", femoral_head: "Femoral head" };
const POINTS = { s1: ["left end", "right end"], femoral_head: ["centre", "rim"] };
const LEAST_RADIUS_PX = 1;
const MOST = { s1: 1, femoral_head: 2 };

export const landmarks = () => store.current?.reading.landmarks ?? [];
export const pointName = ({ kind }, point) => POINTS[kind][point];

// The points that can be taken hold of, px of the picture.
export function grips({ kind, points, radius }) {
  if (kind !== "femoral_head" || !radius) return points;
  const [x, y] = points[0];
  return [points[0], [x + radius, y]];
}

export function moveGrip(landmark, point, [x, y]) {
  if (landmark.kind === "femoral_head" && point === 1) {
    landmark.radius = Math.max(LEAST_RADIUS_PX, Math.hypot(x - landmark.points[0][0], y - landmark.points[0][1]));
  } else landmark.points[point] = [x, y];
  byHand(landmark);
}

// It is a person's now, not the network's.
export function byHand(landmark) {
  landmark.score = null;
  landmark.sigma = null;
}

// A landmark of two clicked points: both ends, or the centre and a point of the rim.
export function addLandmark(kind, [first, second]) {
  const there = landmarks().filter((one) => one.kind === kind).length;
  if (there >= MOST[kind]) return tell(kind === "s1" ? "The S1 endplate is marked already: drag its ends." : "Two femoral heads are marked already: drag them.", { kind: "fault" });
  const made = { kind, points: [first, second], radius: null, score: null, sigma: null };
  if (kind === "femoral_head") {
    made.points = [first];
    made.radius = Math.max(LEAST_RADIUS_PX, Math.hypot(second[0] - first[0], second[1] - first[1]));
  }
  change((reading) => reading.landmarks.push(made));
}
