// That a peer does what is measured: it forwards with an SRS sender, unwraps its own bounce and refuses a forged one.
// Called by main.ts before anything is measured.
import { waitFor } from "../../test/harness/wait.ts";
import { FORWARDING_DOMAIN, SENDER, TIMED_ALIAS, TIMED_SENDER } from "./addresses.ts";
import type { Peer } from "./peer.ts";
import { sendOne } from "./send-one.ts";
import type { Arrival, TimingSink } from "./timing-sink.ts";

const ARRIVAL_SECONDS = 15;
const OCTETS = 4000;

/** @returns the address that SENDER has behind this peer */
export async function verify(peer: Peer, sink: TimingSink): Promise<string> {
  const { from: timed } = await forward(peer, sink, TIMED_SENDER, "timed");
  const bounce = await throughPeer(peer, sink, { from: "", to: timed, id: `bounce-${peer.name}` });
  expect(bounce.to.toLowerCase() === TIMED_SENDER && bounce.from === "", peer, "did not unwrap its bounce");
  const { from: srsAddress } = await forward(peer, sink, SENDER, "first");
  const forged = srsAddress.replace("=carol@", "=mallory@");
  const { reply } = await sendOne(peer.port, { from: "", to: forged, id: "forged", octets: OCTETS });
  expect(reply.startsWith("5"), peer, `took a bounce to the forged ${forged}: ${reply}`);
  return srsAddress;
}

async function forward(peer: Peer, sink: TimingSink, from: string, id: string): Promise<Arrival> {
  const arrival = await throughPeer(peer, sink, { from, to: TIMED_ALIAS.address, id: `${id}-${peer.name}` });
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
  const { reply } = await sendOne(peer.port, { ...envelope, octets: OCTETS });
  expect(reply.startsWith("250"), peer, `refused mail from <${envelope.from}> to <${envelope.to}>: ${reply}`);
  return waitFor(() => sink.arrivals.get(envelope.id), {
    seconds: ARRIVAL_SECONDS,
    otherwise: () => `${peer.name} did not forward mail from <${envelope.from}> to <${envelope.to}>`,
  });
}

function expect(good: boolean, peer: Peer, otherwise: string): void {
  if (!good) throw new Error(`${peer.name} ${otherwise}`);
}
