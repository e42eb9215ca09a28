import type { Migration } from "../migrate.ts";

/** What loads were predicted to take of each device, and what they took (design.md §6, promise 1). Sizes in bytes. */
export const fitMeasurements: Migration = {
  version: 2,
  name: "fit-measurements",
  up(database) {
    database.exec(`
      CREATE TABLE fit_measurements (
        key INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        quantization TEXT NOT NULL,
        backend TEXT NOT NULL,
        device_kind TEXT NOT NULL,
        context_size INTEGER NOT NULL,
        kv_cache_type TEXT NOT NULL,
        predicted_weights INTEGER NOT NULL,
        predicted_kv_cache INTEGER NOT NULL,
        predicted_compute INTEGER NOT NULL,
        predicted_overhead INTEGER,
        measured_weights INTEGER NOT NULL,
        measured_kv_cache INTEGER NOT NULL,
        measured_compute INTEGER NOT NULL,
        measured_overhead INTEGER,
        measured_at TEXT NOT NULL,
        UNIQUE (model, quantization, backend, device_kind, context_size, kv_cache_type)
      ) STRICT;
    `);
  },
};
