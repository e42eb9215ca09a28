import type { Element, ElementContent } from "hast";
import { memo, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import { Button } from "../button.tsx";
import { classNames } from "../class-names.ts";
import { copyText } from "../copy-button.tsx";
import { Dialog } from "../dialog.tsx";
import { answerContext, type CitationLabel } from "./answer-context.ts";
import { AnswerLink } from "./answer-link.tsx";
import { CitationChip } from "./citation-chip.tsx";
import { keepCitedReferences, markCitations, withoutUnfinishedMarker } from "./citation-markers.ts";
import { CodeBlock } from "./code-block.tsx";
import { literalHtml } from "./literal-html.ts";
import { insidePicture, outsideAddress } from "./outside-address.ts";
import { prepareMaths } from "./prepare-maths.ts";
import { sanitizeSchema } from "./sanitize-schema.ts";
import { splitBlocks } from "./split-blocks.ts";
import { useMaths } from "./use-maths.ts";

export interface MarkdownProps<Cited extends CitationLabel> {
  /** What a model or a document wrote. Hostile. */
  text: string;
  /** More is arriving at the end. */
  streaming?: boolean;
  /** Markers "[n]" of these become chips. */
  citations?: readonly Cited[];
  /** The citation whose source is open. */
  activeCitation?: number | null;
  /** A chip was pressed. */
  onCitation?: (citation: Cited) => void;
  /** False in the desktop window, which opens no pages: a link then offers its address to copy. */
  canOpenLinks?: boolean;
  className?: string;
}

/** A longer block is shown as it was written: parsing it could hold up the page. Characters. */
const blockLimit = 100_000;
const noCitations: readonly never[] = [];
const ignore = () => undefined;

/** An answer: Markdown, code and formulas, sanitised, with its citations as chips. Cheap to render again while it streams. */
export function Markdown<Cited extends CitationLabel>({
  text,
  streaming = false,
  citations = noCitations,
  activeCitation = null,
  onCitation = ignore,
  canOpenLinks = true,
  className,
}: MarkdownProps<Cited>) {
  const [link, setLink] = useState<string | null>(null);
  const blocks = useMemo(() => splitBlocks(streaming ? withoutUnfinishedMarker(text) : text), [text, streaming]);
  const context = useMemo(
    () => ({
      citations: new Map(citations.map((citation) => [citation.number, citation])),
      activeCitation,
      onCitation: (number: number) => {
        const pressed = citations.find((citation) => citation.number === number);
        if (pressed) onCitation(pressed);
      },
      onLink: setLink,
    }),
    [citations, activeCitation, onCitation],
  );
  const numbers = citations.map((citation) => citation.number).join(",");
  return (
    <answerContext.Provider value={context}>
      <div dir="auto" className={classNames("prose", className)}>
        {blocks.map((block, at) => (
          <Block key={at} text={block} numbers={numbers} streaming={streaming && at === blocks.length - 1} />
        ))}
      </div>
      {link !== null && <LeaveDialog address={link} canOpen={canOpenLinks} onClose={() => setLink(null)} />}
    </answerContext.Provider>
  );
}

interface BlockProps {
  text: string;
  /** The citations there are, as "1,2,5": a string, so that equal means unchanged. */
  numbers: string;
  streaming: boolean;
}

const Block = memo(function Block({ text, numbers, streaming }: BlockProps) {
  const maths = useMaths(/\$|\\[([]/.test(text));
  if (text.length > blockLimit) return <div className="whitespace-pre-wrap">{text}</div>;
  const known = new Set(numbers === "" ? [] : numbers.split(",").map(Number));
  return (
    <div>
      <ReactMarkdown
        remarkPlugins={[
          [remarkGfm, { singleTilde: false }],
          ...(maths?.remark ?? []),
          literalHtml,
          [keepCitedReferences, known],
        ]}
        rehypePlugins={[...(maths?.rehype ?? []), [markCitations, known], [rehypeSanitize, sanitizeSchema]]}
        urlTransform={(url, key) => (key === "src" ? insidePicture(url) : (outsideAddress(url)?.href ?? null))}
        components={streaming ? streamingComponents : settledComponents}
      >
        {maths ? prepareMaths(text, streaming) : text}
      </ReactMarkdown>
    </div>
  );
});

function components(streaming: boolean): Components {
  return {
    a: ({ node, href, children }) => (
      <AnswerLink href={href} words={node ? wordsOf(node) : ""}>
        {children}
      </AnswerLink>
    ),
    img: ({ src, alt }) => <AnswerPicture src={typeof src === "string" ? src : undefined} alt={alt ?? ""} />,
    cite: ({ node }) => <CitationChip number={Number(node?.properties["dataNumber"])} />,
    input: ({ checked }) => <TaskState done={checked === true} />,
    figure: ({ children }) => <WideFormula>{children}</WideFormula>,
    table: ({ children }) => <AnswerTable>{children}</AnswerTable>,
    pre: ({ node }) => {
      const code = node?.children.find((child) => child.type === "element");
      const classes = code?.properties["className"];
      const language = Array.isArray(classes) ? String(classes[0] ?? "").replace(/^language-/, "") : "";
      return (
        <CodeBlock code={node ? wordsOf(node).replace(/\n$/, "") : ""} language={language} streaming={streaming} />
      );
    },
  };
}
const settledComponents = components(false);
const streamingComponents = components(true);

function wordsOf(node: Element): string {
  const text = (child: ElementContent): string =>
    child.type === "text" ? child.value : child.type === "element" ? child.children.map(text).join("") : "";
  return text(node);
}

function AnswerTable({ children }: { children: React.ReactNode }) {
  const { t } = useTranslation("components");
  return (
    <div
      className="table-scroll focus-visible:-outline-offset-2"
      role="region"
      tabIndex={0}
      aria-label={t("markdown.table")}
    >
      <table>{children}</table>
    </div>
  );
}

function WideFormula({ children }: { children: React.ReactNode }) {
  const { t } = useTranslation("components");
  return (
    <div
      className="formula-scroll focus-visible:-outline-offset-2"
      role="region"
      tabIndex={0}
      aria-label={t("markdown.formula")}
    >
      {children}
    </div>
  );
}

function TaskState({ done }: { done: boolean }) {
  const { t } = useTranslation("components");
  return (
    <input type="checkbox" checked={done} disabled readOnly aria-label={t(done ? "markdown.done" : "markdown.toDo")} />
  );
}

function AnswerPicture({ src, alt }: { src: string | undefined; alt: string }) {
  const { t } = useTranslation("components");
  const picture = insidePicture(src);
  if (picture) return <img src={picture} alt={alt} />;
  return (
    <span className="text-ink-muted">
      {t("markdown.imageLeftOut", { description: alt || t("markdown.imageWithoutDescription") })}
    </span>
  );
}

function LeaveDialog({ address, canOpen, onClose }: { address: string; canOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation("components");
  const url = outsideAddress(address);
  if (!url) return null;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("markdown.linkTitle", { host: url.host || url.pathname })}
      description={t("markdown.linkDescription")}
      actions={
        <>
          <Button
            variant={canOpen ? "secondary" : "primary"}
            onClick={() => void copyText(url.href).then((copied) => copied && onClose())}
          >
            {t("markdown.copyLink")}
          </Button>
          {canOpen && (
            <Button
              variant="primary"
              onClick={() => {
                window.open(url.href, "_blank", "noopener,noreferrer");
                onClose();
              }}
            >
              {t("markdown.openLink")}
            </Button>
          )}
        </>
      }
    >
      <p className="rounded-md bg-code-ground p-3 font-mono text-sm [overflow-wrap:anywhere]">{url.href}</p>
    </Dialog>
  );
}
