import type { DatabaseSync } from "node:sqlite";
import type { TableRow } from "@corral/protocol";
import { row } from "./database.ts";
import type { PageContent, PageTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";

/** The text of each page (PDF) or section (other formats), with its lines' boxes. */
export function pageTable(database: DatabaseSync): Synchronous<PageTable> {
  const get = database.prepare(
    `SELECT page, text, width, height, lines, label, table_rows AS tableRows FROM pages
     WHERE document_key = (SELECT key FROM documents WHERE id = ?) AND page = ?`,
  );
  return {
    get(documentId, page) {
      const found = row<PageRow>(get, documentId, page);
      return found ? pageContent(found) : null;
    },
  };
}

export function pageContent(found: PageRow): PageContent {
  const tableRows = found.tableRows === null ? [] : unpackRows(found.tableRows);
  return { ...found, lines: JSON.parse(found.lines) as PageContent["lines"], tableRows };
}

export interface PageRow extends Omit<PageContent, "lines" | "label" | "tableRows"> {
  lines: string;
  label: string | null;
  tableRows: string | null;
}

/** Table rows as they are stored: a list of numbers each (row or 0, then column, start, end of each cell), as sheets have many. */
export function packRows(rows: readonly TableRow[] | undefined): string | null {
  if (!rows || rows.length === 0) return null;
  return JSON.stringify(
    rows.map(({ row, cells }) => [row ?? 0, ...cells.flatMap(({ column, start, end }) => [column, start, end])]),
  );
}

function unpackRows(packed: string): TableRow[] {
  return (JSON.parse(packed) as number[][]).map(([row, ...numbers]) => {
    const cells: TableRow["cells"] = [];
    for (let i = 0; i < numbers.length; i += 3) {
      cells.push({ column: numbers[i]!, start: numbers[i + 1]!, end: numbers[i + 2]! });
    }
    return { row: row || null, cells };
  });
}
