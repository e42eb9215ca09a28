import type { PageView, TableRow, TextSpan } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { MarkedText } from "./marked-text.tsx";

/** A wider table would be all blank; what lies beyond is still in the text of its row. */
const mostColumns = 100;

export interface SectionTextProps {
  page: PageView;
  spans: readonly TextSpan[];
}

/** The text of a page with its tables as tables; what is cited is marked, in a table the cells. */
export function SectionText({ page, spans }: SectionTextProps) {
  const { text, tableRows } = page;
  const parts: { from: number; to: number; rows: TableRow[] }[] = [];
  let done = 0;
  for (const table of tablesOf(text, tableRows)) {
    if (table.from > done) parts.push({ from: done, to: table.from, rows: [] });
    parts.push(table);
    done = table.to;
  }
  if (done < text.length || parts.length === 0) parts.push({ from: done, to: text.length, rows: [] });
  return (
    <>
      {parts.map((part) =>
        part.rows.length > 0 ? (
          <Table key={part.from} rows={part.rows} page={page} spans={spans} />
        ) : (
          <span key={part.from}>
            <MarkedText
              text={text.slice(part.from, part.to)}
              page={page.page}
              spans={spans.map((span) => ({ ...span, start: span.start - part.from, end: span.end - part.from }))}
            />
          </span>
        ),
      )}
    </>
  );
}

function Table({ rows, page, spans }: { rows: readonly TableRow[]; page: PageView; spans: readonly TextSpan[] }) {
  const { t } = useTranslation("source");
  const columns = columnsOf(rows);
  // A sheet has addresses; a table in a text has none.
  const isSheet = rows.some(({ row }) => row !== null);
  const isMarked = (start: number, end: number) =>
    spans.some((span) => span.page === page.page && span.start < end && span.end > start);
  return (
    <div role="region" tabIndex={0} aria-label={t("table")} className="my-2 overflow-x-auto first:mt-0">
      <table className="w-max min-w-full border-collapse text-sm whitespace-normal tabular-nums">
        {isSheet && (
          <thead>
            <tr>
              <th scope="col" className="border border-line bg-sunken px-1.5">
                <span className="sr-only">{t("row")}</span>
              </th>
              {columns.map((column) => (
                <th key={column} scope="col" className="border border-line bg-sunken px-2 font-normal text-ink-muted">
                  {columnName(column)}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {isSheet && (
                <th scope="row" className="border border-line bg-sunken px-1.5 text-right font-normal text-ink-muted">
                  {row.row}
                </th>
              )}
              {columns.map((column) => {
                const cell = row.cells.find((one) => one.column === column);
                const content = cell && page.text.slice(cell.start, cell.end);
                return (
                  <td key={column} dir="auto" className="max-w-80 border border-line px-2 py-0.5 align-top">
                    {cell && isMarked(cell.start, cell.end) ? <mark>{content}</mark> : content}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Rows that follow each other line by line are a table. */
function tablesOf(text: string, rows: readonly TableRow[]): { from: number; to: number; rows: TableRow[] }[] {
  const tables: { from: number; to: number; rows: TableRow[] }[] = [];
  for (const row of rows) {
    const [first, last] = [row.cells[0], row.cells.at(-1)];
    if (!first || !last || last.end > text.length) continue;
    const from = text.lastIndexOf("\n", first.start - 1) + 1;
    const lineEnd = text.indexOf("\n", last.end);
    const to = lineEnd < 0 ? text.length : lineEnd + 1;
    const table = tables.at(-1);
    if (table && table.to === from) {
      table.rows.push(row);
      table.to = to;
    } else tables.push({ from, to, rows: [row] });
  }
  return tables;
}

/** All columns from the first to the last that holds something; only those that do when that are too many. */
function columnsOf(rows: readonly TableRow[]): number[] {
  const used = [...new Set(rows.flatMap(({ cells }) => cells.map(({ column }) => column)))].sort((a, b) => a - b);
  const [first = 0, last = -1] = [used[0], used.at(-1)];
  if (last - first >= mostColumns) return used.slice(0, mostColumns);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** "A" for 0, "AA" for 26. */
function columnName(column: number): string {
  let name = "";
  for (let n = column + 1; n > 0; n = Math.floor((n - 1) / 26)) name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  return name;
}
