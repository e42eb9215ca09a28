import { createRoot } from "react-dom/client";
import { Gallery } from "./gallery/gallery.tsx";
import { ScreenGallery } from "./gallery/screen-gallery.tsx";
import { loadScreenWords, startLocales } from "./locales/locales.ts";
import "./theme/theme.css";

/*
 * For development only, not part of the build: `npx vite packages/ui` and open
 *   /gallery.html                 every component in its states
 *   /gallery.html#library         a screen over sample data: library, models, tools, settings, source
 * `?theme=dark` sets the scheme.
 */
const theme = new URLSearchParams(location.search).get("theme");
if (theme) document.documentElement.dataset["theme"] = theme;
await startLocales();
await loadScreenWords();
const screen = location.hash.slice(1);
createRoot(document.getElementById("root")!).render(screen ? <ScreenGallery screen={screen} /> : <Gallery />);
