import { createContext, use, type ReactNode } from "react";
import { useStore, type StoreApi } from "zustand";
import type { Connection } from "../connection/connection.ts";
import { createActivityStore, type ActivityState } from "./activity-store.ts";
import { createBenchStore, type BenchState } from "./bench-store.ts";
import { createChatStore, type ChatState } from "./chat-store.ts";
import { createConnectionStore, type ConnectionStoreState } from "./connection-store.ts";
import { createConversationsStore, type ConversationsState } from "./conversations-store.ts";
import { createEmbeddingStore, type EmbeddingStoreState } from "./embedding-store.ts";
import { createEvaluationStore, type EvaluationState } from "./evaluation-store.ts";
import { createHardwareStore, type HardwareState } from "./hardware-store.ts";
import { createLibraryStore, type LibraryState } from "./library-store.ts";
import { createModelsStore, type ModelsState } from "./models-store.ts";
import { createNavigationStore, type NavigationState } from "./navigation-store.ts";
import { createPlanningStore, type PlanningState } from "./planning-store.ts";
import { createPreferencesStore, type PreferencesState } from "./preferences-store.ts";
import { createServingStore, type ServingState } from "./serving-store.ts";
import { createSourceStore, type SourceState } from "./source-store.ts";
import { createToolsStore, type ToolsState } from "./tools-store.ts";
import { createTransferStore, type TransferState } from "./transfer-store.ts";

/** All stores of one page. They know the connection but never each other; screens bring them together. */
export interface Stores {
  readonly connection: StoreApi<ConnectionStoreState>;
  readonly navigation: StoreApi<NavigationState>;
  readonly preferences: StoreApi<PreferencesState>;
  readonly conversations: StoreApi<ConversationsState>;
  readonly chat: StoreApi<ChatState>;
  readonly library: StoreApi<LibraryState>;
  readonly models: StoreApi<ModelsState>;
  readonly hardware: StoreApi<HardwareState>;
  readonly planning: StoreApi<PlanningState>;
  readonly source: StoreApi<SourceState>;
  readonly tools: StoreApi<ToolsState>;
  readonly embedding: StoreApi<EmbeddingStoreState>;
  readonly evaluation: StoreApi<EvaluationState>;
  readonly transfer: StoreApi<TransferState>;
  readonly serving: StoreApi<ServingState>;
  readonly activity: StoreApi<ActivityState>;
  readonly bench: StoreApi<BenchState>;
}

export function createStores(connection: Connection): Stores {
  return {
    connection: createConnectionStore(connection),
    navigation: createNavigationStore(),
    preferences: createPreferencesStore(),
    conversations: createConversationsStore(connection),
    chat: createChatStore(connection),
    library: createLibraryStore(connection),
    models: createModelsStore(connection),
    hardware: createHardwareStore(connection),
    planning: createPlanningStore(connection),
    source: createSourceStore(connection),
    tools: createToolsStore(connection),
    embedding: createEmbeddingStore(connection),
    evaluation: createEvaluationStore(connection),
    transfer: createTransferStore(connection),
    serving: createServingStore(connection),
    activity: createActivityStore(connection),
    bench: createBenchStore(connection),
  };
}

const StoresContext = createContext<Stores | null>(null);

export function StoresProvider({ stores, children }: { stores: Stores; children: ReactNode }) {
  return <StoresContext value={stores}>{children}</StoresContext>;
}

/** The stores themselves, for code that acts without showing anything. */
export function useStores(): Stores {
  const stores = use(StoresContext);
  if (!stores) throw new Error("useStores outside of StoresProvider");
  return stores;
}

// One hook per store. The selector picks what the component shows; it must return the same value for the same state
// (no new arrays or objects made inside; use useShallow from zustand for that).
export const useConnection = <T,>(select: (state: ConnectionStoreState) => T) =>
  useStore(useStores().connection, select);
export const useNavigation = <T,>(select: (state: NavigationState) => T) => useStore(useStores().navigation, select);
export const usePreferences = <T,>(select: (state: PreferencesState) => T) => useStore(useStores().preferences, select);
export const useConversations = <T,>(select: (state: ConversationsState) => T) =>
  useStore(useStores().conversations, select);
export const useChat = <T,>(select: (state: ChatState) => T) => useStore(useStores().chat, select);
export const useLibrary = <T,>(select: (state: LibraryState) => T) => useStore(useStores().library, select);
export const useModels = <T,>(select: (state: ModelsState) => T) => useStore(useStores().models, select);
export const useHardware = <T,>(select: (state: HardwareState) => T) => useStore(useStores().hardware, select);
export const usePlanning = <T,>(select: (state: PlanningState) => T) => useStore(useStores().planning, select);
export const useSource = <T,>(select: (state: SourceState) => T) => useStore(useStores().source, select);
export const useTools = <T,>(select: (state: ToolsState) => T) => useStore(useStores().tools, select);
export const useEmbedding = <T,>(select: (state: EmbeddingStoreState) => T) => useStore(useStores().embedding, select);
export const useEvaluation = <T,>(select: (state: EvaluationState) => T) => useStore(useStores().evaluation, select);
export const useTransfer = <T,>(select: (state: TransferState) => T) => useStore(useStores().transfer, select);
export const useServing = <T,>(select: (state: ServingState) => T) => useStore(useStores().serving, select);
export const useActivity = <T,>(select: (state: ActivityState) => T) => useStore(useStores().activity, select);
export const useBench = <T,>(select: (state: BenchState) => T) => useStore(useStores().bench, select);
