// One file on its way to the cloud: parts side by side, each repeated until it is there, resumed after a reload.

const AT_ONCE = 4;
const TRIES = 8;
const LONGEST_PAUSE = 10_000; // milliseconds

export class Refused extends Error {}

export class Upload {
  // `begun` is what the application gave for this very file; `told` is called whenever something has moved.
  constructor(file, begun, told) {
    this.file = file;
    this.begun = begun;
    this.told = told;
    this.sent = 0; // bytes in all
    this.parts = new Array(begun.parts).fill(0); // how much of each has left, from 0 to 1
    this.video = null;
    this.requests = new Set();
    this.stopped = false;
  }

  // Send what the cloud still misses; resolves to the id of the video.
  async run() {
    const state = await status(this.begun.location);
    const missing = new Set(state.missing_parts);
    for (let part = 0; part < this.begun.parts; part++) {
      if (!missing.has(part)) this.moved(part, this.length(part));
    }
    this.told(this);
    this.video = state.media_id ?? null;
    const queue = [...missing];
    const lines = Math.min(AT_ONCE, this.begun.max_connections, queue.length);
    await Promise.all(Array.from({ length: lines }, async () => {
      for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
        try {
          await this.send(part);
        } catch (error) {
          queue.length = 0; // the others stop at their next part
          throw error;
        }
      }
    }));
    // The answer that named the video may have been lost.
    this.video ??= (await status(this.begun.location)).media_id;
    return this.video;
  }

  // Stop at once, and have the cloud forget what it has.
  async abort() {
    this.stopped = true;
    for (const request of this.requests) request.abort();
    await fetch(this.begun.location, { method: "DELETE" });
  }

  async send(part) {
    const start = part * this.begun.part_size;
    const piece = this.file.slice(start, start + this.length(part));
    const text = await again(() => this.put(part, piece));
    this.moved(part, piece.size);
    this.told(this);
    if (text) this.video = JSON.parse(text).id;
  }

  put(part, piece) {
    return new Promise((resolve, reject) => {
      if (this.stopped) return reject(new Refused("Stopped"));
      const request = new XMLHttpRequest(); // fetch() does not tell how far a body has come
      request.open("PUT", this.begun.location);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("X-Part", part);
      request.upload.onprogress = (event) => {
        this.moved(part, event.loaded);
        this.told(this);
      };
      request.onerror = () => reject(new Error("The connection broke"));
      request.onabort = () => reject(new Refused("Stopped"));
      request.onload = () => {
        const { status, responseText } = request;
        if (status < 400) return resolve(responseText);
        const passing = status >= 500 || status === 408 || status === 429;
        reject(new (passing ? Error : Refused)(`The cloud answered ${status}`));
      };
      request.onloadend = () => this.requests.delete(request);
      this.requests.add(request);
      request.send(piece);
    });
  }

  length(part) {
    return Math.min(this.begun.part_size, this.file.size - part * this.begun.part_size);
  }

  // A part that is sent again does not go backwards.
  moved(part, bytes) {
    const length = this.length(part);
    const share = Math.max(this.parts[part], Math.min(bytes / length, 1));
    this.sent += (share - this.parts[part]) * length;
    this.parts[part] = share;
  }
}

// Ask the cloud what it misses; throws Refused when it knows nothing of the upload any more.
export function status(location) {
  return again(async () => {
    const answer = await fetch(location, { cache: "no-store" });
    if (answer.status >= 400 && answer.status < 500) throw new Refused("The upload has expired");
    if (!answer.ok) throw new Error(`The cloud answered ${answer.status}`);
    return { missing_parts: [], ...(await answer.json()) };
  });
}

// Ask the application, JSON for JSON.
export async function ask(url, question) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
  });
  if (!answer.ok) throw new Refused(await answer.text());
  return answer.json();
}

async function again(attempt) {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Refused || tries === TRIES) throw error;
      const pause = Math.min(250 * 2 ** tries, LONGEST_PAUSE) * (0.5 + Math.random() / 2);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
