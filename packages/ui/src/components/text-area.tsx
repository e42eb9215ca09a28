import { useLayoutEffect, useRef, type ComponentProps } from "react";
import { classNames } from "./class-names.ts";
import { controlLook, Field, type FieldProps } from "./field.tsx";

export interface TextAreaProps
  extends Omit<FieldProps, "children">, Omit<ComponentProps<"textarea">, "id" | "className" | "children"> {
  /** Rows it starts with. */
  rows?: number;
  /** Rows it grows to before it scrolls. */
  maxRows?: number;
}

/** Several lines of text; grows with what is written. */
export function TextArea({
  label,
  labelHidden,
  hint,
  error,
  className,
  rows = 3,
  maxRows = 12,
  ...area
}: TextAreaProps) {
  const ref = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const frame = element.offsetHeight - element.clientHeight + Number.parseFloat(style.paddingBlock || "0") * 2;
    const limit = Number.parseFloat(style.lineHeight || "24") * maxRows + frame;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + element.offsetHeight - element.clientHeight, limit)}px`;
  }, [area.value, maxRows]);
  return (
    <Field label={label} labelHidden={labelHidden ?? false} hint={hint} error={error} className={className}>
      {(control) => (
        <textarea
          {...area}
          {...control}
          ref={ref}
          rows={rows}
          className={classNames(controlLook, "block resize-none py-2 leading-6")}
        />
      )}
    </Field>
  );
}
