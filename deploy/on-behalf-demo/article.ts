// The article that readers send to each other: shown by pages.ts, mailed by routes.ts.

export const ARTICLE = {
  path: "/",
  title: "The bird that sleeps aloft",
  lead: "A common swift can stay in the air for ten months. It eats, drinks and sleeps there, and comes down only to nest.",
  paragraphs: [
    "On a still evening in June, shortly after sunset, the swifts above the old town stop hunting. They gather, call, and begin to climb. Ten minutes later they are gone from sight. Radar operators were the first to see where they go: up to two or three thousand metres, every clear evening, and a second time before dawn.",
    "For a long time nobody could say whether they stay there. Then, in 2016, researchers at Lund published what tiny loggers on the backs of swifts had written down. In the ten months between two summers in Sweden, most of the birds had landed on a few nights at the most. Some had not landed at all.",
    "Everything about a swift is made for this. Its wings are a single long sickle, its legs so short that people once believed it had none: Apus, its name, means footless. It catches insects with an open beak, drinks by skimming a lake, and collects feathers for its nest out of the wind.",
    "How it sleeps is still not settled. It may be that one half of the brain rests while the other steers, as in frigatebirds, and that the slow descent from the height of the evening climb is a good time for it. What is certain is that in the morning they are back above the roofs, screaming, as though they had never been away.",
  ],
} as const;

/** The article as plain text, for a mail. */
export function articleText(url: string): string {
  const { title, lead, paragraphs, path } = ARTICLE;
  return [title, lead, ...paragraphs, `Read it on the site: ${url}${path}`].join("\n\n");
}
