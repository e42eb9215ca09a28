import { Menu as MenuIcon, SquarePen } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../components/icon-button.tsx";
import { Wordmark } from "../../components/wordmark.tsx";
import { useChat, useNavigation } from "../../stores/stores.tsx";

/** The top of narrow screens: the way to the sidebar, and a new chat. */
export function NarrowBar() {
  const { t } = useTranslation("shell");
  const shown = useNavigation((state) => state.sidebarShown);
  const showSidebar = useNavigation((state) => state.showSidebar);
  const show = useNavigation((state) => state.show);
  const startNew = useChat((state) => state.startNew);
  return (
    <header className="flex items-center justify-between border-b border-line bg-sunken px-2 py-1 md:hidden">
      <IconButton
        plain
        label={t("openSidebar")}
        aria-expanded={shown}
        icon={<MenuIcon aria-hidden="true" />}
        onClick={() => showSidebar(true)}
      />
      <Wordmark />
      <IconButton
        plain
        label={t("newChat")}
        icon={<SquarePen aria-hidden="true" />}
        onClick={() => {
          startNew();
          show("chat");
        }}
      />
    </header>
  );
}
