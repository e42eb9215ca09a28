import { describe, expect, it } from "vitest";
import { guessLegacyEncoding } from "./legacy-encoding.ts";
import { decodeText } from "./text-encoding.ts";

/** Writes a text in an encoding of old, by looking up what each of its bytes, and pairs of them, mean. */
function encode(text: string, encoding: string): Buffer {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const table = new Map<string, number[]>();
  const learn = (bytes: number[]) => {
    try {
      const character = decoder.decode(Uint8Array.from(bytes));
      if ([...character].length === 1 && !table.has(character)) table.set(character, bytes);
    } catch {
      // Not a character.
    }
  };
  for (let byte = 0; byte < 256; byte++) learn([byte]);
  if (!/windows|koi8|iso/.test(encoding)) {
    for (let first = 0x81; first < 0xff; first++)
      for (let second = 0x40; second < 0xff; second++) learn([first, second]);
  }
  return Buffer.from([...text].flatMap((character) => table.get(character) ?? [0x3f]));
}

const texts: [encoding: string, language: string, text: string][] = [
  ["windows-874", "Thai", "ประภาคารตั้งอยู่บนเนินเขาเหนือหมู่บ้านชาวประมง และผู้ดูแลจะจุดตะเกียงทุกคืนเมื่อพระอาทิตย์ตกดิน"],
  [
    "windows-1251",
    "Russian",
    "Смотритель маяка зажигает лампу в сумерках и каждые четыре часа заводит часовой механизм.",
  ],
  ["koi8-r", "Russian", "Смотритель маяка зажигает лампу в сумерках и каждые четыре часа заводит часовой механизм."],
  [
    "windows-1253",
    "Greek",
    "Ο φύλακας του φάρου ανάβει τη λάμπα το σούρουπο και κουρδίζει τον μηχανισμό κάθε τέσσερις ώρες.",
  ],
  [
    "shift_jis",
    "Japanese",
    "灯台守は日暮れにランプを灯し、四時間ごとに時計仕掛けのねじを巻きます。船は夜ごとに岬を通り過ぎます。",
  ],
  [
    "euc-jp",
    "Japanese",
    "灯台守は日暮れにランプを灯し、四時間ごとに時計仕掛けのねじを巻きます。船は夜ごとに岬を通り過ぎます。",
  ],
  ["euc-kr", "Korean", "등대지기는 해 질 녘에 등불을 켜고 네 시간마다 태엽을 감습니다. 배들은 밤마다 곶을 지나갑니다."],
  ["gb18030", "Chinese", "灯塔看守人在黄昏时点亮灯，每四个小时上一次发条。船在夜里经过这个海角，他们都看得到灯光。"],
  ["big5", "Chinese", "燈塔看守人在黃昏時點亮燈，每四個小時上一次發條。船在夜裡經過這個海角，他們都看得到燈光。"],
  [
    "windows-1250",
    "Polish",
    "Latarnik zapala lampę o zmierzchu i co cztery godziny nakręca mechanizm. Łodzie mijają przylądek każdej nocy, gdyż są już wśród fal.",
  ],
  [
    "windows-1252",
    "German",
    "Der Leuchtturmwärter zündet die Lampe in der Dämmerung an und zieht alle vier Stunden das Räderwerk auf; größere Schiffe grüßen.",
  ],
  [
    "windows-1252",
    "Portuguese",
    "O faroleiro acende a lâmpada ao anoitecer e dá corda ao mecanismo de quatro em quatro horas; não há razão para preocupação.",
  ],
  [
    "windows-1252",
    "French",
    "Le gardien du phare allume la lampe à la tombée de la nuit; l'été, les bateaux passent près du cap où la mer est calmée.",
  ],
  [
    "windows-1252",
    "Spanish",
    "¿Quién enciende la lámpara? El farero, al anochecer; los años pasan y él sigue ahí, según dicen los niños del pueblo.",
  ],
];

describe("a text in an encoding of old that does not say which", () => {
  it.each(texts)("is read: %s, %s", (encoding, _language, text) => {
    const bytes = encode(text, encoding);
    expect(guessLegacyEncoding(bytes)).toBe(encoding);
    expect(decodeText(bytes)).toBe(text);
  });

  it("is taken as western when it is too short to tell, and as what it declares when it does", () => {
    expect(decodeText(Buffer.from([0xfc]))).toBe("ü");
    expect(decodeText(encode("При", "windows-1251"), "windows-1251")).toBe("При");
  });
});
