import { WrapText } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { classNames } from "../class-names.ts";
import { CopyButton } from "../copy-button.tsx";
import { IconButton } from "../icon-button.tsx";
import type { CodeToken } from "./highlighter.ts";

export interface CodeBlockProps {
  code: string;
  /** What followed the fence's backticks; empty: nothing. */
  language: string;
  /** More of it is still arriving. */
  streaming: boolean;
}

/** How long code must stay as it is before it is coloured while an answer streams, ms. */
const settleTime = 250;

/** A block of code: colours once it stands still, copy, wrap. */
export function CodeBlock({ code, language, streaming }: CodeBlockProps) {
  const { t } = useTranslation("components");
  const [wrap, setWrap] = useState(false);
  const [coloured, setColoured] = useState<{ code: string; lines: CodeToken[][] } | null>(null);

  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(
      () => {
        void colour(code, language).then((lines) => {
          if (wanted && lines) setColoured({ code, lines });
        });
      },
      streaming ? settleTime : 0,
    );
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [code, language, streaming]);

  const lines = coloured?.code === code ? coloured.lines : null;
  const name = language ? t("markdown.codeIn", { language }) : t("markdown.code");
  return (
    <div className="code-block overflow-hidden rounded-lg border border-line bg-code-ground">
      <div className="flex items-center gap-1 border-b border-line py-0.5 pr-1 pl-3">
        <span className="flex-1 truncate text-xs text-ink-muted">{language || t("markdown.code")}</span>
        <IconButton
          size="small"
          label={t("markdown.wrapLines")}
          icon={<WrapText aria-hidden="true" />}
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
        />
        <CopyButton label={t("markdown.copyCode")} text={code} />
      </div>
      <pre
        tabIndex={0}
        aria-label={name}
        role="region"
        className={classNames(
          "overflow-x-auto p-3 font-mono text-sm leading-relaxed text-code-ink focus-visible:-outline-offset-2",
          wrap && "[overflow-wrap:anywhere] whitespace-pre-wrap",
        )}
      >
        <code>
          {lines
            ? lines.map((line, at) => (
                <span key={at}>
                  {line.map((token, part) => (
                    <span key={part} className={token.kind ? `code-${token.kind}` : undefined}>
                      {token.text}
                    </span>
                  ))}
                  {at < lines.length - 1 && "\n"}
                </span>
              ))
            : code}
        </code>
      </pre>
    </div>
  );
}

/** The highlighter is big and most answers hold no code: it is fetched with the first one that does. */
async function colour(code: string, language: string): Promise<CodeToken[][] | null> {
  try {
    const { highlight } = await import("./highlighter.ts");
    return await highlight(code, language);
  } catch {
    // Its file cannot be fetched, for example as the host is gone: the code stays plain.
    return null;
  }
}
