declare module "snowball-stemmers" {
  /** @param language English name of the language, such as "english" */
  export function newStemmer(language: string): { stem(word: string): string };
  export function algorithms(): string[];
}
