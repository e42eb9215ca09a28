/** Text whose word frequencies are those of real text, made from a seed: Zipf-Mandelbrot over a large vocabulary. */

const vocabularySize = 800_000;
/** Exponent and shift of the Zipf-Mandelbrot law fitted to English text. */
const exponent = 1.05;
const shift = 2.7;
/** Topics, and the rare words each of them has to itself. */
const topicCount = 2000;
const wordsPerTopic = 400;
/** Share of a chunk's words that belong to its topic. */
const topicShare = 0.45;

const syllables =
  "ba be bi bo da de di do fa fe ga go ka ke ki ko la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se ta te ti to va ve vi".split(
    " ",
  );

/** The same word for the same rank, always; short for frequent words. */
export function wordOf(rank: number): string {
  let word = "";
  for (let rest = rank + 1; rest > 0; rest = Math.floor(rest / syllables.length))
    word += syllables[rest % syllables.length]!;
  // An ending the stemmer leaves alone, so that two ranks never become one term.
  return `${word}x`;
}

export class SyntheticText {
  readonly #random: () => number;
  readonly #cumulative = new Float64Array(vocabularySize);

  constructor(seed: number) {
    let state = seed;
    this.#random = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) / 4_294_967_296;
    };
    let sum = 0;
    for (let rank = 0; rank < vocabularySize; rank++)
      this.#cumulative[rank] = sum += 1 / (rank + 1 + shift) ** exponent;
  }

  whole(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** A rank drawn by its frequency. */
  rank(): number {
    const target = this.#random() * this.#cumulative[vocabularySize - 1]!;
    let low = 0;
    let high = vocabularySize - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#cumulative[middle]! < target) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  topic(): number {
    return this.whole(topicCount);
  }

  /** A word of the topic; low numbers are more frequent. */
  topicWord(topic: number): string {
    const place = Math.floor(wordsPerTopic * this.#random() ** 2);
    return wordOf(1000 + ((topic * 7919 + place * 104_729) % (vocabularySize - 1000)));
  }

  /** The words of a chunk, 120 to 240 of them. */
  chunk(topic: number): string[] {
    return Array.from({ length: 120 + this.whole(121) }, () =>
      this.#random() < topicShare ? this.topicWord(topic) : wordOf(this.rank()),
    );
  }

  /** A question: `rare` words of a topic among `common` everyday ones. */
  question(rare: number, common: number): string[] {
    const topic = this.topic();
    return [
      ...Array.from({ length: common }, () => wordOf(this.whole(200))),
      ...Array.from({ length: rare }, () => this.topicWord(topic)),
    ];
  }
}
