import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./icon-button.tsx";

export interface CopyButtonProps {
  label: string;
  text: string;
  size?: "medium" | "small";
}

/** How long "Copied" stands, ms. */
const confirmationTime = 2000;

/** Puts a text on the clipboard and says so. */
export function CopyButton({ label, text, size = "small" }: CopyButtonProps) {
  const { t } = useTranslation("components");
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), confirmationTime);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <IconButton
        size={size}
        label={label}
        icon={copied ? <Check aria-hidden="true" className="text-accent-ink" /> : <Copy aria-hidden="true" />}
        onClick={() => void copyText(text).then(setCopied)}
      />
      <span role="status" className="sr-only">
        {copied && t("markdown.copied")}
      </span>
    </>
  );
}

/**
 * Resolves to whether the text is on the clipboard. The desktop window denies all permissions, the clipboard's among them, so
 * the older command is the fallback; it needs none during a press.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    const focused = document.activeElement;
    // Inside an open dialog, or its focus trap would take the selection back.
    (focused?.closest("[role=dialog], [role=alertdialog]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}
