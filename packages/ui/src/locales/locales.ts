import i18next from "i18next";
import { initReactI18next } from "react-i18next";

/**
 * One file per area of the app and language; its name is the i18next namespace: `useTranslation("chat")`. The areas that are left
 * out here are in screen-words.ts.
 */
const english = import.meta.glob<Record<string, unknown>>(
  [
    "./en/*.json",
    "!./en/{about,models,planning,hardware,folders,finding,evaluation,transfer,settings,activity,bench}.json",
  ],
  { eager: true, import: "default" },
);

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

/** Adds the words of the screens that are loaded later; before one of them is drawn. */
export async function loadScreenWords(): Promise<void> {
  const { screenWords } = await import("./screen-words.ts");
  for (const [area, words] of Object.entries(areas(screenWords))) i18next.addResourceBundle("en", area, words);
}

function areas(files: Record<string, Record<string, unknown>>): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(files).map(([path, words]) => [/([^/]+)\.json$/.exec(path)?.[1] ?? path, words]),
  );
}
