/** The words of screens that the first one does not need: a chunk of its own, loaded with the first of them. */
export const screenWords = import.meta.glob<Record<string, unknown>>(
  "./en/{about,models,planning,hardware,folders,finding,evaluation,transfer,settings,activity,bench}.json",
  { eager: true, import: "default" },
);
