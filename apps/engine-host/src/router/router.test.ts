import { beforeEach, describe, expect, it, vi } from "vitest";
import { contract, CorralError, type CorralClient } from "@corral/protocol";
import { createRouterClient } from "@orpc/server";
import { createInProcessClient } from "./in-process-client.ts";
import { router } from "./router.ts";
import { fakeServices, type FakeServices } from "./testing/fake-services.ts";

let services: FakeServices;
let client: CorralClient;
const logged = vi.fn();

beforeEach(() => {
  logged.mockReset();
  const base = fakeServices();
  services = { ...base, log: { ...base.log, error: logged } };
  client = createInProcessClient(services);
});

it("implements every procedure of the contract", () => {
  const names = (tree: object) =>
    Object.entries(tree).map(([area, procedures]) => [area, Object.keys(procedures as object).sort()]);
  expect(Object.fromEntries(names(router))).toEqual(Object.fromEntries(names(contract)));
});

describe("errors", () => {
  it("reach the caller as declared, with their data", async () => {
    services.overrides.set("library.page", () => {
      throw new CorralError("DOCUMENT_NOT_FOUND", "There is no such document.", { document: "d" });
    });
    await expect(client.library.page({ documentId: "d", page: 1, highlight: [] })).rejects.toMatchObject({
      code: "DOCUMENT_NOT_FOUND",
      message: "There is no such document.",
      data: { document: "d" },
      defined: true,
    });
    expect(logged).not.toHaveBeenCalled();
  });

  it("that are bugs are logged and masked", async () => {
    services.overrides.set("library.collections", () => {
      throw new TypeError("cannot read /home/anna/secret.pdf");
    });
    const error = await client.library.collections().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INTERNAL", data: {}, defined: true });
    expect(JSON.stringify(error)).not.toContain("anna");
    expect(logged).toHaveBeenCalledWith(
      "procedure failed",
      { procedure: "library.collections" },
      expect.any(TypeError) as TypeError,
    );
  });

  it("of wrong input name the field and reach no service", async () => {
    const wrong = client.library.page({ documentId: "d", page: 0, highlight: [] });
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_INPUT", data: { field: "page" } });
    await expect(client.chat.send({ conversationId: "c", text: "  " })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(client.library.documents({ collectionId: 7 as never })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect((client.chat.stop as (input: unknown) => Promise<void>)(null)).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    expect(services.calls).toEqual([]);
  });

  it("of a service that breaks the contract are bugs, and the values stay out of the log", async () => {
    services.overrides.set("library.collections", () => [{ id: "secret words" }]);
    await expect(client.library.collections()).rejects.toMatchObject({ code: "INTERNAL" });
    expect(logged).toHaveBeenCalledOnce();
    expect(JSON.stringify(logged.mock.calls)).not.toContain("secret words");
  });

  it("in the middle of a stream are mapped the same way", async () => {
    services.overrides.set("chat.follow", async function* () {
      yield { type: "text-delta", text: "a" };
      throw new CorralError("ENGINE_CRASHED", "The model's process ended.", { model: "m" });
    });
    const stream = await client.chat.follow({ messageId: "m" });
    expect(await stream.next()).toEqual({ done: false, value: { type: "text-delta", text: "a" } });
    await expect(stream.next()).rejects.toMatchObject({ code: "ENGINE_CRASHED", data: { model: "m" } });

    services.overrides.set("chat.follow", async function* () {
      yield { type: "text-delta", text: "a" };
      throw new Error("secret");
    });
    const broken = await client.chat.follow({ messageId: "m" });
    await broken.next();
    await expect(broken.next()).rejects.toMatchObject({ code: "INTERNAL" });
    expect(logged).toHaveBeenCalledOnce();
  });

  it("after the caller cancelled are CANCELLED and not logged", async () => {
    const controller = new AbortController();
    services.overrides.set("retrieval.search", () => {
      controller.abort();
      throw new Error("aborted");
    });
    const sources = { collectionIds: [], documentIds: [] };
    const search = client.library.search({ query: "q", sources, limit: 1 }, { signal: controller.signal });
    await expect(search).rejects.toMatchObject({ code: "CANCELLED" });
    expect(logged).not.toHaveBeenCalled();
  });
});

it("refuses a peer that is not the owner", async () => {
  const stranger = createRouterClient(router, { context: { peer: { role: "device" as "owner" }, services } });
  await expect(stranger.library.collections()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(services.calls).toEqual([]);
});

it("leaves settings that were not given as they are", async () => {
  const configure = vi.fn();
  services.overrides.set("chat.configure", configure);
  await client.conversations.configure({ conversationId: "c", settings: { model: null } }).catch(() => undefined);
  expect(configure).toHaveBeenCalledWith("c", { model: null });
});
