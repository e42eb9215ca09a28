// @vitest-environment happy-dom
import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test } from "vitest";
import { sampleConnection } from "../../gallery/sample-connection.ts";
import { loadScreenWords, startLocales } from "../../locales/locales.ts";
import { createStores, StoresProvider } from "../../stores/stores.tsx";
import { HardwareCard } from "./hardware-card.tsx";

test("each card: who uses its memory, its links and driver, and how hard it works right now", async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await startLocales();
  await loadScreenWords();
  const stores = createStores(sampleConnection(false));
  const root = createRoot(document.body.appendChild(document.createElement("div")));
  await act(async () => {
    root.render(
      <StoresProvider stores={stores}>
        <HardwareCard />
      </StoresProvider>,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  const bars = [...document.querySelectorAll("[role=img]")].map((bar) => bar.getAttribute("aria-label"));
  expect(bars).toEqual([
    "0 · NVIDIA GeForce RTX 3090: 0 B used by Corral, 922 MiB used by others, 23.1 GiB free",
    "1 · NVIDIA GeForce RTX 3090: 4 GiB used by Corral, 922 MiB used by others, 19.1 GiB free",
    "Memory: 77 GiB used, 179 GiB free",
  ]);
  const said = document.body.textContent;
  expect(said).toContain("37% busy · 63 °C · 231 of 350 W");
  expect(said).toContain("PCIe 4.0 ×16 · NVLink to card 0 · compute capability 8.6 · driver 560.35");
  expect(said).toContain("32 cores, 64 threads · 12% busy");
  expect(said).toContain("CUDA 12.6");
  expect(said).toContain("nvidia-smi was believed.");
  act(() => root.unmount());
});
