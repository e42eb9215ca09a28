import { createStore, type StoreApi } from "zustand/vanilla";

export type View = "chat" | "library" | "models" | "tools" | "settings" | "about";

export interface NavigationState {
  readonly view: View;
  /** The sidebar on narrow screens, where it lies over the page. */
  readonly sidebarShown: boolean;
  show(view: View): void;
  showSidebar(shown: boolean): void;
}

/** Which screen is shown. The page has no addresses of its own: a reload starts at the last conversation. */
export function createNavigationStore(): StoreApi<NavigationState> {
  return createStore<NavigationState>()((set) => ({
    view: "chat",
    sidebarShown: false,
    show: (view) => set({ view, sidebarShown: false }),
    showSidebar: (sidebarShown) => set({ sidebarShown }),
  }));
}
