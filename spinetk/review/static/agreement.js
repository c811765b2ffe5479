// Agreement: how two readers agree on what both have signed, as `spinetk agree` says it.

import * as api from "./api.js";
import { byId, make, say } from "./dom.js";
import { tell } from "./messages.js";

async function show() {
  try {
    const names = await api.readerNames();
    if (names.length < 2) return tell("Two readers are needed: each says who reads, and signs.");
    for (const [k, id] of ["first-reader", "second-reader"].entries()) {
      byId(id).replaceChildren(...names.map((name) => make("option", { value: name, textContent: name })));
      byId(id).value = names[k];
      byId(id).onchange = compare;
    }
    byId("agreement-dialog").showModal();
    await compare();
  } catch (error) {
    tell(error.message, { kind: "fault" });
  }
}

async function compare() {
  try {
    const pair = [byId("first-reader").value, byId("second-reader").value];
    say(byId("agreement-note"), "");
    say(byId("agreement-lines"), "Comparing");
    const { pictures, doubts, lines } = await api.agreement(...pair);
    if (String(pair) !== String([byId("first-reader").value, byId("second-reader").value])) return;
    say(byId("agreement-note"), [`${pictures} picture${pictures === 1 ? "" : "s"} signed by both`, ...doubts].join("\n"));
    say(byId("agreement-lines"), lines.join("\n"));
  } catch (error) {
    say(byId("agreement-note"), error.message);
    say(byId("agreement-lines"), "");
  }
}

byId("agreement").onclick = show;
