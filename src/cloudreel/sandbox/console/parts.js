// Building and renewing pieces of the page. Text is always set as text: nothing that a service was sent
// becomes markup.

// Make an element: its class names, its children (elements or text).
export function make(tag, names = "", ...children) {
  const element = document.createElement(tag);
  if (names) element.className = names;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Set a property, attribute or text only where it differs, so that nothing flickers or loses its place.
export function set(element, name, value) {
  if (element[name] !== value) element[name] = value;
}

// Keep one child of a list for each item, in their order. A new one is built by `build(item)`, which returns
// the element; `renew(element, item)` brings it up to date.
export function list(parent, items, key, build, renew) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let child = known.get(name);
    known.delete(name);
    if (!child) {
      child = build(item);
      child.dataset.key = name;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    renew(child, item);
  }
  for (const child of known.values()) child.remove();
}

export function bytes(count) {
  if (count === null || count === undefined) return "";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let number = count;
  let unit = 0;
  while (number >= 1024 && unit < units.length - 1) {
    number /= 1024;
    unit += 1;
  }
  return `${unit ? number.toFixed(1) : number} ${units[unit]}`;
}

export function seconds(count) {
  if (count === null || count === undefined) return "";
  return count < 60 ? `${Number(count).toFixed(1)} s` : `${Math.floor(count / 60)} min ${Math.round(count % 60)} s`;
}

export const short = (text) => String(text ?? "").slice(0, 8);
