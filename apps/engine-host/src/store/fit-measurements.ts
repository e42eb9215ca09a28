import type { DatabaseSync } from "node:sqlite";
import { rows } from "./database.ts";
import type { FitMeasurement, FitMeasurementTable, FitParts } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";

type Row = Omit<FitMeasurement, "predicted" | "measured"> & Record<`${"predicted" | "measured"}_${string}`, number>;

/** What loads took of each device, beside what was predicted. */
export function fitMeasurementTable(database: DatabaseSync): Synchronous<FitMeasurementTable> {
  const list = database.prepare(
    `SELECT model, quantization, backend, device_kind AS deviceKind, context_size AS contextSize,
       kv_cache_type AS kvCacheType, predicted_weights, predicted_kv_cache, predicted_compute, predicted_overhead,
       measured_weights, measured_kv_cache, measured_compute, measured_overhead, measured_at AS measuredAt
     FROM fit_measurements WHERE model = ? AND quantization = ? ORDER BY measured_at DESC, key DESC`,
  );
  const add = database.prepare(`INSERT OR REPLACE INTO fit_measurements (
      model, quantization, backend, device_kind, context_size, kv_cache_type,
      predicted_weights, predicted_kv_cache, predicted_compute, predicted_overhead,
      measured_weights, measured_kv_cache, measured_compute, measured_overhead, measured_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return {
    list: (model, quantization) =>
      rows<Row>(list, model, quantization).map((row) => ({
        model: row.model,
        quantization: row.quantization,
        backend: row.backend,
        deviceKind: row.deviceKind,
        contextSize: row.contextSize,
        kvCacheType: row.kvCacheType,
        predicted: partsOf(row, "predicted"),
        measured: partsOf(row, "measured"),
        measuredAt: row.measuredAt,
      })),
    add: ({ model, quantization, backend, deviceKind, contextSize, kvCacheType, predicted, measured }) => {
      const key = [model, quantization, backend, deviceKind, contextSize, kvCacheType];
      add.run(...key, ...valuesOf(predicted), ...valuesOf(measured), new Date().toISOString());
    },
  };
}

function partsOf(row: Row, side: "predicted" | "measured"): FitParts {
  return {
    weightsBytes: row[`${side}_weights`] ?? 0,
    kvCacheBytes: row[`${side}_kv_cache`] ?? 0,
    computeBytes: row[`${side}_compute`] ?? 0,
    overheadBytes: row[`${side}_overhead`] ?? null,
  };
}

function valuesOf({ weightsBytes, kvCacheBytes, computeBytes, overheadBytes }: FitParts): (number | null)[] {
  const whole = (bytes: number) => Math.round(bytes);
  const overhead = overheadBytes === null ? null : whole(overheadBytes);
  return [whole(weightsBytes), whole(kvCacheBytes), whole(computeBytes), overhead];
}
