import { classNames } from "./class-names.ts";

/**
 * Corral's sign: two rails that keep what is inside, a gate on the right, and the answer in the middle.
 * resources/icons/corral.svg is the same drawing with its own ground.
 */
function CorralIcon({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={classNames("shrink-0", className)}>
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <g fill="none" stroke="var(--on-accent)" strokeLinecap="round" strokeWidth="2.4">
        <path d="M23.6 10.1A9.6 9.6 0 1 0 23.6 21.9" />
        <path d="M19.7 13A4.8 4.8 0 1 0 19.7 19" />
        <path d="M16 4.6v7.2M16 20.2v7.2M4.6 16h7.2" strokeWidth="1.8" />
      </g>
      <circle cx="24.2" cy="16" r="2.1" fill="var(--on-accent)" />
    </svg>
  );
}

/** The sign with the name beside it. */
export function Wordmark({ className }: { className?: string }) {
  return (
    <span className={classNames("inline-flex items-center gap-2", className)}>
      <CorralIcon className="size-6" />
      <span className="text-lg font-semibold tracking-tight text-ink">Corral</span>
    </span>
  );
}
