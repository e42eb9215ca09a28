import { run } from "./run.ts";

/** The program: what `bin/corral.mjs` and the packed app start. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of a pipe (`corral docs list | head`) has seen enough.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await run(process.argv.slice(2));
