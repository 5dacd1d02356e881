// What a step showed beside its text. It comes from a program that nobody trusts: nothing of it runs here, and nothing is fetched.
import { bytesOf, type Display } from "./wire";

/** Best first. */
const IMAGES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"];
const TEXTS = ["text/markdown", "text/latex", "text/plain", "application/json"];

export function displayed(display: Display): HTMLElement {
  const holder = document.createElement("div");
  holder.className = "display";
  const found = (mime: string) => display.representations.find((one) => one.mime_type === mime && one.data !== "");
  const text = TEXTS.map(found).find((one) => one !== undefined);
  const words = text === undefined ? "" : new TextDecoder().decode(bytesOf(text.data));
  for (const mime of IMAGES) {
    const image = found(mime);
    if (image === undefined) continue;
    const shown = document.createElement("img");
    // As an image an SVG runs no script and loads nothing.
    shown.src = URL.createObjectURL(new Blob([bytesOf(image.data)], { type: mime }));
    shown.alt = words === "" ? "A picture that the program showed" : words;
    holder.append(shown);
    return holder;
  }
  const html = found("text/html");
  if (html !== undefined) {
    const frame = document.createElement("iframe");
    // No script, no form, no origin, and the page's own policy: it can't reach anything.
    frame.setAttribute("sandbox", "");
    frame.title = "A table or page that the program showed";
    frame.srcdoc = new TextDecoder().decode(bytesOf(html.data));
    holder.append(frame);
    return holder;
  }
  const shown = document.createElement("pre");
  const elsewhere = display.representations.find((one) => one.path !== null);
  shown.textContent =
    words !== "" ? words
    : elsewhere !== undefined ? `[${elsewhere.mime_type}, ${elsewhere.total_bytes} bytes: in the workspace as ${elsewhere.path}]`
    : `[${display.representations.map((one) => one.mime_type).join(", ")}]`;
  holder.append(shown);
  return holder;
}
