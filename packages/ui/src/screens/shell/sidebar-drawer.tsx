import { Dialog } from "radix-ui";
import { useTranslation } from "react-i18next";
import { useNavigation } from "../../stores/stores.tsx";
import { Sidebar } from "./sidebar.tsx";

/** The sidebar on narrow screens: over the page, closed by choosing something, Escape, or a press beside it. */
export function SidebarDrawer() {
  const { t } = useTranslation("shell");
  const shown = useNavigation((state) => state.sidebarShown);
  const showSidebar = useNavigation((state) => state.showSidebar);
  return (
    <Dialog.Root open={shown} onOpenChange={showSidebar}>
      <Dialog.Portal>
        <div aria-hidden="true" className="fixed inset-0 z-40 animate-appear bg-scrim md:hidden" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-40 w-[min(20rem,85vw)] animate-appear border-r border-line shadow-floating md:hidden"
        >
          <Dialog.Title className="sr-only">{t("sidebar")}</Dialog.Title>
          <Sidebar onClose={() => showSidebar(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
