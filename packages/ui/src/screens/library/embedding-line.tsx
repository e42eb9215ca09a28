import type { EmbeddingState } from "@corral/protocol";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { useEmbedding, useNavigation } from "../../stores/stores.tsx";

/** How far embedding the passages is, in one line: whether documents are found by meaning too, and why not. */
export function EmbeddingLine() {
  const { t } = useTranslation("finding");
  const embedding = useEmbedding((state) => state.embedding);
  const error = useEmbedding((state) => state.error);
  const watch = useEmbedding((state) => state.watch);
  const pause = useEmbedding((state) => state.pause);
  const show = useNavigation((state) => state.show);
  useEffect(() => watch(), [watch]);
  if (error && error.code !== "HOST_UNREACHABLE")
    return (
      <p role="alert" className="px-4 py-2 text-sm text-danger-ink">
        {error.message}
      </p>
    );
  if (!embedding || embedding.chunks === 0) return null;
  const { state, embedded, chunks } = embedding;
  return (
    <footer className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-4 py-1.5 text-sm text-ink-muted">
      {state === "embedding" && (
        <ProgressBar label={t("embedding.progress")} value={embedded / chunks} className="w-24 max-sm:w-full" />
      )}
      <p className="min-w-0 flex-1 basis-48 tabular-nums [overflow-wrap:anywhere]">
        <Words embedding={embedding} />
      </p>
      {state === "off" && (
        <Button size="small" variant="quiet" onClick={() => show("models")}>
          {t("embedding.chooseModel")}
        </Button>
      )}
      {(state === "embedding" || state === "waiting") && (
        <Button size="small" variant="quiet" onClick={() => void pause(true)}>
          {t("embedding.pause")}
        </Button>
      )}
      {state === "paused" && (
        <Button size="small" variant="quiet" onClick={() => void pause(false)}>
          {t("embedding.resume")}
        </Button>
      )}
    </footer>
  );
}

function Words({ embedding }: { embedding: EmbeddingState }) {
  const { t } = useTranslation("finding");
  const { state, model, embedded, chunks, failed, chunksPerSecond, error, answering } = embedding;
  const now = {
    off: t("embedding.off"),
    embedding: [
      t("embedding.embedding", { embedded, chunks }),
      chunksPerSecond !== null && t("embedding.rate", { rate: Math.round(chunksPerSecond) }),
    ]
      .filter(Boolean)
      .join(" · "),
    waiting: error ? t("embedding.waiting", { reason: error.message }) : t("embedding.waitingPlain"),
    paused: t("embedding.paused", { embedded, chunks }),
    ready: t("embedding.ready", { model: model ?? "" }),
  }[state];
  return [
    now,
    state === "embedding" && answering !== null && answering !== model && t("embedding.earlier", { model: answering }),
    failed > 0 && t("embedding.failed", { count: failed }),
  ]
    .filter(Boolean)
    .join(" · ");
}
