import type { PageView } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Spinner } from "../../components/spinner.tsx";
import { TextLayer } from "./text-layer.tsx";

export interface PagePictureProps {
  page: PageView & { width: number; height: number };
  /** Null while it loads. */
  url: string | null;
}

/** A page of a PDF, or an image, as a picture, with a box over each line of the passage and the page's text laid over it. */
export function PagePicture({ page, url }: PagePictureProps) {
  const { t } = useTranslation("source");
  const percent = (part: number, whole: number) => `${(part / whole) * 100}%`;
  return (
    <div
      className="relative overflow-hidden rounded-md bg-white shadow-raised ring-1 ring-line"
      style={{ aspectRatio: `${page.width} / ${page.height}` }}
    >
      {url ? (
        <img
          src={url}
          alt={t("pictureOfPage", { page: page.page })}
          className="absolute inset-0 size-full"
          draggable={false}
        />
      ) : (
        <span className="absolute inset-0 flex items-center justify-center">
          <Spinner label={t("loadingPicture")} />
        </span>
      )}
      {page.boxes.map((box, at) => (
        <span
          key={at}
          data-testid="mark-box"
          className="pointer-events-none absolute rounded-xs border-b-2 border-mark-box-line bg-mark-box mix-blend-multiply forced-colors:border-2"
          style={{
            left: percent(box.x, page.width),
            top: percent(box.y, page.height),
            width: percent(box.width, page.width),
            height: percent(box.height, page.height),
          }}
        />
      ))}
      <TextLayer page={page} />
    </div>
  );
}
