import { expect, test } from "vitest";
import { freeCollectionName } from "./collection-name.ts";

test("a file gives its name without the ending", () => {
  expect(freeCollectionName("Annual report 2025.pdf", [])).toBe("Annual report 2025");
  expect(freeCollectionName("Version 2.1 of the plan", [])).toBe("Version 2.1 of the plan");
});

test("a name that is taken is numbered; case makes no difference", () => {
  expect(freeCollectionName("lease.pdf", ["Lease", "lease 2"])).toBe("lease 3");
});

test("never longer than a collection's name may be, and never empty", () => {
  expect(freeCollectionName("x".repeat(400), []).length).toBeLessThanOrEqual(200);
  expect(freeCollectionName(".pdf", [])).toBe(".pdf");
});
