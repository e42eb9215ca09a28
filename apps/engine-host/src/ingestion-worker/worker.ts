import { readFile } from "node:fs/promises";
import type { FromWorker, ToWorker } from "../ingestion/worker-channel.ts";
import { ParseFailure } from "./parse-failure.ts";
import { renderPdfPage } from "./pdf.ts";
import { pictureToPdf } from "./pictures/read-picture.ts";
import { readDocument } from "./read-document.ts";
import { denyNetwork, watchMemory } from "./seal-process.ts";

/**
 * The ingestion worker: a child process that reads files nobody trusts. It has no network, no secrets and no database;
 * it gets a path and answers with text. The host starts it (ingestion/worker-process.ts) with the memory limit in bytes
 * as its argument, gives it one job at a time, and kills it to cancel a job.
 */
denyNetwork();
watchMemory(Number(process.argv[2]));

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToWorker) => void work(message));
await send({ type: "ready" });

async function work(job: ToWorker): Promise<void> {
  try {
    if (job.type === "render") {
      const file = job.format === "pdf" ? job.path : await pictureToPdf(await readFile(job.path), job.page);
      await send({ type: "rendered", png: await renderPdfPage(file, job.page, job.scale) });
      return;
    }
    // Waiting for each part to be taken keeps the parts that are under way few.
    for await (const part of readDocument(job)) await send(part);
  } catch (error) {
    if (error instanceof ParseFailure) await send({ type: "failed", reason: error.reason });
    else {
      // A bug in a parser, set off by the file: the details go to the host's log, by way of stderr.
      console.error(error);
      await send({ type: "failed", reason: { kind: "unreadable", reason: "its content could not be understood" } });
    }
  }
}

function send(message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) =>
    process.send!(message, undefined, {}, (error) => (error ? reject(error) : resolve())),
  );
}
