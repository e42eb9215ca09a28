import type { ComponentProps, ReactNode } from "react";
import { classNames } from "./class-names.ts";
import { controlLook, Field, type FieldProps } from "./field.tsx";

export interface TextFieldProps
  extends Omit<FieldProps, "children">, Omit<ComponentProps<"input">, "id" | "className" | "children"> {
  /** Drawn inside, before the text. */
  icon?: ReactNode;
}

/** One line of text. */
export function TextField({ label, labelHidden, hint, error, className, icon, ...input }: TextFieldProps) {
  return (
    <Field label={label} labelHidden={labelHidden ?? false} hint={hint} error={error} className={className}>
      {(control) => (
        <div className="relative">
          {icon && (
            <span className="pointer-events-none absolute inset-y-0 left-3 flex items-center text-ink-muted [&_svg]:size-4">
              {icon}
            </span>
          )}
          <input
            type="text"
            {...input}
            {...control}
            className={classNames(controlLook, "h-9 pointer-coarse:h-11", Boolean(icon) && "pl-9")}
          />
        </div>
      )}
    </Field>
  );
}
