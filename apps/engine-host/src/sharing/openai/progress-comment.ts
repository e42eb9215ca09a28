import { comment } from "../event-stream.ts";
import type { OrderPart } from "../generation.ts";

/** What happens before the first token, as a comment of the stream; null for every other part. */
export function progressComment(part: OrderPart): string | null {
  if (part.type === "waiting") {
    return comment(`queued place=${part.place}${part.estimateMs === null ? "" : ` estimate_ms=${part.estimateMs}`}`);
  }
  return part.type === "prefill" ? comment(`prefill done=${part.done} total=${part.total}`) : null;
}
