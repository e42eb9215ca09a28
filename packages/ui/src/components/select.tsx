import { ChevronDown } from "lucide-react";
import { classNames } from "./class-names.ts";
import { controlLook, Field, type FieldProps } from "./field.tsx";

export interface SelectOption {
  value: string;
  label: string;
  disabled?: boolean;
}

export interface SelectProps extends Omit<FieldProps, "children"> {
  value: string;
  onValueChange: (value: string) => void;
  options: SelectOption[];
  disabled?: boolean;
}

/**
 * One of several. The platform's own control, styled: it brings the phone's wheel and works in every screen reader, and
 * Radix' Select always locks scrolling with an injected style element (see dialog.tsx).
 */
export function Select({
  label,
  labelHidden,
  hint,
  error,
  className,
  value,
  onValueChange,
  options,
  disabled,
}: SelectProps) {
  return (
    <Field label={label} labelHidden={labelHidden ?? false} hint={hint} error={error} className={className}>
      {(control) => (
        <div className="relative">
          <select
            {...control}
            value={value}
            disabled={disabled}
            onChange={(event) => onValueChange(event.target.value)}
            className={classNames(controlLook, "h-9 appearance-none truncate pr-9 pointer-coarse:h-11")}
          >
            {options.map((option) => (
              <option key={option.value} value={option.value} disabled={option.disabled}>
                {option.label}
              </option>
            ))}
          </select>
          <ChevronDown
            aria-hidden="true"
            className="pointer-events-none absolute inset-y-0 right-3 my-auto size-4 text-ink-muted"
          />
        </div>
      )}
    </Field>
  );
}
