// Slices: the slider of a series or volume. Every slice that is kept is a picture of the list, with a case of its own.

import * as api from "./api.js";
import { byId, say } from "./dom.js";
import { list } from "./list.js";
import { emit, on, store } from "./store.js";

const slider = byId("slice");
let wanted = null, running = false;

on("open", ({ info }) => {
  byId("slices").hidden = info.slices < 2;
  slider.max = info.slices;
  if (wanted === null) slider.value = info.slice + 1;
  say(byId("slice-of"), `${slider.value} / ${info.slices}`);
});

// While one slice is on its way only the newest wish waits.
async function choose(place) {
  wanted = Math.min(Number(slider.max), Math.max(1, place)) - 1;
  slider.value = wanted + 1;
  say(byId("slice-of"), `${slider.value} / ${slider.max}`);
  if (running) return;
  running = true;
  try {
    while (wanted !== null && store.current) {
      const { id, info, reading, past } = store.current, place = wanted;
      if (place !== info.slice) {
        const row = await api.slice(id, { place, keep: reading.vertebrae.length + past.length > 0 });
        list.put(row, id);
        if (list.wanted !== id) break; // another picture was opened meanwhile: the slice is not wanted of that one
        await new Promise((done) => emit("wanted", { id: row.id, done }));
        if (store.current?.id !== row.id) break;
      }
      if (wanted === place) wanted = null;
    }
  } catch (error) {
    emit("fault", error);
  } finally {
    wanted = null;
    running = false;
  }
}

slider.oninput = () => choose(Number(slider.value));

export const stepSlice = (by) => !byId("slices").hidden && choose(Number(slider.value) + by);
