// A message through three forwarders and its bounce back, with us in the place of one of them. The other two answer what
// they were observed to answer; where they were given something else, our classic scheme stands in for a peer of it.
import { parseMailbox } from "../mailbox.ts";
import type { RewriterOptions } from "../rewriter-options.ts";
import { type Answer, ourForward, ourReverse, theirAnswer } from "./answers.ts";
import { addressOf } from "./comparison-facts.ts";
import type { MixedChain } from "./vectors.ts";

export type Journey =
  | {
      readonly end: "home" | "in-lower-case";
      readonly forwards: readonly string[];
      readonly standIns: number;
    }
  /** We cannot be asked: a peer with a scheme of its own would have to answer what nobody observed. */
  | { readonly end: "not-checkable" }
  | { readonly end: "too-long" | "peer-refused" | "lost"; readonly message: string };

/** Peers whose addresses are byte for byte our classic ones. libsrs2 is one of them only for `SRS0`. */
const CLASSIC = /^(?:mail-srs|postsrsd|pysrs|go|libsrs2)-/;

export function journey(chain: MixedChain, place: number, scheme: "strong" | "classic"): Journey {
  let standIns = 0;
  const forwards: string[] = [];
  const optionsOf = (hop: number): RewriterOptions => {
    const { peer = "", domain = "", secrets = [] } = chain.hops[hop] ?? {};
    const alphabet = peer.startsWith("postsrsd-2") ? "base64url" : "base64";
    return hop === place ? { secrets, domain, scheme } : { secrets, domain, scheme: "classic", alphabet };
  };
  const standsIn = (hop: number, address: string) => {
    const peer = chain.hops[hop]?.peer ?? "";
    const able = CLASSIC.test(peer) && !(peer.startsWith("libsrs2") && address.startsWith("SRS1"));
    if (able) standIns += 1;
    return able;
  };

  let address = chain.input;
  for (const [hop, observed] of chain.forwards.entries()) {
    let answer: Answer;
    if (hop === place) answer = ourForward(optionsOf(hop), address, chain.now);
    else if (address === (hop === 0 ? chain.input : chain.forwards[hop - 1])) answer = theirAnswer(observed);
    else if (standsIn(hop, address)) answer = ourForward(optionsOf(hop), address, chain.now);
    else return { end: "not-checkable" };
    if ("refused" in answer) return ended(answer.refused, hop === place);
    address = answer.address;
    forwards.push(address);
  }

  const observed = observedReversals(chain);
  for (let step = 0; step < 3; step++) {
    const hop = chain.hops.findIndex(({ domain }) => domain === domainOf(address));
    let answer = hop === place ? undefined : observed.get(address);
    if (hop === place || (!answer && standsIn(hop, address)))
      answer = ourReverse(optionsOf(hop), address, chain.bounce_at);
    if (!answer) return { end: "not-checkable" };
    if ("refused" in answer) return ended(answer.refused, hop === place);
    address = addressOf(answer) ?? "";
    if (address === chain.input) return { end: "home", forwards, standIns };
    if (address === chain.input.toLowerCase()) return { end: "in-lower-case", forwards, standIns };
  }
  return { end: "lost", message: `${forwards.join(" > ")} came back as ${address}` };
}

function ended(message: string, byUs: boolean): Journey {
  if (message.startsWith("too-long")) return { end: "too-long", message };
  return { end: byUs ? "lost" : "peer-refused", message };
}

/** What each address on the observed way back was reversed to. */
function observedReversals(chain: MixedChain): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  let address = chain.forwards.at(-1);
  for (const { result } of chain.bounce_path) {
    if (typeof address === "string") answers.set(address, theirAnswer(result));
    address = result;
  }
  return answers;
}

function domainOf(text: string): string {
  const parsed = parseMailbox(text);
  return parsed.ok ? parsed.mailbox.domain : "";
}
