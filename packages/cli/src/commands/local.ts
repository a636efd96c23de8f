// `homing local`: the main job on loopback, with no configuration. One message goes through by itself and its story is
// told; then every message that the person sends.
import { renderMailbox } from "@homing/srs-core";
import { CommandFailure, EXIT } from "../failure.ts";
import { ALICE, CAROL, startLoopback } from "../local/loopback.ts";
import { createStory, legend } from "../local/story.ts";
import { createOutput, paint } from "../output.ts";
import { untilSignal } from "../until-signal.ts";

export const DEFAULT_PORT = 2525;

export async function local(options: { readonly port: string; readonly json?: true }): Promise<number> {
  const output = createOutput(options.json === true);
  const port = portOption(options.port);
  const document = (fields: object): void => output.document({ time: new Date().toISOString(), ...fields });
  const print = (line: string): void => output.data(line);
  const story = createStory(print);

  const loopback = await startLoopback(port, {
    forwarder: (event) => (output.json ? document(event) : story.tell(event)),
    arrived({ recipient, subject }) {
      if (output.json) document({ event: "arrived", recipient: renderMailbox(recipient), subject });
      else story.tellArrival(renderMailbox(recipient), subject);
    },
    bounced: (by, to) => (output.json ? document({ event: "bounced", by, to }) : story.tellBounce(by, to)),
  });
  const { host, port: taken } = loopback.forwarder;

  if (output.json) document({ event: "listening", host, port: taken });
  else {
    print(`Homing forwards mail on ${host}:${taken}. The rest of the world is an inbox on this machine.`);
    print(`A rewritten sender reads ${legend()}.`);
  }
  const stopped = untilSignal();
  await loopback.sendGreeting();
  if (!output.json) for (const line of invitation(taken)) print(line);
  await stopped;
  await loopback.close();
  if (!output.json) print("\nStopped.");
  return EXIT.ok;
}

function invitation(port: number): string[] {
  const server = port === DEFAULT_PORT ? "" : ` --server 127.0.0.1:${port}`;
  return [
    "",
    "The bounce is home. Homing keeps running: send a message of your own from another terminal in this folder:",
    "",
    paint("bold", `  npm exec --no -- homing send${server} --to ${renderMailbox(CAROL)}`),
    "",
    `(to ${renderMailbox(ALICE)} it will bounce, as above). Ctrl-C ends Homing.`,
  ];
}

function portOption(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new CommandFailure("usage", `--port ${text}: write a number from 0 to 65535 (0 takes a free port)`);
}
