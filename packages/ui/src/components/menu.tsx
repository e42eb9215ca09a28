import { DropdownMenu } from "radix-ui";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { classNames } from "./class-names.ts";

export interface MenuProps {
  /** The button that opens the menu. */
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
}

/** Actions behind a button: arrow keys, first letters, Escape. */
export function Menu({ trigger, children, align = "end" }: MenuProps) {
  // Not modal: the modal kind locks scrolling with an injected style element, see dialog.tsx.
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 animate-appear overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-floating"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const item =
  "flex min-h-8 items-center gap-2.5 rounded-md px-2.5 py-1 outline-none select-none pointer-coarse:min-h-11 " +
  "data-disabled:opacity-50 data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-muted cursor-default";

export interface MenuItemProps {
  icon?: ReactNode;
  onSelect: () => void;
  disabled?: boolean;
  dangerous?: boolean;
  children: ReactNode;
}

/** One action. */
export function MenuItem({ icon, onSelect, disabled = false, dangerous = false, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      disabled={disabled}
      onSelect={onSelect}
      className={classNames(
        item,
        dangerous && "text-danger-ink data-highlighted:bg-danger-soft [&_svg]:text-danger-ink!",
      )}
    >
      {icon}
      {children}
    </DropdownMenu.Item>
  );
}

export interface MenuCheckItemProps {
  checked: boolean;
  onCheckedChange: (checked: boolean) => void;
  children: ReactNode;
}

/** Something that is on or off; the menu stays open so that several can be set. */
export function MenuCheckItem({ checked, onCheckedChange, children }: MenuCheckItemProps) {
  return (
    <DropdownMenu.CheckboxItem
      checked={checked}
      onCheckedChange={onCheckedChange}
      onSelect={(event) => event.preventDefault()}
      className={item}
    >
      <span aria-hidden="true" className="flex size-4 items-center">
        <DropdownMenu.ItemIndicator>
          <Check className="text-accent-ink!" />
        </DropdownMenu.ItemIndicator>
      </span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}

export interface MenuChoiceProps {
  value: string;
  onValueChange: (value: string) => void;
  options: { value: string; label: string }[];
}

/** One of several. */
export function MenuChoice({ value, onValueChange, options }: MenuChoiceProps) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={onValueChange}>
      {options.map((option) => (
        <DropdownMenu.RadioItem key={option.value} value={option.value} className={item}>
          <span aria-hidden="true" className="flex size-4 items-center">
            <DropdownMenu.ItemIndicator>
              <Check className="text-accent-ink!" />
            </DropdownMenu.ItemIndicator>
          </span>
          {option.label}
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

/** The name of the items that follow. */
export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <DropdownMenu.Label className="px-2.5 pt-2 pb-1 text-xs font-medium text-ink-muted">{children}</DropdownMenu.Label>
  );
}

/** A line between groups. */
export function MenuSeparator() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
