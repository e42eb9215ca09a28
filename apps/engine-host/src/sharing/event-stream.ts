/** Until then a stream's first part is waited for, so that an error still gets its own HTTP status, ms. */
const headersAfterMs = 15_000;
/** A sign of life for proxies and clients that give up on silence, ms. */
const heartbeatMs = 10_000;
/** A client that takes nothing for so long is gone, ms. */
const stallLimitMs = 30_000;

export interface EventStreamOptions {
  /** What is sent when nothing else is. */
  heartbeat: string;
  /** The last frames of a stream that breaks. */
  failure(thrown: unknown): string;
  /** Called once: the client left or stalled, or the stream ended. */
  onEnd(how: "complete" | "failed" | "left" | "stalled"): void;
}

/**
 * Answers with server-sent events. The frames are asked for only as fast as the client reads them; when it leaves or
 * stalls, `onEnd` says so and whoever writes the frames must stop.
 * @param frames whole frames, each ending with a blank line
 * @throws whatever comes instead of the first frame
 */
export async function eventStream(
  frames: AsyncGenerator<string, void>,
  { heartbeat, failure, onEnd }: EventStreamOptions,
): Promise<Response> {
  const encoder = new TextEncoder();
  let next = frames.next();
  next.catch(() => undefined);
  await within(next, headersAfterMs);
  let stall: NodeJS.Timeout | undefined;
  let isOver = false;
  const end = (how: Parameters<EventStreamOptions["onEnd"]>[0]) => {
    clearTimeout(stall);
    if (isOver) return;
    isOver = true;
    onEnd(how);
    // Not awaited: it may be waiting for a part itself, which `onEnd` makes end.
    void frames.return().catch(() => undefined);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(stall);
        try {
          const result = await within(next, heartbeatMs);
          if (isOver) return;
          if (result === null) {
            controller.enqueue(encoder.encode(heartbeat));
          } else if (result.done) {
            controller.close();
            return end("complete");
          } else {
            controller.enqueue(encoder.encode(result.value));
            next = frames.next();
            next.catch(() => undefined);
          }
          stall = setTimeout(() => {
            end("stalled");
            controller.error(new Error("The client stopped reading."));
          }, stallLimitMs);
        } catch (thrown) {
          if (isOver) return;
          controller.enqueue(encoder.encode(failure(thrown)));
          controller.close();
          end("failed");
        }
      },
      cancel: () => end("left"),
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      // Proxies of the nginx kind would hold small pieces back.
      "x-accel-buffering": "no",
    },
  });
}

/** What the promise comes to, or null when it takes longer. */
async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A frame with data only. */
export function dataFrame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** A frame that also names its event. */
export function eventFrame(event: string, value: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`;
}

/** What every client skips; for people who watch. */
export function comment(text: string): string {
  return `: ${text}\n\n`;
}
