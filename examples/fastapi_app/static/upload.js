// One file on its way to the cloud: parts side by side, each repeated until it is there, resumed after a reload.

const AT_ONCE = 4;
const TRIES = 8;
const LONGEST_PAUSE = 10_000; // milliseconds

export class Refused extends Error {}

export class Upload {
  // `begun` is what the application gave for this very file, `told` hears how many bytes of each part are up.
  constructor(file, begun, told) {
    this.file = file;
    this.begun = begun;
    this.told = told;
    this.up = new Array(begun.parts).fill(0); // bytes of each part that have left
    this.video = null;
  }

  // Send what the cloud still misses; resolves to the id of the video.
  async run() {
    const state = await status(this.begun.location);
    const missing = new Set(state.missing_parts);
    for (let part = 0; part < this.begun.parts; part++) {
      if (!missing.has(part)) this.moved(part, this.length(part));
    }
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

  async send(part) {
    const start = part * this.begun.part_size;
    const piece = this.file.slice(start, start + this.length(part));
    const text = await again(() => this.put(part, piece));
    this.moved(part, piece.size);
    if (text) this.video = JSON.parse(text).id;
  }

  put(part, piece) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch() does not tell how far a body has come
      request.open("PUT", this.begun.location);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("X-Part", part);
      request.upload.onprogress = (event) => this.moved(part, event.loaded);
      request.onerror = () => reject(new Error("The connection broke"));
      request.onload = () => {
        const { status, responseText } = request;
        if (status < 400) return resolve(responseText);
        const passing = status >= 500 || status === 408 || status === 429;
        reject(new (passing ? Error : Refused)(`The cloud answered ${status}`));
      };
      request.send(piece);
    });
  }

  length(part) {
    return Math.min(this.begun.part_size, this.file.size - part * this.begun.part_size);
  }

  moved(part, bytes) {
    this.up[part] = bytes;
    this.told(this.up, (index) => this.length(index));
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
