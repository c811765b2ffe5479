// Intake: files and folders dropped or chosen, sent one after another with their progress.

import * as api from "./api.js";
import { byId } from "./dom.js";
import { list } from "./list.js";
import { tell, work } from "./messages.js";
import { emit } from "./store.js";

// What is plainly no picture is not sent at all (a folder of results holds tables and pages).
const OTHER = /(^\.|\.(json|jsonl|csv|tsv|txt|md|log|html?|xml|ya?ml|toml|ini|py|ipynb|pdf|docx?|xlsx?|pptx?|zip|tar|tgz|bz2|xz|7z|rar|pth?|pkl|ckpt|safetensors|onnx|np[yz]|mat|gif|svg|mp4|avi|mov|exe|dll|db|lock|tmp|bak)$)/i;

export async function take(files) {
  const pictures = files.filter((file) => file.size > 0 && !OTHER.test(file.name));
  const passed = files.length - pictures.length;
  if (!pictures.length) {
    if (files.length) tell(files.length === 1 ? `${files[0].name} is no picture. Drop DICOM, PNG, JPEG, TIFF, NIfTI, NRRD or MetaImage; points of other programs go to Import points.` : "There is no picture among these files.", { kind: "fault" });
    return;
  }
  const under = work("Opening");
  try {
    const total = pictures.reduce((sum, file) => sum + file.size, 0);
    const { id } = await api.post("api/uploads");
    let sent = 0;
    const faults = [];
    for (const [k, file] of pictures.entries()) {
      under.say(`Opening ${k + 1} of ${pictures.length}`);
      await api.upload(id, file, (loaded) => under.value((sent + loaded) / total)).catch((error) => {
        if (error.status !== 422) throw error;
        faults.push(error.message);
      });
      sent += file.size;
    }
    under.value(null);
    under.say("Reading the headers");
    const { entries, refused } = await api.post(`api/uploads/${id}/finish`);
    report([...faults, ...refused], passed);
    list.add(entries);
    if (entries.length) emit("wanted", entries[0].id);
  } catch (error) {
    tell(error.message, { kind: "fault" });
  } finally {
    under.end();
  }
}

function report(faults, passed) {
  const most = 4;
  for (const text of faults.slice(0, most)) tell(text, { kind: "fault" });
  if (faults.length > most) tell(`and ${faults.length - most} more files that could not be opened`, { kind: "fault" });
  if (passed) tell(`${passed} files that are no pictures were left out`);
}

// Folders come as trees of entries; readEntries gives at most 100 at a time.
async function collect(entry, found) {
  if (entry.isFile) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
  else {
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const one of some) await collect(one, found);
    }
  }
}

let depth = 0;
const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

document.addEventListener("dragenter", (event) => {
  if (!isFiles(event)) return;
  depth += 1;
  byId("drop").hidden = false;
});
document.addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  byId("drop").hidden = depth === 0;
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  depth = 0;
  byId("drop").hidden = true;
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  if (entries.length) for (const entry of entries) await collect(entry, found).catch(() => tell("a folder could not be read", { kind: "fault" }));
  else found.push(...event.dataTransfer.files);
  take(found);
});

for (const [input, ...buttons] of [["files", "add-files", "welcome-files"], ["folder", "add-folder", "welcome-folder"]]) {
  for (const button of buttons) byId(button).onclick = () => byId(input).click();
  byId(input).onchange = (event) => {
    take([...event.target.files]);
    event.target.value = "";
  };
}
