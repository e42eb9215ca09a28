import i18next from "i18next";
import { initReactI18next } from "react-i18next";

/** One file per area of the app and language; its name is the i18next namespace: `useTranslation("chat")`. */
const english = import.meta.glob<Record<string, unknown>>("./en/*.json", { eager: true, import: "default" });

/** Prepares the words of the interface. Call once, before anything is drawn. */
export async function startLocales(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: areas(english) },
    // React escapes what it draws.
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
}

function areas(files: Record<string, Record<string, unknown>>): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(files).map(([path, words]) => [/([^/]+)\.json$/.exec(path)?.[1] ?? path, words]),
  );
}
