import { queryTerms, wordsOf } from "../store/terms.ts";

/**
 * Words that say how something is asked, not what about. In a handful of documents such a word can be rarer than the
 * topic itself, so its document frequency says nothing. English, German, French, Spanish, Italian and Portuguese after the
 * list the reader was trained with (tools/, gen1.py); Hindi and Thai by hand.
 */
const functionWords = new Set(
  `
  the a an of to in on at by for with from and or but if then than that this these those it its is are was were be been
  being has have had do does did can could will would shall should must may might not no as which who whom whose what
  when where why how there here you your we our they their he she his her him them i my me so such also only just into
  over under about after before between up down out more most some any all each every other another same new use used
  using one two via per very s t re ll ve don please tell explain describe find say says documents
  long often much many big far old high deep wide large get gets got myself yourself am im
  der die das den dem des ein eine einen einem einer eines und oder aber wenn dann als dass ist sind war waren wird werden
  wurde wurden hat haben kann können muss müssen soll sollte nicht kein keine mit von vom für auf aus bei nach zu zum zur
  im am um über unter durch es sie er wir ihr ihre ihren sich auch nur noch wie was wer wo wann warum so diese dieser
  dieses diesem diesen man welche welcher welches womit viel viele lange oft groß hoch weit alt
  ich mich mir du dich dir uns euch mein meine meinen meinem meiner dein deine gibt bekomme bekommt bekommen
  le la les un une du de d l et ou mais si que qui quoi dont où est sont était être ont avoir peut peuvent doit doivent
  ne pas plus pour par avec sans sur sous dans en au aux ce cette ces il elle ils elles on nous vous se son sa ses leur
  leurs comme tout tous quand comment pourquoi combien quel quelle quels quelles fait faut qu
  je j me m te tu toi moi mon ma mes ton ta tes notre votre
  el los las una unos unas y o pero es son era ser está están ha han puede pueden debe deben por para con sin sobre al
  del su sus lo como más este esta estos estas cuando donde qué cómo cuándo dónde cuál cuánto cuánta cuántos cuántas quién
  yo mi mis tu tus te hay
  il gli uno e ma che è sono essere hanno può possono deve devono non per senza alla della dei delle nel nella si suo sua
  come più questo questa questi quando dove cosa quale quali quanto quanti quante chi perché
  io mio mia miei mie ti c'è
  os um uma mas são tem têm pode podem deve devem não com sem em ao à do da dos das nos nas seu como mais isso quando onde
  qual quais quem quanto quantos quantas porque
  eu meu minha meus minhas há
  का के की को में से है हैं था थे थी और या पर यह वह ये वे क्या कौन कब कहाँ कहां क्यों कैसे कितना कितने कितनी किस किसे ने भी तो
  ที่ และ หรือ ของ ใน เป็น คือ อะไร ใคร เมื่อไร เมื่อไหร่ ไหน ทำไม อย่างไร เท่าไร กี่ ได้ ไหม จะ มี ให้ ว่า นี้ นั้น
  `
    .trim()
    .split(/\s+/u)
    .flatMap((word) => wordsOf(word)),
);

/** The words of a question that say what it is about, each as the terms it may stand as in the index. */
export function topicTerms(question: string): string[][] {
  const topics = wordsOf(question).filter((word) => !functionWords.has(word));
  return queryTerms(topics.join(" "));
}
