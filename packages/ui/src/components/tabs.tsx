import { Tabs as Primitive } from "radix-ui";
import type { ReactNode } from "react";

export interface TabsProps {
  /** Names the group for screen readers. */
  label: string;
  value: string;
  onValueChange: (value: string) => void;
  tabs: { value: string; label: ReactNode; content: ReactNode }[];
  className?: string;
}

/** Views of one thing, one at a time; arrow keys move between them. */
export function Tabs({ label, value, onValueChange, tabs, className }: TabsProps) {
  return (
    <Primitive.Root value={value} onValueChange={onValueChange} {...(className && { className })}>
      <Primitive.List aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line">
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
        <Primitive.Content key={tab.value} value={tab.value} className="pt-4">
          {tab.content}
        </Primitive.Content>
      ))}
    </Primitive.Root>
  );
}
