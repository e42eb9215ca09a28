import { type ContractRouterClient, eventIterator, oc } from "@orpc/contract";
import { z } from "zod";
import { benchEvent, benchReport } from "./bench.ts";
import {
  contextMeasure,
  conversation,
  conversationEvent,
  conversationSettings,
  conversationSummary,
  generationPart,
  message,
} from "./chat.ts";
import {
  addResult,
  collection,
  collectionStorage,
  documentSummary,
  followedFolder,
  libraryEvent,
  ocrData,
  pageView,
  searchResult,
  sources,
  textSpan,
  transferEvent,
} from "./documents.ts";
import { errorData, type ErrorCode } from "./errors.ts";
import { evaluationEvent, evaluationRequest } from "./evaluation.ts";
import { hardwareSample, hardwareSnapshot } from "./hardware.ts";
import { fitMatrix, fitMatrixRequest, loadPlan, modelSummary, planRequest } from "./models.ts";
import { embeddingState } from "./search.ts";
import { modelsActivity, servingChanges, servingSettings } from "./serving.ts";
import { doctorCheck, hostDescription, programAccess } from "./system.ts";
import { toolDecision, toolDescription, toolServer, toolServerName, toolServerSettings } from "./tools.ts";

type ErrorMap = { [Code in ErrorCode]: { data: (typeof errorData)[Code] } };
const errors = Object.fromEntries(Object.entries(errorData).map(([code, data]) => [code, { data }])) as ErrorMap;

/** Every procedure may answer with any declared error. */
const procedure = oc.errors(errors);

const id = z.string().min(1).max(64);
const name = z.string().trim().min(1).max(200);

/** The contract tree: what the page, the desktop shell and the command line can ask of engine-host. */
export const contract = {
  system: {
    /** Called first on every connection. VERSION_MISMATCH when the page must be reloaded. */
    handshake: procedure
      .input(z.object({ protocolVersion: z.number().int(), client: z.string().max(100) }))
      .output(hostDescription),
    doctor: procedure.output(z.array(doctorCheck)),
    /** What other programs on this machine need to use this host. Owner only. */
    access: procedure.output(programAccess),
  },
  hardware: {
    snapshot: procedure.output(hardwareSnapshot),
    /** What changes from second to second, once a second. Read only while somebody watches. */
    watch: procedure.output(eventIterator(hardwareSample)),
  },
  models: {
    list: procedure.output(z.array(modelSummary)),
    /** The list now, and again after each change. */
    watch: procedure.output(eventIterator(z.array(modelSummary))),
    /** Registers a GGUF file on the host's disk, in place. Refuses damaged files. */
    add: procedure
      .input(
        z.object({
          path: z.string().min(1).max(4096),
          /** It is only named for one use, and does not become the default model by that. */
          inPassing: z.boolean().optional(),
        }),
      )
      .output(modelSummary),
    /** Forgets the model; its file stays. */
    remove: procedure.input(z.object({ model: id })).output(z.void()),
    plan: procedure.input(z.object({ model: id })).output(loadPlan),
    /** How a model would be loaded under other wishes or on other hardware. Loads nothing. */
    planFor: procedure.input(planRequest).output(loadPlan),
    /** Which models of the catalog fit here in which tier, and which to take. */
    matrix: procedure.input(fitMatrixRequest).output(fitMatrix),
    load: procedure.input(z.object({ model: id })).output(modelSummary),
    unload: procedure.input(z.object({ model: id })).output(modelSummary),
    /** What runs, waits and is kept in memory: now, and again after changes. */
    activity: procedure.output(eventIterator(modelsActivity)),
    settings: procedure.output(servingSettings),
    /** Changes the given settings only. */
    configure: procedure.input(servingChanges).output(servingSettings),
  },
  bench: {
    /** What was measured on this machine, newest first. */
    reports: procedure.output(z.array(benchReport)),
    /** Measures a model; null = the default one. Ends with the report. */
    run: procedure.input(z.object({ model: id.nullable() })).output(eventIterator(benchEvent)),
  },
  library: {
    watch: procedure.output(eventIterator(libraryEvent)),
    collections: procedure.output(z.array(collection)),
    createCollection: procedure.input(z.object({ name })).output(collection),
    renameCollection: procedure.input(z.object({ collectionId: id, name })).output(collection),
    /** Removes the collection with its documents, chunks and index. Files read in place stay. */
    removeCollection: procedure.input(z.object({ collectionId: id })).output(z.void()),
    documents: procedure.input(z.object({ collectionId: id.optional() })).output(z.array(documentSummary)),
    /** Adds files or folders that lie on the host's disk, read in place. Owner only. */
    addPaths: procedure
      .input(z.object({ collectionId: id, paths: z.array(z.string().min(1).max(4096)).min(1).max(1000) }))
      .output(z.array(addResult)),
    folders: procedure.output(z.array(followedFolder)),
    /** Follows a folder on the host's disk: its files are documents from now on, as they come, change and go. Owner only. */
    watchFolder: procedure
      .input(z.object({ collectionId: id, path: z.string().min(1).max(4096) }))
      .output(followedFolder),
    /** Stops following. Its documents stay, unless they are to go too. */
    unwatchFolder: procedure
      .input(z.object({ folderId: id, removeDocuments: z.boolean().optional() }))
      .output(z.void()),
    /** The language data of text recognition (OCR) that is installed. */
    recognition: procedure.output(ocrData),
    storage: procedure.input(z.object({ collectionId: id })).output(collectionStorage),
    /** Writes a collection to one file on the host's disk. Owner only. */
    exportCollection: procedure
      .input(
        z.object({
          collectionId: id,
          path: z.string().min(1).max(4096),
          /** The original files too. */
          originals: z.boolean().default(true),
          /** What embedding models made of its passages. */
          vectors: z.boolean().default(true),
        }),
      )
      .output(eventIterator(transferEvent)),
    /** Makes a collection of such a file. Owner only. */
    importCollection: procedure
      .input(z.object({ path: z.string().min(1).max(4096), name: name.optional() }))
      .output(eventIterator(transferEvent)),
    cancel: procedure.input(z.object({ documentId: id })).output(documentSummary),
    retry: procedure.input(z.object({ documentId: id })).output(documentSummary),
    removeDocument: procedure.input(z.object({ documentId: id })).output(z.void()),
    page: procedure
      .input(z.object({ documentId: id, page: z.number().int().min(1), highlight: z.array(textSpan).max(200) }))
      .output(pageView),
    /** A page of a PDF or an image drawn as PNG. `scale` 1 = 72 dpi. */
    pageImage: procedure
      .input(z.object({ documentId: id, page: z.number().int().min(1), scale: z.number().min(0.5).max(4) }))
      .output(z.instanceof(Blob)),
    search: procedure
      .input(
        z.object({
          query: z.string().min(1).max(10_000),
          sources,
          limit: z.number().int().min(1).max(1000),
          /** False: the query is words only, whatever quotes, "-" and "file:" it holds. */
          syntax: z.boolean().default(true),
        }),
      )
      .output(searchResult.extend({ tookMs: z.number() })),
    /** Asks questions with known answers and compares what is found with what people judged relevant. */
    evaluate: procedure.input(evaluationRequest).output(eventIterator(evaluationEvent)),
    /** How far embedding the passages is: now, and again after changes. */
    embedding: procedure.output(eventIterator(embeddingState)),
    pauseEmbedding: procedure.input(z.object({ paused: z.boolean() })).output(embeddingState),
  },
  conversations: {
    watch: procedure.output(eventIterator(conversationEvent)),
    list: procedure.input(z.object({ search: z.string().max(1000) })).output(z.array(conversationSummary)),
    create: procedure.input(z.object({ settings: conversationSettings.partial() })).output(conversation),
    get: procedure.input(z.object({ conversationId: id })).output(conversation),
    rename: procedure.input(z.object({ conversationId: id, title: name })).output(conversationSummary),
    remove: procedure.input(z.object({ conversationId: id })).output(z.void()),
    configure: procedure
      .input(z.object({ conversationId: id, settings: conversationSettings.partial() }))
      .output(conversation),
    /** Makes the branch through this message the active one. */
    selectVersion: procedure.input(z.object({ messageId: id })).output(conversation),
  },
  chat: {
    /**
     * Stores the question and starts the reply; `follow` streams it.
     * With `editedMessageId` the question becomes a new version of that one.
     */
    send: procedure
      .input(
        z.object({ conversationId: id, text: z.string().trim().min(1).max(2_000_000), editedMessageId: id.optional() }),
      )
      .output(z.object({ question: message, reply: message })),
    /** Starts another version of a reply. */
    regenerate: procedure.input(z.object({ messageId: id })).output(z.object({ reply: message })),
    /** Streams a reply: what there is of it at once, then the rest. Ends with `finish`. */
    follow: procedure.input(z.object({ messageId: id })).output(eventIterator(generationPart)),
    /** Stops decoding; the text so far stays. */
    stop: procedure.input(z.object({ messageId: id })).output(z.void()),
    /** Answers a call that waits for approval. TOOL_CALL_NOT_FOUND when it no longer does. */
    decide: procedure
      .input(z.object({ messageId: id, callId: z.string().min(1).max(200), decision: toolDecision }))
      .output(z.void()),
    measure: procedure.input(z.object({ conversationId: id, draft: z.string().max(2_000_000) })).output(contextMeasure),
  },
  tools: {
    /** What can be switched on for a conversation: Corral's own tools and those of the MCP servers that are ready. */
    list: procedure.output(z.array(toolDescription)),
    servers: procedure.output(z.array(toolServer)),
    /** The servers now, and again after each change. */
    watchServers: procedure.output(eventIterator(z.array(toolServer))),
    /** Owner only, as is every change below: a server is a program that runs with the owner's rights. */
    addServer: procedure.input(toolServerSettings).output(toolServer),
    changeServer: procedure
      .input(z.object({ server: toolServerName, settings: toolServerSettings }))
      .output(toolServer),
    removeServer: procedure.input(z.object({ server: toolServerName })).output(z.void()),
    restartServer: procedure.input(z.object({ server: toolServerName })).output(toolServer),
  },
};
export type Contract = typeof contract;

/** The contract as a caller sees it: one async function per procedure. */
export type CorralClient = ContractRouterClient<Contract>;
