import { bench } from "./bench.ts";
import { chat } from "./chat.ts";
import { conversations } from "./conversations.ts";
import { hardware } from "./hardware.ts";
import { library } from "./library.ts";
import { models } from "./models.ts";
import { procedure } from "./procedure.ts";
import { system } from "./system.ts";
import { tools } from "./tools.ts";

/** The contract, implemented. */
export const router = procedure.router({ system, hardware, models, bench, library, conversations, chat, tools });
