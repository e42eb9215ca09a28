import { Tabs as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import { classNames } from "./class-names.ts";

export interface TabsProps {
  /** Names the group for screen readers. */
  label: string;
  value: string;
  onValueChange: (value: string) => void;
  tabs: { value: string; label: ReactNode; content: ReactNode }[];
  /** Of the whole; make it a filling flex column and the content fills what is left. */
  className?: string;
  listClassName?: string;
}

/** Views of one thing, one at a time; arrow keys move between them. */
export function Tabs({ label, value, onValueChange, tabs, className, listClassName }: TabsProps) {
  return (
    <Primitive.Root value={value} onValueChange={onValueChange} {...(className && { className })}>
      <Primitive.List
        aria-label={label}
        className={classNames(
          "flex shrink-0 gap-1 overflow-x-auto overflow-y-hidden border-b border-line",
          listClassName,
        )}
      >
        {tabs.map((tab) => (
          <Primitive.Trigger
            key={tab.value}
            value={tab.value}
            className="-mb-px border-b-2 border-transparent px-3 py-2 font-medium whitespace-nowrap text-ink-muted transition-colors hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:text-ink"
          >
            {tab.label}
          </Primitive.Trigger>
        ))}
      </Primitive.List>
      {tabs.map((tab) => (
        <Primitive.Content
          key={tab.value}
          value={tab.value}
          className="min-h-0 flex-1 pt-4 data-[state=inactive]:hidden"
        >
          {tab.content}
        </Primitive.Content>
      ))}
    </Primitive.Root>
  );
}
