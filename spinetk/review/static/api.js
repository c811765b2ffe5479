// Calls to the server. Every fault becomes a Fault whose message is one sentence for the user.

export class Fault extends Error {
  constructor(message, status, said = {}) {
    super(message);
    this.status = status;
    this.said = said;
  }
}

let askToken = null;
let reader = "";

// Who reads; every request says so.
export function setReader(name) {
  reader = name;
}

export function onLocked(ask) {
  askToken = ask;
}

async function call(path, options = {}) {
  let response;
  try {
    const headers = { ...options.headers, "x-reader": encodeURIComponent(reader) };
    response = await fetch(path, { cache: "no-store", ...options, headers });
  } catch {
    throw new Fault("The server does not answer. Is `spinetk serve` still running?", 0);
  }
  if (response.status === 401 && askToken && path !== "api/login") {
    await askToken();
    return call(path, options);
  }
  if (!response.ok) throw await fault(response);
  return response;
}

async function fault(response) {
  const said = await response.json().catch(() => ({}));
  const text = said.error ? said.error + (said.remedy ? ` (${said.remedy})` : "") : `error ${response.status}`;
  const whole = said.source && !/^(prediction|export|list|upload)/.test(said.source) ? `${said.source}: ${text}` : text;
  return new Fault(whole, response.status, said);
}

const json = (body) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body ?? {}),
});

export const get = async (path) => (await call(path)).json();
export const post = async (path, body) => (await call(path, json(body))).json();
export const worklist = () => get("api/worklist");
export const lookThrough = () => post("api/worklist");
export const history = (id) => get(`api/entries/${id}/history`);
export const version = (id, number) => get(`api/entries/${id}/history/${number}`);
export const readers = (id) => get(`api/entries/${id}/readers`);
export const companions = (id) => get(`api/entries/${id}/companions`);
export const readerNames = () => get("api/readers");
export const agreement = (first, second) => get(`api/agreement?first=${encodeURIComponent(first)}&second=${encodeURIComponent(second)}`);
export const session = () => get("api/session");
export const entry = (id, origin) => get(`api/entries/${id}${origin ? `?origin=${origin}` : ""}`);
export const slice = (id, body) => post(`api/entries/${id}/slice`, body);
export const measure = (id, body) => post(`api/entries/${id}/measure`, body);
export const save = (id, body) => post(`api/entries/${id}/save`, body);

export async function pixels(id) {
  const response = await call(`api/entries/${id}/pixels`);
  const [width, height, low, high] = response.headers.get("x-picture").split(" ").map(Number);
  return { width, height, low, high, samples: new Uint16Array(await response.arrayBuffer()) };
}

export async function download(body) {
  const response = await call("api/export", json(body));
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition"))?.[1] ?? "export";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return { name, leftOut: Number(response.headers.get("x-left-out")) };
}

// XMLHttpRequest, because fetch does not say how far an upload is.
export function upload(batch, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `api/uploads/${batch}/files`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("x-name", encodeURIComponent(file.name));
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () => reject(new Fault("the upload broke off", 0));
    request.onload = () => {
      if (request.status < 300) return resolve();
      let said = {};
      try {
        said = JSON.parse(request.responseText);
      } catch { /* not from us */ }
      reject(new Fault(said.error ? `${file.name} ${said.error}` : `error ${request.status}`, request.status));
    };
    request.send(file);
  });
}
