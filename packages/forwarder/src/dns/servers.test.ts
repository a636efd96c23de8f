import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../testing/fake-clock.ts";
import { type DnsServer, failed, type Heard } from "./query.ts";
import { createServers } from "./servers.ts";

const QUERY = { type: "TXT", name: "a.test" } as const;
const FOUND: Heard<"TXT"> = { kind: "records", records: ["found"] };

type Script = "silence" | Heard<"TXT">;

/** Says what its script has, the last again and again. */
function scripted(...script: readonly Script[]): DnsServer & { asked: number } {
  const ends: (() => void)[] = [];
  return {
    asked: 0,
    ask(): Promise<Heard<never>> {
      const said = script[Math.min(this.asked++, script.length - 1)] ?? "silence";
      if (said !== "silence") return Promise.resolve(said as Heard<never>);
      return new Promise((resolve) => ends.push(() => resolve(failed("ECANCELLED"))));
    },
    close: () => {
      for (const end of ends) end();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const rows: [what: string, servers: readonly Script[], heard: Heard, asked: readonly number[]][] = [
  ["the first one answers", [FOUND, FOUND], FOUND, [1, 0]],
  ["no such name is an answer", [{ kind: "no-such-name" }, FOUND], { kind: "no-such-name" }, [1, 0]],
  [
    "no record is an answer",
    [{ kind: "records", records: [] }, FOUND],
    { kind: "records", records: [] },
    [1, 0],
  ],
  ["the first one fails", [failed("ESERVFAIL"), FOUND], FOUND, [1, 1]],
  ["the first one refuses", [failed("EREFUSED"), FOUND], FOUND, [1, 1]],
  ["all fail", [failed("ESERVFAIL"), failed("ECONNREFUSED")], failed("ESERVFAIL"), [1, 1]],
  ["what one says tells more", [failed("ECONNREFUSED"), failed("EREFUSED")], failed("EREFUSED"), [1, 1]],
];
for (const [what, script, heard, asked] of rows) {
  test(`of several servers: ${what}`, async () => {
    const clock = createFakeClock();
    const servers = script.map((said) => scripted(said));
    assert.deepEqual(await createServers(servers, clock).ask(QUERY), heard);
    assert.deepEqual(
      servers.map((server) => server.asked),
      asked,
    );
    assert.equal(clock.timers, 0);
  });
}

test("after two seconds of silence the next server is asked, too", async () => {
  const clock = createFakeClock();
  const [first, second] = [scripted("silence"), scripted(FOUND)];
  const heard = createServers([first, second], clock).ask(QUERY);
  clock.advance(1_999);
  assert.equal(second.asked, 0);
  clock.advance(1);
  assert.deepEqual(await heard, FOUND);
  assert.equal(clock.timers, 0);
});

test("a silent server that another one overtook is asked last from then on", async () => {
  const clock = createFakeClock();
  const [first, second] = [scripted("silence"), scripted(FOUND)];
  const servers = createServers([first, second], clock);
  const heard = servers.ask(QUERY);
  clock.advance(2_000);
  await heard;
  assert.deepEqual(await servers.ask(QUERY), FOUND);
  assert.deepEqual([first.asked, second.asked], [1, 2]);
});

test("after twelve seconds a look-up has failed, whatever the servers do", async () => {
  const clock = createFakeClock();
  const heard = createServers([scripted("silence"), scripted("silence")], clock).ask(QUERY);
  clock.advance(12_000);
  assert.deepEqual(await heard, failed("ETIMEOUT"));
  assert.equal(clock.timers, 0);
});

test("a server that was away is asked last for thirty seconds, and then by one look-up", async () => {
  const clock = createFakeClock();
  const away = scripted(failed("ECONNREFUSED"), failed("ECONNREFUSED"), FOUND);
  const other = scripted(FOUND);
  const servers = createServers([away, other], clock);
  const ask = async (): Promise<readonly number[]> => {
    await servers.ask(QUERY);
    return [away.asked, other.asked];
  };
  assert.deepEqual(await ask(), [1, 1]);
  clock.advance(29_999);
  assert.deepEqual(await ask(), [1, 2]);
  clock.advance(1);
  const [probe] = [ask(), servers.ask(QUERY)];
  assert.deepEqual(await probe, [2, 4], "the second look-up went past it at once");
  clock.advance(30_000);
  assert.deepEqual(await ask(), [3, 4], "it is back");
  assert.deepEqual(await ask(), [4, 4]);
});

test("a server that fails for a name is asked first for the next one", async () => {
  const [first, second] = [scripted(failed("ESERVFAIL"), FOUND), scripted(FOUND)];
  const servers = createServers([first, second], createFakeClock());
  await servers.ask(QUERY);
  await servers.ask(QUERY);
  assert.deepEqual([first.asked, second.asked], [2, 1]);
});

test("after its end nobody is asked, and who waits hears so", async () => {
  const clock = createFakeClock();
  const [first, second] = [scripted("silence"), scripted(FOUND)];
  const servers = createServers([first, second], clock);
  const waits = servers.ask(QUERY);
  await turn();
  servers.close();
  assert.deepEqual(await waits, failed("ECANCELLED"));
  assert.deepEqual(await servers.ask(QUERY), failed("ECANCELLED"));
  assert.deepEqual([first.asked, second.asked, clock.timers], [1, 0, 0]);
});
