import { jsonCharacter } from "./character-set.ts";
import { group, type Grammar } from "./gbnf.ts";
import { PatternProblem, type Pattern } from "./pattern-parser.ts";

/**
 * What a pattern matches, as it stands between the quotation marks of a JSON string.
 * @throws PatternProblem
 */
export function patternGrammar(grammar: Grammar, pattern: Pattern): string {
  switch (pattern.kind) {
    case "characters": {
      const character = jsonCharacter(pattern.set);
      if (character === null) throw new PatternProblem("a character no JSON text holds without a \\u escape");
      return character;
    }
    case "sequence":
      return pattern.items.length === 0
        ? '""'
        : `(${pattern.items.map((item) => patternGrammar(grammar, item)).join(" ")})`;
    case "choice":
      return group(pattern.items.map((item) => patternGrammar(grammar, item)));
    case "repeat": {
      const item = grammar.rule("part", patternGrammar(grammar, pattern.item));
      return grammar.repeat(item, pattern.least, pattern.most);
    }
  }
}
