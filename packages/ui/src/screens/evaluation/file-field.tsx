import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { Field } from "../../components/field.tsx";

interface FileFieldProps {
  label: string;
  hint: string;
  /** Endings the dialog offers. */
  accept: string;
  file: File | null;
  onFile: (file: File | null) => void;
}

/** One file of this machine, read by the page itself. */
export function FileField({ label, hint, accept, file, onFile }: FileFieldProps) {
  const { t, i18n } = useTranslation("evaluation");
  return (
    <Field label={label} hint={hint}>
      {(control) => (
        <div>
          <input
            {...control}
            type="file"
            accept={accept}
            onChange={(event) => onFile(event.target.files?.[0] ?? null)}
            className="w-full rounded-md border border-line-strong bg-surface text-sm text-ink-muted file:mr-3 file:h-9 file:border-0 file:bg-hover file:px-3 file:font-medium file:text-ink"
          />
          <p className="mt-1 truncate text-sm font-medium" role="status">
            {file && t("chosen", { name: file.name, size: byteSize(file.size, i18n.language) })}
          </p>
        </div>
      )}
    </Field>
  );
}
