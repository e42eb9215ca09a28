/** Questions that are answered with a number, a time or a date, in the languages with stemmers. */
const asksForQuantity =
  /(?:^|[\s,¿(])(?:how (?:much|many|long|high|far|often|old|big|large|deep|wide|tall|soon|hot|fast|heavy|late|early)|when|what time|wann|wie (?:viele?|lange|hoch|oft|alt|weit|groß|spät)|combien|quand|à quelle (?:heure|hauteur)|cuánt[oa]s?|cuándo|a qué hora|quant[oiae]|quando|a che ora|quantos|quantas)(?![\p{L}\p{N}])/iu;

/** A number in digits, or as an English word; names of days and months. */
const holdsQuantity =
  /\p{N}|(?<!\p{L})(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|eighteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|half|once|twice|noon|midnight|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|june|july|august|september|october|november|december)(?!\p{L})/iu;

/** Whether a question asks for a quantity and this sentence holds one. */
export function answersQuantity(question: string, sentence: string): boolean {
  return asksForQuantity.test(question) && holdsQuantity.test(sentence);
}
