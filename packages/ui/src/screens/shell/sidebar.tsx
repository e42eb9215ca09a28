import { Cpu, FileText, Info, Monitor, Moon, Search, Settings2, SquarePen, Sun, Wrench, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Menu, MenuChoice, MenuLabel } from "../../components/menu.tsx";
import { TextField } from "../../components/text-field.tsx";
import { Wordmark } from "../../components/wordmark.tsx";
import type { View } from "../../stores/navigation-store.ts";
import type { Theme } from "../../stores/preferences-store.ts";
import { useChat, useConversations, useLibrary, useNavigation, usePreferences } from "../../stores/stores.tsx";
import { ConversationList } from "./conversation-list.tsx";

/** Where everything is: conversations above, the other screens below. */
export function Sidebar({ onClose }: { onClose?: () => void }) {
  const { t } = useTranslation("shell");
  const search = useConversations((state) => state.search);
  const setSearch = useConversations((state) => state.setSearch);
  const startNew = useChat((state) => state.startNew);
  const show = useNavigation((state) => state.show);
  const documentCount = useLibrary((state) => state.documents.length);

  return (
    <div className="flex h-full flex-col bg-sunken">
      <div className="flex items-center justify-between px-3 pt-3 pb-2">
        <Wordmark className="pl-1.5" />
        {onClose && <IconButton plain label={t("closeSidebar")} icon={<X aria-hidden="true" />} onClick={onClose} />}
      </div>
      <div className="flex flex-col gap-2 px-3 pb-1">
        <Button
          icon={<SquarePen aria-hidden="true" />}
          className="w-full justify-start!"
          onClick={() => {
            startNew();
            show("chat");
          }}
        >
          {t("newChat")}
        </Button>
        <TextField
          label={t("searchLabel")}
          labelHidden
          type="search"
          icon={<Search aria-hidden="true" />}
          placeholder={t("searchPlaceholder")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </div>
      <ConversationList />
      <nav aria-label={t("pages")} className="flex flex-col gap-0.5 border-t border-line p-2">
        <ViewButton view="library" icon={<FileText aria-hidden="true" />} count={documentCount}>
          {t("documents")}
        </ViewButton>
        <ViewButton view="models" icon={<Cpu aria-hidden="true" />}>
          {t("models")}
        </ViewButton>
        <ViewButton view="tools" icon={<Wrench aria-hidden="true" />}>
          {t("tools")}
        </ViewButton>
        <ViewButton view="settings" icon={<Settings2 aria-hidden="true" />}>
          {t("settings")}
        </ViewButton>
        <div className="flex items-center">
          <ViewButton view="about" icon={<Info aria-hidden="true" />}>
            {t("about")}
          </ViewButton>
          <ThemeMenu />
        </div>
      </nav>
    </div>
  );
}

function ViewButton(props: { view: View; icon: ReactNode; count?: number; children: string }) {
  const current = useNavigation((state) => state.view === props.view);
  const show = useNavigation((state) => state.show);
  return (
    <button
      type="button"
      aria-current={current ? "page" : undefined}
      onClick={() => show(props.view)}
      className={`flex min-h-9 flex-1 items-center gap-2.5 rounded-md px-2.5 text-left pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0 ${
        current ? "bg-accent-soft font-medium text-accent-ink" : "hover:bg-hover [&_svg]:text-ink-muted"
      }`}
    >
      {props.icon}
      <span className="flex-1 truncate">{props.children}</span>
      {props.count ? <span className="text-xs text-ink-muted tabular-nums">{props.count}</span> : null}
    </button>
  );
}

const themeIcons = { light: Sun, dark: Moon, system: Monitor };

function ThemeMenu() {
  const { t } = useTranslation("shell");
  const theme = usePreferences((state) => state.theme);
  const set = usePreferences((state) => state.set);
  const names = { light: t("themeLight"), dark: t("themeDark"), system: t("themeSystem") };
  const Icon = themeIcons[theme];
  return (
    <Menu trigger={<IconButton label={t("themeNow", { theme: names[theme] })} icon={<Icon aria-hidden="true" />} />}>
      <MenuLabel>{t("theme")}</MenuLabel>
      <MenuChoice
        value={theme}
        onValueChange={(value) => set({ theme: value as Theme })}
        options={Object.entries(names).map(([value, label]) => ({ value, label }))}
      />
    </Menu>
  );
}
