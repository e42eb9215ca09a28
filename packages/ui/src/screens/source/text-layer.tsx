import type { PageLine, PageView } from "@corral/protocol";
import { Fragment, useMemo } from "react";

/** Measured at this size; the result is a ratio. CSS pixels. */
const measuredSize = 100;
const family = "sans-serif";

/**
 * The text of a page over its picture, invisible, each line where it stands: it can be selected, copied, found with the
 * browser's search and read out.
 */
export function TextLayer({ page }: { page: PageView & { width: number; height: number } }) {
  const lines = useMemo(() => placed(page), [page]);
  return (
    <div dir="auto" data-testid="text-layer" className="absolute inset-0 overflow-hidden [container-type:inline-size]">
      {lines.map((line, at) => (
        <Fragment key={at}>
          <span
            className="absolute origin-top-left cursor-text leading-none whitespace-pre text-transparent selection:bg-accent/30 selection:text-transparent"
            style={{
              left: line.left,
              top: line.top,
              fontSize: line.size,
              transform: line.transform,
              fontFamily: family,
            }}
          >
            {line.text}
          </span>
          {/* What is copied has a line for each line. */}
          <br role="presentation" />
        </Fragment>
      ))}
    </div>
  );
}

function placed({ text, lines, width, height }: PageView & { width: number; height: number }) {
  const widthOf = measure();
  return lines.map((line) => {
    const content = text.slice(line.start, line.end);
    const upright = isUpright(line);
    const long = upright ? line.width : line.height;
    const size = upright ? line.height : line.width;
    const natural = (widthOf(content) / measuredSize) * size;
    const stretch = natural > 0 ? long / natural : 1;
    return {
      text: content,
      left: `${((upright ? line.x : line.x + line.width) / width) * 100}%`,
      top: `${(line.y / height) * 100}%`,
      size: `${(size / width) * 100}cqw`,
      transform: upright ? `scaleX(${stretch})` : `rotate(90deg) scaleX(${stretch})`,
    };
  });
}

/** A line of more than a few letters that is higher than wide runs down the page. */
function isUpright({ start, end, width, height }: PageLine): boolean {
  return end - start <= 3 || width >= height;
}

function measure(): (text: string) => number {
  const canvas = document.createElement("canvas").getContext("2d");
  if (!canvas) return () => 0;
  canvas.font = `${measuredSize}px ${family}`;
  return (text) => canvas.measureText(text).width;
}
