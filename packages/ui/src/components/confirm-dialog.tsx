import { AlertDialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button.tsx";

export interface ConfirmDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, and what stays. */
  description: ReactNode;
  /** The verb on the button: "Delete", not "OK". */
  confirmLabel: string;
  /** The step cannot be taken back. */
  dangerous?: boolean;
  onConfirm: () => void;
}

/** Asks before a step that cannot be taken back. Focus starts on "Cancel"; a press outside does not answer. */
export function ConfirmDialog({
  open,
  onOpenChange,
  title,
  description,
  confirmLabel,
  dangerous = false,
  onConfirm,
}: ConfirmDialogProps) {
  const { t } = useTranslation("components");
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <div aria-hidden="true" className="fixed inset-0 z-40 animate-appear bg-scrim" />
        <Primitive.Content className="fixed inset-x-4 top-[20dvh] z-40 mx-auto max-w-md animate-rise rounded-xl border border-line bg-raised p-5 shadow-floating">
          <Primitive.Title className="text-lg font-semibold text-balance">{title}</Primitive.Title>
          <Primitive.Description asChild>
            <div className="mt-2 text-ink-muted [overflow-wrap:anywhere]">{description}</div>
          </Primitive.Description>
          <footer className="mt-5 flex flex-wrap justify-end gap-2">
            <Primitive.Cancel asChild>
              <Button>{t("dialog.cancel")}</Button>
            </Primitive.Cancel>
            <Primitive.Action asChild onClick={onConfirm}>
              <Button variant={dangerous ? "danger" : "primary"}>{confirmLabel}</Button>
            </Primitive.Action>
          </footer>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
