import { useTranslation } from "react-i18next";
import { Wordmark } from "../../components/wordmark.tsx";
import { useConnection } from "../../stores/stores.tsx";

/** What Corral is, which version this is, and where it keeps what it knows. */
export function AboutScreen() {
  const { t } = useTranslation("about");
  const connection = useConnection((state) => state.connection);
  const host = connection.kind === "ready" ? connection.host : null;
  return (
    // Nothing in it takes the focus, so it must itself: else the keyboard could not scroll it.
    <div
      role="region"
      aria-label={t("label")}
      tabIndex={0}
      className="h-full overflow-y-auto px-4 py-6 focus-visible:-outline-offset-2 md:px-6"
    >
      <div className="mx-auto flex max-w-2xl flex-col gap-5">
        <header>
          <h1>
            <Wordmark />
          </h1>
          <p className="mt-2 text-pretty">{t("what")}</p>
        </header>
        {host && (
          <dl className="grid gap-x-6 gap-y-2 rounded-xl border border-line bg-surface p-4 sm:grid-cols-[max-content_1fr]">
            <dt className="text-ink-muted">{t("version")}</dt>
            <dd className="tabular-nums">{host.appVersion}</dd>
            <dt className="text-ink-muted">{t("runsAs")}</dt>
            <dd>{t(`shell.${host.shell}`)}</dd>
            <dt className="text-ink-muted">{t("dataDirectory")}</dt>
            <dd className="font-mono text-sm [overflow-wrap:anywhere]">{host.dataDirectory}</dd>
            <dt className="text-ink-muted">{t("reads")}</dt>
            <dd>{host.supportedFileTypes.join(", ")}</dd>
            <dt className="text-ink-muted">{t("licence")}</dt>
            <dd>Apache-2.0</dd>
          </dl>
        )}
        <section aria-labelledby="promises">
          <h2 id="promises" className="mb-2 font-semibold">
            {t("promises.title")}
          </h2>
          <ul className="list-disc space-y-1 pl-5 text-pretty marker:text-ink-muted">
            <li>{t("promises.local")}</li>
            <li>{t("promises.sources")}</li>
            <li>{t("promises.leftOut")}</li>
            <li>{t("promises.saved")}</li>
          </ul>
        </section>
      </div>
    </div>
  );
}
