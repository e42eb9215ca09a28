import { unreadable } from "../parse-failure.ts";

/** A part of a picture over its whole width, as PDF readers decode it. */
export interface Strip {
  /** Pixels; `y` counts from the top of the picture. */
  y: number;
  height: number;
  data: Buffer;
  /** Entries of the image's PDF dictionary: filter, colours, bits. */
  dictionary: string;
}

/** A picture whose compressed data a PDF can hold as it is. */
export interface Picture {
  /** Pixels, as stored. */
  width: number;
  height: number;
  /** Dots per inch, where the file says so. */
  dpi: { x: number; y: number } | null;
  /** EXIF orientation, 1 to 8: how the stored picture is turned for people to see. */
  orientation: number;
  strips: Strip[];
  /** The end of its data is missing. */
  cutShort: boolean;
}

/** A larger picture takes hundreds of MiB to draw; an A4 page at 600 dpi has 35 million. Pixels. */
const mostPixels = 64_000_000;
const longestSide = 32_000;

/**
 * Refuses a picture by the size it claims, before anything is unpacked.
 * @throws ParseFailure
 */
export function requireDrawable(width: number, height: number): void {
  if (!(width > 0 && height > 0)) throw unreadable("it is damaged: it says that it has no size");
  if (width * height > mostPixels || Math.max(width, height) > longestSide) {
    throw unreadable(
      `it has ${width} × ${height} pixels, more than the ${mostPixels / 1e6} million Corral draws; save a smaller version and add that`,
    );
  }
}
