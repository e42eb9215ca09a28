/**
 * Longest content of a file of questions or judgements, UTF-16 units: both together must fit one message of the wire. A file of its
 * own, so that the page can take it without the schemas.
 */
export const evaluationFileLimit = 6_000_000;
