import { useId, type ReactNode } from "react";

/** What a field's control needs to be announced with its label, hint and error. */
export interface FieldControlProps {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

export interface FieldProps {
  label: string;
  /** The label is there for screen readers only; the place makes the purpose plain to everyone else. */
  labelHidden?: boolean;
  hint?: ReactNode;
  /** What is wrong with the value and what to do. */
  error?: string | null | undefined;
  className?: string | undefined;
  children: (control: FieldControlProps) => ReactNode;
}

/** The look all single-line controls share. */
export const controlLook =
  "w-full rounded-md border border-line-strong bg-surface px-3 text-ink transition-colors placeholder:text-ink-muted " +
  "hover:border-ink-muted disabled:cursor-not-allowed disabled:opacity-55 aria-invalid:border-danger";

/** Label, hint and error around one control. */
export function Field({ label, labelHidden = false, hint, error, className, children }: FieldProps) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={className}>
      <label htmlFor={id} className={labelHidden ? "sr-only" : "mb-1 block text-sm font-medium"}>
        {label}
      </label>
      {children({ id, "aria-describedby": describedBy || undefined, "aria-invalid": error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-sm text-ink-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="mt-1 text-sm text-danger-ink">
          {error}
        </p>
      )}
    </div>
  );
}
