// The console: asks the sandbox once a second what goes on, and shows it.

import { bytes, list, make, seconds, set, short } from "./parts.js";

const CONTROL = "/__sandbox__";
const PERIOD = 1000; // milliseconds between two looks
const LONG_PERIOD = 10000; // while nobody looks at the page

const $ = (selector) => document.querySelector(selector);

async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const options = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const answer = await fetch(`${CONTROL}/${path}`, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.message || `${answer.status}`);
  return value;
}

// -- videos ------------------------------------------------------------------------------------------------

function buildFilm(film) {
  return make("li", "card", make("div", "picture"),
    make("div", "text", make("h3", "cut"), make("p", "facts"), make("p", "bad error"), make("ul", "outputs")));
}

function renewFilm(card, film) {
  const picture = card.querySelector(".picture");
  if (film.picture) {
    let image = picture.querySelector("img");
    if (!image) {
      image = make("img");
      image.alt = "";
      picture.replaceChildren(image);
    }
    if (image.getAttribute("src") !== film.picture) image.src = film.picture;
  } else {
    const busy = film.state === "busy" || film.outputs.some((output) => output.state === "busy");
    set(picture, "textContent", busy ? "at work" : "no picture");
  }
  const title = card.querySelector("h3");
  set(title, "textContent", film.title);
  set(title, "title", `${film.title}\n${film.id}`);
  const facts = [film.service, short(film.id), film.size, seconds(film.seconds), film.status];
  set(card.querySelector(".facts"), "textContent", facts.filter(Boolean).join(" · "));
  set(card.querySelector(".facts"), "className", `facts ${film.state === "bad" ? "bad" : ""}`);
  set(card.querySelector(".error"), "textContent", film.error || "");
  set(card.querySelector(".error"), "title", film.error || "");
  list(card.querySelector(".outputs"), film.outputs, (output) => output.id + output.name, buildOutput, renewOutput);
}

function buildOutput() {
  const bar = make("progress");
  bar.max = 100;
  const play = make("button", "", "play");
  play.addEventListener("click", () => showFilm(play.dataset.url));
  return make("li", "output", make("span", "cut name"), bar, make("span", "number"), play);
}

function renewOutput(row, output) {
  const [name, bar, number, play] = row.children;
  set(name, "textContent", output.name);
  set(name, "title", [output.name, output.status, output.error].filter(Boolean).join("\n"));
  set(bar, "value", Number(output.percent) || 0);
  set(bar, "className", output.state);
  set(number, "className", `number ${output.state}`);
  set(number, "textContent", output.state === "bad" ? "failed" : `${Math.round(bar.value)} %`);
  if (play.dataset.url !== (output.url || "")) play.dataset.url = output.url || "";
  set(play, "ariaLabel", `Play ${output.name}`);
  play.style.visibility = output.url ? "visible" : "hidden";
}

function showFilm(url) {
  const player = $("#player");
  player.querySelector("video").src = url;
  player.showModal();
}

$("#player").addEventListener("close", () => {
  const video = $("#player video");
  video.pause();
  video.removeAttribute("src");
  video.load();
});

// -- uploads -----------------------------------------------------------------------------------------------

function buildUpload() {
  return make("li", "", make("div", "line", make("span", "cut name"), make("span", "soft facts"), make("span", "end status")),
    make("div", "strip"));
}

function renewUpload(row, upload) {
  const name = row.querySelector(".name");
  set(name, "textContent", upload.name);
  set(name, "title", `${upload.name}\n${upload.id}`);
  const facts = [upload.service, bytes(upload.size), upload.parts ? `${upload.parts} parts` : "",
    upload.repeated ? `${upload.repeated} sent again` : ""];
  set(row.querySelector(".facts"), "textContent", facts.filter(Boolean).join(" · "));
  const status = row.querySelector(".status");
  set(status, "className", `end status ${upload.state}`);
  set(status, "textContent", upload.state === "busy" ? `${Math.floor(upload.done * 100)} %` : upload.status);
  const strip = row.querySelector(".strip");
  set(strip, "className", `strip ${upload.state}`);
  set(strip, "title", `${Math.floor(upload.done * 100)} % stored`);
  while (strip.children.length > upload.strip.length) strip.lastChild.remove();
  while (strip.children.length < upload.strip.length) strip.append(make("i"));
  upload.strip.forEach((full, cell) => strip.children[cell].style.setProperty("--full", `${full * 100}%`));
}

// -- requests ----------------------------------------------------------------------------------------------

function buildRequest(request) {
  const row = make("li", "", make("details", "",
    make("summary", "", make("span", "mono"), make("span", "mono cut"), make("span", "bad"), make("span", "tag"),
      make("span", "number")),
    make("pre", "", "...")));
  const details = row.firstChild;
  details.addEventListener("toggle", () => {
    if (details.open) explain(details.querySelector("pre"), request.number);
  });
  return row;
}

function renewRequest(row, request) {
  const [method, path, fault, signature, status] = row.querySelector("summary").children;
  set(method, "textContent", request.method);
  const piece = request.part !== null ? `  part ${request.part}` : request.range ? `  ${request.range}` : "";
  set(path, "textContent", request.path + piece);
  set(path, "title", path.textContent);
  set(fault, "textContent", request.fault ? `fault: ${request.fault}` : "");
  const known = { null: "", accepted: "signed", signature: "signature: wrong" };
  const word = known[request.signature] ?? `signature: ${request.signature}`;
  set(signature, "textContent", word);
  set(signature, "className", `tag ${request.signature === "accepted" ? "good" : "bad"}`);
  set(status, "textContent", request.status === null ? "–" : String(request.status));
  set(status, "className", `number ${request.status === null || request.status >= 400 ? "bad" : "good"}`);
}

async function explain(place, number) {
  try {
    const request = await ask(`requests/${number}`);
    const found = [request.refusal && `refused: ${request.refusal}`, request.explanation];
    place.textContent = found.filter(Boolean).join("\n\n") || "Nothing in it was signed.";
  } catch (error) {
    place.textContent = error.message;
  }
}

// -- notifications -----------------------------------------------------------------------------------------

function buildNotification(sent) {
  return make("li", "", make("details", "",
    make("summary", "", make("span", "event"), make("span", "mono cut soft"), make("span", "outcome")),
    make("pre", "", JSON.stringify(sent.body, null, 2))));
}

function renewNotification(row, sent) {
  const [event, url, outcome] = row.querySelector("summary").children;
  set(event, "textContent", `${sent.event} ${short(sent.about)}`);
  set(url, "textContent", sent.url);
  set(url, "title", sent.url);
  const tries = sent.attempts.length;
  const times = tries > 1 ? `, ${tries} tries` : "";
  const missed = tries ? `${sent.attempts.at(-1)}${times}` : "waiting";
  set(outcome, "textContent", sent.delivered ? `delivered${times}` : missed);
  set(outcome, "title", sent.attempts.join("\n"));
  set(outcome, "className", `outcome cut ${sent.delivered ? "good" : tries ? "bad" : "busy"}`);
}

// -- faults ------------------------------------------------------------------------------------------------

const PRESETS = [
  ["Lose 2 parts", { method: "PUT", path: "/upload/*", action: "drop", after_bytes: 100000, times: 2 }],
  ["Lose an answer", { path: "*", action: "lost" }],
  ["503 three times", { path: "*", action: "status", status: 503, times: 3 }],
  ["Too many calls", { path: "*", action: "status", status: 429, seconds: 2, times: 3 }],
  ["Slow line", { method: "PUT", path: "/upload/*", action: "slow", bytes_per_second: 500000, times: 50 }],
  ["Wait 5 s", { path: "*", action: "delay", seconds: 5 }],
  ["Forget an upload", { method: "PUT", path: "/upload/*", action: "expired" }],
  ["Wrong clock", { path: "*", action: "skew", seconds: -3600, times: 3 }],
];

for (const [name, fault] of PRESETS) {
  const button = make("button", "", name);
  button.title = JSON.stringify(fault);
  button.addEventListener("click", () => change("faults", fault));
  $("#presets").append(button);
}

$("#fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const fault = {};
  for (const [name, value] of new FormData(event.target)) {
    if (value !== "") fault[name] = ["action", "method", "path"].includes(name) ? value : Number(value);
  }
  change("faults", fault);
});
$("#clear").addEventListener("click", () => change("faults", undefined, "DELETE"));

function buildFault() {
  return make("li", "line", make("b"), make("span", "mono cut"), make("span", "end soft"));
}

function renewFault(row, fault) {
  const [action, path, rest] = row.children;
  set(action, "textContent", fault.action);
  set(path, "textContent", `${fault.method} ${fault.path}`);
  set(rest, "textContent", `${fault.times} more`);
  row.title = JSON.stringify(fault);
}

// -- clock and credentials ---------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => change("clock", { advance: Number(button.dataset.advance) }));
}
$("[data-now]").addEventListener("click", () => change("clock", { set: Date.now() / 1000 }));

const SECRETS = new Set(["secret_key", "api_key", "password"]);
let config = null;
let shown = false;

function environment(open) {
  const lines = [];
  for (const [service, members] of Object.entries(config || {})) {
    if (typeof members !== "object") continue;
    for (const [name, value] of Object.entries(members)) {
      lines.push(`export ${`${service}_${name}`.toUpperCase()}=${SECRETS.has(name) && !open ? "********" : value}`);
    }
  }
  if (config) lines.push(`export CLOUDKEY_REST_CDN_URL=${config.base_url}`);
  return lines.join("\n");
}

$("#show").addEventListener("click", () => {
  shown = !shown;
  $("#show").ariaPressed = String(shown);
  $("#show").textContent = shown ? "Hide secrets" : "Show secrets";
  $("#credentials pre").textContent = environment(shown);
});
$("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(`${environment(true)}\n`);
  $("#copy").textContent = "Copied";
  setTimeout(() => { $("#copy").textContent = "Copy as environment"; }, 2000);
});

// -- all of it ---------------------------------------------------------------------------------------------

async function change(path, body, method) {
  try {
    await ask(path, body, method);
    $("#fault-error").textContent = "";
  } catch (error) {
    $("#fault-error").textContent = error.message;
  }
  await look();
}

function section(name, items, key, build, renew) {
  const place = $(`#${name}`);
  list(place.querySelector(".rows, .cards"), items, key, build, renew);
  place.querySelector(".none").hidden = items.length > 0;
}

function show(state) {
  set($("#address"), "textContent", state.base_url + (state.strict ? "" : " (any signature is accepted)"));
  const ahead = Math.round(state.now - Date.now() / 1000);
  const off = Math.abs(ahead) > 1 ? ` (${seconds(Math.abs(ahead))} ${ahead > 0 ? "ahead" : "behind"})` : "";
  set($("#clock"), "textContent", `${new Date(state.now * 1000).toLocaleTimeString()}${off}`);
  section("films", state.films, (film) => film.service + film.id, buildFilm, renewFilm);
  section("uploads", state.uploads, (upload) => upload.id, buildUpload, renewUpload);
  section("requests", state.requests, (request) => request.number, buildRequest, renewRequest);
  section("notifications", state.notifications, (sent) => sent.id, buildNotification, renewNotification);
  const faults = state.faults.map((fault, place) => ({ ...fault, place }));
  section("faults", faults, (fault) => fault.place, buildFault, renewFault);
  $("#clear").hidden = faults.length === 0;
  const actions = $("#fault [name=action]");
  if (!actions.children.length) actions.append(...state.actions.map((action) => make("option", "", action)));
  if (JSON.stringify(config) !== JSON.stringify(state.config)) {
    config = state.config;
    $("#credentials pre").textContent = environment(shown);
  }
  $("#credentials").hidden = !config;
}

async function look() {
  const status = $("#status");
  try {
    show(await ask("console"));
    set(status, "textContent", "live");
    set(status, "className", "good");
  } catch (error) {
    set(status, "textContent", error instanceof TypeError ? "The sandbox does not answer" : String(error));
    set(status, "className", "bad");
  }
}

for (;;) {
  await look();
  await new Promise((done) => setTimeout(done, document.hidden ? LONG_PERIOD : PERIOD));
}
