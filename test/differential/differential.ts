// Random addresses through us and through a running Mail::SRS, twice out and twice back. Every difference needs a rule
// of packages/srs-core/src/testing. Called by `npm run differential` and, in a short form, by a story.
import { createRewriter, type Rewriter } from "../../packages/srs-core/src/index.ts";
import { type Answer, forwardText, reverseText } from "../../packages/srs-core/src/testing/answers.ts";
import { addressOf } from "../../packages/srs-core/src/testing/comparison-facts.ts";
import type { Comparison } from "../../packages/srs-core/src/testing/comparisons.ts";
import { sorted } from "../../packages/srs-core/src/testing/difference-rules.ts";
import type { MailSrsBatch, Question } from "./mail-srs-batch.ts";
import { Random } from "./random.ts";
import { changedOnTheWay, randomSender } from "./random-address.ts";
import { type RandomOptions, randomOptions, rotated } from "./random-options.ts";

const BATCH = 2000;
const DAY = 86_400;
const MAX_SHOWN = 20;

export interface Tally {
  addresses: number;
  comparisons: number;
  agree: number;
  /** Of those, how many gave an address and not two refusals. */
  agreeOnAddress: number;
  readonly byRule: Map<string, number>;
  /** Questions that Mail::SRS never answers: a stamp of ten letters keeps it counting. */
  hangs: number;
  differ: number;
  /** The first of them, for a person. */
  readonly unexplained: Comparison[];
}

export async function differential(peer: MailSrsBatch, count: number, seed: number): Promise<Tally> {
  const tally: Tally = {
    addresses: 0,
    comparisons: 0,
    agree: 0,
    agreeOnAddress: 0,
    byRule: new Map(),
    hangs: 0,
    differ: 0,
    unexplained: [],
  };
  const random = new Random(seed);
  // Two batches under way: while Perl answers one we work on the other. A seed for each keeps the run repeatable.
  const seeds = Array.from({ length: Math.ceil(count / BATCH) }, () => random.next());
  const lane = async () => {
    for (let own = seeds.shift(); own !== undefined; own = seeds.shift()) {
      await runBatch(peer, new Random(own), Math.min(BATCH, count - tally.addresses), tally);
    }
  };
  await Promise.all([lane(), lane()]);
  return tally;
}

async function runBatch(peer: MailSrsBatch, random: Random, size: number, tally: Tally): Promise<void> {
  tally.addresses += size;
  const sites = Array.from({ length: 40 }, () => randomOptions(random));
  const first: Question[] = Array.from({ length: size }, () => {
    return {
      op: "forward",
      options: random.pick(sites),
      address: randomSender(random),
      now: random.int(0, 2 ** 32 - 1),
    };
  });
  const out = await compared(peer, first, tally);
  const second = out.flatMap(({ question, address }): Question[] => [
    { ...question, options: random.pick(sites), address },
  ]);
  const outAgain = await compared(peer, second, tally);
  const older = new Map(
    sites.map((options) => [options, random.chance(30) ? rotated(random, options) : options]),
  );
  const back = [...out, ...outAgain].map(({ question, address }): Question => {
    const days = random.chance(70) ? random.int(0, 25) : random.int(-3, 1100);
    const now = Math.max(question.now + days * DAY, 0);
    const options = older.get(question.options) ?? question.options;
    return { op: "reverse", options, address: changedOnTheWay(random, address), now };
  });
  await compared(peer, back, tally);
}

/** Asks both, sorts their answers, and gives what was answered with an address. */
async function compared(peer: MailSrsBatch, questions: readonly Question[], tally: Tally) {
  const answers = peer.ask(questions);
  const ours = questions.map(ourAnswer);
  const theirs = await answers;
  const made: { question: Question; address: string }[] = [];
  for (const [index, question] of questions.entries()) {
    const [our, their] = [ours[index], theirs[index]];
    if (!our || !their) throw new Error("an answer is missing");
    count(tally, {
      file: "random",
      peer: "mail-srs-0.31",
      op: question.op,
      input: question.address,
      options: question.options,
      ours: our,
      theirs: their,
    });
    const address = addressOf(our) ?? addressOf(their);
    if (address !== undefined) made.push({ question, address });
  }
  return made;
}

const rewriters = new WeakMap<RandomOptions, Rewriter>();

function ourAnswer({ op, options, address, now }: Question): Answer {
  const rewriter = rewriters.get(options) ?? createRewriter(options);
  rewriters.set(options, rewriter);
  return op === "forward" ? forwardText(rewriter, address, now) : reverseText(rewriter, address, now);
}

function count(tally: Tally, comparison: Comparison): void {
  tally.comparisons += 1;
  if ("refused" in comparison.theirs && comparison.theirs.refused.includes(": hangs ")) tally.hangs += 1;
  const result = sorted(comparison);
  if (result.kind === "agree") {
    tally.agree += 1;
    if ("address" in comparison.ours) tally.agreeOnAddress += 1;
  } else if ("id" in result) {
    tally.byRule.set(result.id, (tally.byRule.get(result.id) ?? 0) + 1);
  } else {
    tally.differ += 1;
    if (tally.unexplained.length < MAX_SHOWN) tally.unexplained.push(comparison);
  }
}
