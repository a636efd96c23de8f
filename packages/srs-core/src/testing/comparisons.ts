// Every observed answer beside ours: one comparison for each. Called by the test that sorts them.
import type { RewriterOptions } from "../rewriter-options.ts";
import { type Answer, ourForward, ourReverse, theirAnswer } from "./answers.ts";
import { byPeer, chains, optionVectors, ownSchemeVerdicts, type PeerOptions, verdicts } from "./vectors.ts";

export interface Comparison {
  readonly file: string;
  readonly peer: string;
  /** `wrap`: we are the next forwarder, and the bounce must bring the peer's address back as it was. */
  readonly op: "forward" | "reverse" | "wrap";
  /** The address that both were given. */
  readonly input: string;
  readonly options: RewriterOptions;
  readonly ours: Answer;
  readonly theirs: Answer;
}

/** Peers whose tags nobody else makes. */
const OWN_SCHEME = /^(?:exim|opensmtpd|npm)-/;
const NEXT_HOP: RewriterOptions = { secrets: ["a secret of the next forwarder"], domain: "next.example" };

export function allComparisons(): Comparison[] {
  return [...fromChains(), ...fromOptions(), ...fromVerdicts(), ...fromOwnSchemes()];
}

function* fromChains(): Generator<Comparison> {
  const file = "chains.json";
  for (const { now, secrets, domains, input, answers } of chains()) {
    for (const [peer, steps] of byPeer(answers)) {
      if (OWN_SCHEME.test(peer)) {
        const forwards = new Set([steps.forward1, steps.forward2, steps.forward3]);
        for (const address of forwards)
          if (typeof address === "string" && address !== "") yield wrapped(file, peer, address, now);
        if (typeof steps.forward1 === "string" && steps.reverse1 !== undefined) {
          yield read({ file, peer, input: steps.forward1, now, secrets, answer: steps.reverse1 });
        }
        continue;
      }
      let sender: unknown = input;
      for (const [index, hop] of ([1, 2, 3] as const).entries()) {
        const options = classic(peer, secrets, domains[index] ?? "");
        const forwarded = steps[`forward${hop}`];
        if (typeof sender !== "string" || forwarded === undefined) break;
        yield forward({ file, peer, input: sender, now, options, answer: forwarded });
        const reversed = steps[`reverse${hop}`];
        if (typeof forwarded === "string" && reversed !== undefined) {
          yield reverse({ file, peer, input: forwarded, now, options, answer: reversed });
        }
        sender = forwarded;
      }
      const again = steps.forward_again_same_domain;
      if (typeof steps.forward1 === "string" && again !== undefined) {
        const options = classic(peer, secrets, domains[0]);
        yield forward({ file, peer, input: steps.forward1, now, options, answer: again });
      }
    }
  }
}

function* fromOptions(): Generator<Comparison> {
  for (const { now, secrets, domain, input, opts, answers } of optionVectors()) {
    for (const [peer, answer] of byPeer(answers)) {
      const options = classic(peer, secrets, domain, opts);
      yield forward({ file: "options-forward.json", peer, input, now, options, answer });
    }
  }
}

function* fromVerdicts(): Generator<Comparison> {
  for (const { now, secrets, input, opts, answers } of verdicts()) {
    for (const [peer, answer] of byPeer(answers)) {
      const options = classic(peer, secrets, "fwd1.example", opts);
      yield reverse({ file: "reverse-verdicts.json", peer, input, now, options, answer });
    }
  }
}

function* fromOwnSchemes(): Generator<Comparison> {
  const file = "own-scheme-peers.json";
  for (const { peer, now, secrets, input, result } of ownSchemeVerdicts()) {
    yield wrapped(file, peer, input, now);
    if (peer.startsWith("exim-")) yield read({ file, peer, input, now, secrets, answer: result });
  }
}

function classic(
  peer: string,
  secrets: readonly string[],
  domain: string,
  opts: PeerOptions = {},
): RewriterOptions {
  return {
    scheme: "classic",
    secrets,
    domain,
    alphabet: peer.startsWith("postsrsd-2") ? "base64url" : "base64",
    ...(opts.separator !== undefined && { separator: opts.separator }),
    ...(opts.hashLength !== undefined && { tagLength: opts.hashLength }),
    ...(opts.hashMin !== undefined && { minTagLength: opts.hashMin }),
    ...(opts.maxAge !== undefined && { maxAgeDays: opts.maxAge }),
    ...(opts.alwaysRewrite !== undefined && { alwaysRewrite: opts.alwaysRewrite }),
  };
}

interface Observed {
  readonly file: string;
  readonly peer: string;
  readonly input: string;
  readonly now: number;
  readonly answer: string | { readonly error: string };
}

function forward({
  file,
  peer,
  input,
  now,
  options,
  answer,
}: Observed & { options: RewriterOptions }): Comparison {
  const ours = ourForward(options, input, now);
  return { file, peer, op: "forward", input, options, ours, theirs: theirAnswer(answer) };
}

function reverse({
  file,
  peer,
  input,
  now,
  options,
  answer,
}: Observed & { options: RewriterOptions }): Comparison {
  const ours = ourReverse(options, input, now);
  return { file, peer, op: "reverse", input, options, ours, theirs: theirAnswer(answer) };
}

/** Exim's addresses, with our reader. */
function read({ secrets, ...observed }: Observed & { secrets: readonly string[] }): Comparison {
  return reverse({ ...observed, options: { secrets, domain: "fwd1.example", accept: ["strong", "exim"] } });
}

function wrapped(file: string, peer: string, input: string, now: number): Comparison {
  const forwarded = ourForward(NEXT_HOP, input, now);
  const ours = "address" in forwarded ? ourReverse(NEXT_HOP, forwarded.address, now) : forwarded;
  return { file, peer, op: "wrap", input, options: NEXT_HOP, ours, theirs: { address: bounceOf(input) } };
}

/** Where a bounce must go: to the first forwarder, whose address it is. The letters come back in upper case. */
function bounceOf(address: string): string {
  const [, host, rest] = /^srs1[=+-][^=]+=([^=]+)=([=+-].+)@[^@]+$/i.exec(address) ?? [];
  if (host !== undefined && rest !== undefined) return `SRS0${rest}@${host}`;
  return address.replace(/^srs0(?=[=+-])/i, "SRS0");
}
