import type { ReactNode } from "react";
import { StackedBar } from "../../components/stacked-bar.tsx";

/** A named value in the list of what a machine has, with more about it below. */
export function Fact({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <div>
      <dt className="text-ink-muted">{name}</dt>
      <dd className="[overflow-wrap:anywhere]">{value}</dd>
      {children && <dd className="text-ink-muted">{children}</dd>}
    </div>
  );
}

interface MemoryBarProps {
  name: string;
  /** How much is free, in words. */
  words: string;
  /** The bar as a sentence. */
  label: string;
  /** Bytes, as the parts. */
  total: number;
  parts: { key: string; value: number; className: string }[];
  children?: ReactNode;
}

/** A memory and how full it is. */
export function MemoryBar({ name, words, label, total, parts, children }: MemoryBarProps) {
  return (
    <div>
      <dt className="text-ink-muted [overflow-wrap:anywhere]">{name}</dt>
      <dd className="tabular-nums">{words}</dd>
      <dd>
        <StackedBar className="mt-1" label={label} whole={total} parts={parts} />
      </dd>
      {children}
    </div>
  );
}
