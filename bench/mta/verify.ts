// That a peer does what is measured: it forwards with an SRS sender, brings its bounce home and refuses a forged one.
// Called by line-up.ts before anything is measured.
import { waitFor } from "../../test/harness/wait.ts";
import { FORWARDING_DOMAIN, TIMED_ALIAS, TIMED_SENDER } from "./addresses.ts";
import { bounceMessage, NO_MARK } from "./bounces/bounce-message.ts";
import type { Peer } from "./peer.ts";
import { type Letter, plainMessage, sendOne } from "./send-one.ts";
import type { Arrival, TimingSink } from "./timing-sink.ts";

const ARRIVAL_SECONDS = 15;
const OCTETS = 4000;

/** `unwrapped`: the sender got the bounce itself. `reissued`: a report without the private address. */
export type WayHome = "unwrapped" | "reissued";

export async function verify(peer: Peer, sink: TimingSink): Promise<WayHome> {
  const { from: srsAddress } = await forward(peer, sink);
  const bounce = await throughPeer(peer, sink, { from: "", to: srsAddress, id: `bounce-${peer.name}` });
  const home = bounce.to.toLowerCase() === TIMED_SENDER && bounce.from === "";
  expect(home, peer, `sent its bounce to <${bounce.to}>`);
  const forged = srsAddress.replace("=carol@", "=mallory@");
  const { reply } = await sendOne(peer.port, letter({ from: "", to: forged, id: "forged" }));
  expect(reply.startsWith("5"), peer, `took a bounce to the forged ${forged}: ${reply}`);
  return bounce.message.includes(TIMED_ALIAS.target) ? "unwrapped" : "reissued";
}

async function forward(peer: Peer, sink: TimingSink): Promise<Arrival> {
  const envelope = { from: TIMED_SENDER, to: TIMED_ALIAS.address, id: `mail-${peer.name}` };
  const arrival = await throughPeer(peer, sink, envelope);
  const rewritten = arrival.from.startsWith("SRS0") && arrival.from.endsWith(`@${FORWARDING_DOMAIN}`);
  expect(rewritten && arrival.to === TIMED_ALIAS.target, peer, `forwarded with the sender <${arrival.from}>`);
  return arrival;
}

interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly id: string;
}

async function throughPeer(peer: Peer, sink: TimingSink, envelope: Envelope): Promise<Arrival> {
  const { reply } = await sendOne(peer.port, letter(envelope));
  expect(reply.startsWith("250"), peer, `refused mail from <${envelope.from}> to <${envelope.to}>: ${reply}`);
  const isOther = envelope.from !== "" && peer.mailReply !== undefined && !reply.includes(peer.mailReply);
  expect(!isOther, peer, `should say "${peer.mailReply}" of mail, and says: ${reply}`);
  return waitFor(() => sink.arrivals.get(envelope.id), {
    seconds: ARRIVAL_SECONDS,
    otherwise: () => `${peer.name} did not forward mail from <${envelope.from}> to <${envelope.to}>`,
  });
}

/** From nobody comes a report about mail to the alias. */
function letter(envelope: Envelope): Letter {
  const { from, to, id } = envelope;
  if (from !== "") return { ...envelope, message: plainMessage(envelope, OCTETS) };
  const { address, target } = TIMED_ALIAS;
  return {
    ...envelope,
    message: bounceMessage({ srsAddress: to, alias: address, target, id, mark: NO_MARK }),
  };
}

function expect(good: boolean, peer: Peer, otherwise: string): void {
  if (!good) throw new Error(`${peer.name} ${otherwise}`);
}
