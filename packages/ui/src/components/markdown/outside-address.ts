/** The address of a link out of Corral; null for anything else, such as script, data, files or places inside the app. */
export function outsideAddress(href: string | undefined): URL | null {
  if (!href || !URL.canParse(href)) return null;
  const address = new URL(href);
  return ["http:", "https:", "mailto:"].includes(address.protocol) ? address : null;
}

/** Pictures may only come from the answer itself: fetching one would tell its server that, and from where, it is read. */
export function insidePicture(src: string | undefined): string | null {
  if (!src) return null;
  return /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/i.test(src) || src.startsWith("blob:")
    ? src
    : null;
}
