// The page: what is dropped becomes a film of the list, which outlives a reload.

import { ask, Refused, status, Upload } from "./upload.js";

const KEPT = "films";
const MOST_CELLS = 60; // of the strip of parts
const drop = document.querySelector("#drop");
const input = document.querySelector("#file");
const films = new Map(); // by key

class Film {
  constructor(key, kept) {
    this.key = key;
    this.kept = kept; // name, size, begun or null, video or null
    this.item = document.querySelector("#film").content.firstElementChild.cloneNode(true);
    this.part("h2").textContent = kept.name;
    this.part(".size").textContent = bytes(kept.size);
    this.part(".forget").onclick = () => this.forget();
    document.querySelector("#films").prepend(this.item);
    this.bars = new Map();
    this.busy = false;
    this.sending = null; // the upload under way
    films.set(key, this);
  }

  part(selector) {
    return this.item.querySelector(selector);
  }

  say(text, state = "") {
    this.part(".note").textContent = text;
    this.item.dataset.state = state;
  }

  bar(name, percent, state = "") {
    if (!this.bars.has(name)) {
      const bar = document.querySelector("#bar").content.firstElementChild.cloneNode(true);
      bar.querySelector("dt").textContent = name;
      bar.querySelector("progress").ariaLabel = name;
      this.part(".bars").append(bar);
      this.bars.set(name, bar);
    }
    const bar = this.bars.get(name);
    bar.dataset.state = state;
    bar.querySelector("progress").value = percent;
    bar.querySelector("span").textContent = `${Math.floor(percent)} %`;
  }

  // Show the parts of the upload, each from 0 to 1, or several of them in one cell.
  strip(parts) {
    const strip = this.part(".strip");
    const cells = Math.min(parts.length, MOST_CELLS);
    while (strip.children.length < cells) strip.append(document.createElement("i"));
    for (let cell = 0; cell < cells; cell++) {
      const shown = parts.slice((cell * parts.length) / cells, ((cell + 1) * parts.length) / cells);
      const done = shown.reduce((sum, part) => sum + part, 0) / shown.length;
      strip.children[cell].style.setProperty("--done", done);
    }
  }

  async upload(file) {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let fresh = !this.kept.begun; ; fresh = true) {
        this.say(fresh ? "Uploading" : "Going on where it stopped", "uploading");
        if (fresh) {
          const begun = await ask("/uploads/", { name: file.name, size: file.size, type: file.type });
          this.keep({ begun });
        }
        try {
          await this.send(file);
          break;
        } catch (error) {
          if (fresh || !(error instanceof Refused)) throw error; // else it has expired: begin anew
        }
      }
      this.follow();
    } catch (error) {
      this.say(`${error.message}. Drop it again to go on.`, "failed");
    } finally {
      this.busy = false;
    }
  }

  async send(file) {
    const { begun } = this.kept;
    this.sending = new Upload(file, begun, ({ sent, parts }) => {
      this.bar("Upload", (100 * sent) / file.size);
      this.strip(parts);
    });
    const video = await this.sending.run();
    this.sending = null;
    await ask("/uploads/done", { upload: begun.upload, video });
    this.keep({ begun: null, video });
  }

  // Show how far an upload came before the page was reloaded; only its person can give the file again.
  async remember() {
    if (this.kept.video) return this.follow();
    const { location, parts } = this.kept.begun;
    try {
      const missing = new Set((await status(location)).missing_parts);
      this.bar("Upload", (100 * (parts - missing.size)) / parts);
      this.strip(Array.from({ length: parts }, (_, part) => (missing.has(part) ? 0 : 1)));
      this.say("Stopped. Drop the same film again to go on where it stopped.", "waiting");
    } catch (error) {
      this.say(`${error.message}. Drop it again.`, "failed");
      this.keep({ begun: null });
    }
  }

  follow() {
    this.bar("Upload", 100, "success");
    this.part(".strip").replaceChildren();
    this.say("Encoding", "encoding");
    const events = new EventSource(`/films/${this.kept.video}/events`);
    this.stop = () => events.close();
    events.addEventListener("progress", ({ data }) => {
      for (const { name, status, percent } of JSON.parse(data).encodings) this.bar(name, percent, status);
    });
    events.addEventListener("failed", ({ data }) => {
      events.close();
      this.say(JSON.parse(data).reason, "failed");
      this.keep({ video: null });
    });
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) this.say("The application does not answer. Reload the page.", "failed");
    };
    events.addEventListener("ready", ({ data }) => {
      events.close();
      this.say("Ready. It plays by a signed URL, good for an hour.", "ready");
      const video = this.part("video");
      video.src = JSON.parse(data).url;
      video.hidden = false;
    });
  }

  keep(changes) {
    Object.assign(this.kept, changes);
    store();
  }

  forget() {
    this.stop?.();
    this.sending?.abort();
    films.delete(this.key);
    this.item.remove();
    store();
  }
}

function store() {
  const kept = [...films].filter(([, { kept }]) => kept.begun || kept.video).map(([key, { kept }]) => [key, kept]);
  localStorage.setItem(KEPT, JSON.stringify(kept));
}

function bytes(count) {
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), 4);
  return `${(count / 1000 ** power).toFixed(power ? 1 : 0)} ${["bytes", "kB", "MB", "GB", "TB"][power]}`;
}

function take(files) {
  for (const file of files) {
    const key = [file.name, file.size, file.lastModified].join("/");
    const film = films.get(key) ?? new Film(key, { name: file.name, size: file.size, begun: null, video: null });
    if (!film.kept.video) film.upload(file);
  }
}

input.onchange = () => {
  take(input.files);
  input.value = "";
};
drop.onkeydown = (event) => {
  if (event.key === "Enter" || event.key === " ") input.click();
};
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault(); // a film dropped beside the field does not replace the page
    drop.classList.toggle("over", name.startsWith("drage") || name === "dragover");
    if (name === "drop") take(event.dataTransfer.files);
  });
}
for (const [key, kept] of JSON.parse(localStorage.getItem(KEPT) ?? "[]")) new Film(key, kept).remember();
