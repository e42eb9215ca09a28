// @vitest-environment happy-dom
import type { FitMatrix, FitMatrixRequest, LoadPlan, PlanRequest } from "@corral/protocol";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../../connection/connection.ts";
import { sampleConnection } from "../../gallery/sample-connection.ts";
import { samplePlan } from "../../gallery/sample-models.ts";
import { sampleMatrix } from "../../gallery/sample-planning.ts";
import { loadScreenWords, startLocales } from "../../locales/locales.ts";
import { createStores, StoresProvider } from "../../stores/stores.tsx";
import { PlannerView } from "./planner-view.tsx";

const planFor = vi.fn<(request: PlanRequest) => Promise<LoadPlan>>();
const matrix = vi.fn<(request: FitMatrixRequest) => Promise<FitMatrix>>();
let root: Root;

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await startLocales();
  await loadScreenWords();
});
beforeEach(async () => {
  vi.resetAllMocks();
  planFor.mockImplementation(({ model, pins, contextSize }) =>
    Promise.resolve({
      ...samplePlan,
      model,
      tier: pins?.tier ?? "BF16",
      contextSize: pins?.contextSize ?? contextSize ?? 0,
    }),
  );
  matrix.mockImplementation(() => Promise.resolve(sampleMatrix));
  const sample = sampleConnection(false);
  const models = { ...(sample.client.models as object), planFor, matrix };
  const stores = createStores({
    ...sample,
    client: { ...(sample.client as object), models },
  } as unknown as Connection);
  root = createRoot(document.body.appendChild(document.createElement("div")));
  await act(async () => {
    await stores.hardware.getState().read();
    root.render(
      <StoresProvider stores={stores}>
        <PlannerView />
      </StoresProvider>,
    );
    await settled();
  });
});
afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => requestAnimationFrame(resolve));
}
const named = (role: string, name: string) =>
  [...document.querySelectorAll<HTMLElement>(`[role=${role}]`)].find((element) =>
    document.getElementById(element.getAttribute("aria-labelledby") ?? "")?.textContent?.includes(name),
  )!;
const cells = () => [...document.querySelectorAll<HTMLButtonElement>("[role=gridcell] button")];
const describedBy = (element: Element) => document.getElementById(element.getAttribute("aria-describedby")!)!;
const plan = () => document.querySelector("section[aria-labelledby=plan]")!;
async function press(key: string, times = 1): Promise<void> {
  for (let at = 0; at < times; at++) {
    act(() => {
      document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    });
  }
  await act(settled);
}
async function click(element: HTMLElement): Promise<void> {
  await act(async () => {
    element.click();
    await settled();
  });
}

test("a cell says at a glance how it fits, and its weights beside all it takes", () => {
  expect(cells().map(({ textContent }) => textContent)).toEqual([
    "Does not fit756 GiB weights848 GiB in all",
    "Does not fit402 GiB weights473 GiB in all",
    "Does not fit226 GiB weights290 GiB in all",
    "Partly in RAM131 GiB weights148 GiB in all",
    "Partly in RAM69.8 GiB weights84.1 GiB in all",
    "Fits at 11K39.6 GiB weights43.8 GiB in all",
    "Fits at 128K15 GiB weights36.6 GiB in allRecommended",
    "Fits at 128K8 GiB weights20.1 GiB in all",
    "Fits at 128K4.6 GiB weights16.7 GiB in all",
  ]);
  expect(document.body.textContent).toContain(
    "The often quoted 812 GB of Llama 3.1 405B Instruct in BF16 is its weights only: with a context of 131,072 tokens it takes 911 GB.",
  );
});

test("the numbers of a cell are sentences for screen readers", () => {
  const details = cells().map((cell) => describedBy(cell).textContent);
  expect(details[0]).toBe(
    "Llama 3.1 405B Instruct, BF16 tier, stored as BF16 with a f16 KV cache. 806 GiB are missing at 131,072 tokens. " +
      "Weights only 756 GiB; 848 GiB in all, with KV cache, buffers and reserve.",
  );
  expect(details[3]).toContain("Part of it lies in main memory, which is slower; it holds 32,768 tokens.");
  expect(details[5]).toContain("Holds 11,520 of the wished 131,072 tokens.");
  expect(details[6]).toContain("Fits whole with the wished 131,072 tokens.");
  expect(details[6]).toContain("Estimated at 11–25 tokens per second.");
});

test("the grid is one tab stop at the shown plan; arrows move in it, Enter shows another plan", async () => {
  expect(cells().filter(({ tabIndex }) => tabIndex === 0)).toEqual([cells()[6]]);
  act(() => cells()[6]!.focus());
  await press("ArrowUp");
  await press("End");
  expect(document.activeElement).toBe(cells()[5]);
  await press("ArrowRight");
  expect(document.activeElement).toBe(cells()[5]);
  await click(cells()[5]!);
  expect(cells()[5]!.closest("[role=gridcell]")!.getAttribute("aria-selected")).toBe("true");
  expect(plan().querySelector("h2")!.textContent).toBe("Llama 3.3 70B Instruct · INT4 tier");
});

test("sliders plan anew: the old plan stays until the new one is here, and the last position wins", async () => {
  const held = Promise.withResolvers<FitMatrix>();
  matrix.mockClear();
  matrix.mockImplementationOnce(() => held.promise);
  act(() => named("slider", "Context").focus());
  await press("ArrowLeft");
  await press("ArrowLeft", 3);
  await press("ArrowLeft");
  expect(named("slider", "Context").getAttribute("aria-valuetext")).toBe("24,576 tokens");
  expect(matrix).toHaveBeenCalledTimes(1);
  expect(plan().textContent).toContain("131,072 tokens");
  await act(async () => {
    held.resolve(sampleMatrix);
    await settled();
  });
  expect(matrix.mock.calls.map(([request]) => request.contextSize)).toEqual([98_304, 24_576]);
  expect(plan().querySelector("[role=status]")!.textContent).toBe(
    "Llama 3.1 8B Instruct, BF16 tier: Fits, 24,576 tokens.",
  );
  act(() => named("slider", "People at a time").focus());
  await press("ArrowRight", 2);
  expect(matrix.mock.lastCall![0]).toMatchObject({ contextSize: 24_576, users: 3 });
});

test("the plan is drawn per device with every part in words, and says that its speed is an estimate", () => {
  const bars = [...plan().querySelectorAll("[role=img]")].map((bar) => bar.getAttribute("aria-label"));
  expect(bars).toEqual([
    "NVIDIA RTX 4090 (0): 21.1 GiB needed, 23.1 GiB free, Used by others 922 MiB, Weights 9 GiB, KV cache 9.5 GiB, Compute 1.2 GiB, Overhead 410 MiB, Kept free 1 GiB",
    "NVIDIA RTX 4090 (1): 15.1 GiB needed, 19.1 GiB free, Used by others 4.9 GiB, Weights 6 GiB, KV cache 6.5 GiB, Compute 1.2 GiB, Overhead 410 MiB, Kept free 1 GiB",
  ]);
  expect(plan().textContent).toContain("Estimate");
  expect(plan().textContent).toContain("Writes 18–39 tokens per second");
});

test("an alternative says what it costs; pressing it plans with it, and back", async () => {
  const alternative = [...plan().querySelectorAll<HTMLButtonElement>("button[aria-pressed]")].at(-1)!;
  expect(alternative.textContent).toBe(
    "INT4 · IQ4_XS · q8_0 KV cache · 65,536 tokens" + "Fits: less precise weights, 8-bit KV cache, 65,536 tokens less",
  );
  await click(alternative);
  expect(alternative.getAttribute("aria-pressed")).toBe("true");
  expect(plan().querySelector("h2")!.textContent).toBe("Llama 3.1 8B Instruct · INT4 tier");
  const back = [...plan().querySelectorAll("button")].find(({ textContent }) => /^Back to/.test(textContent))!;
  await click(back);
  expect(plan().querySelector("h2")!.textContent).toBe("Llama 3.1 8B Instruct · BF16 tier");
});
