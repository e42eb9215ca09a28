import type { Migration } from "../migrate.ts";

/** What a reply did with tools, the summary it was written with, and the settings of a conversation for both. */
export const toolSteps: Migration = {
  version: 5,
  name: "tool-steps",
  up(database) {
    database.exec(`
      ALTER TABLE messages ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';
      ALTER TABLE messages ADD COLUMN summary TEXT;
      UPDATE messages SET retrieval = json_insert(
        retrieval, '$.summarisedTurns', 0, '$.omittedResults', 0, '$.omittedTokens', 0
      ) WHERE retrieval IS NOT NULL;
      UPDATE conversations SET settings = json_insert(
        settings, '$.tools', json('{"enabled":[],"allowed":[]}'), '$.overflow', 'drop-oldest'
      );
    `);
  },
};
