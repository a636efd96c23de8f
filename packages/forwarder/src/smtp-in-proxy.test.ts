// Who may say that the client is somebody else: XCLIENT, XFORWARD and the PROXY header, from listed networks alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockList } from "./networks.ts";
import { dialFrom, startRecorder } from "./testing/recorder.ts";
import { hello } from "./testing/smtp-peers.ts";
import { dial } from "./testing/wire.ts";

const listed = blockList(["127.0.0.8/29"]);
const PROXY = "127.0.0.9";

test("XCLIENT from a listed network changes the client, who must say EHLO again and cannot do it twice", async (t) => {
  const server = await startRecorder(t, {}, { xclientNetworks: listed });
  using proxy = await dialFrom(PROXY, server);
  await proxy.reply();
  assert.match(await proxy.ask("EHLO proxy.test"), /^250-XCLIENT NAME ADDR PORT$/m);
  assert.match(await proxy.ask("XCLIENT ADDR=192.0.2.7 NAME=client.test"), /^220 mx\.test /);
  assert.match(await proxy.ask("MAIL FROM:<a@b.test>"), /^503 5\.5\.1 /);
  assert.doesNotMatch(await proxy.ask("EHLO client.test"), /XCLIENT/);
  assert.match(await proxy.ask("XCLIENT ADDR=127.0.0.1"), /^550 5\.7\.0 /);
  await proxy.ask("MAIL FROM:<a@b.test>");
  assert.equal(server.mails[0]?.client.address, "192.0.2.7");
});

for (const [named, address] of [
  ["[UNAVAILABLE]", "0.0.0.0"],
  ["[TEMPUNAVAIL]", "0.0.0.0"],
  ["IPV6:::ffff:192.0.2.7", "192.0.2.7"],
  ["IPV6:2001:db8::7", "2001:db8::7"],
] as const) {
  for (const verb of ["XCLIENT", "XFORWARD"]) {
    test(`${verb} ADDR=${named}: the client is ${address}, and not the proxy`, async (t) => {
      const server = await startRecorder(t, {}, { xclientNetworks: listed });
      using proxy = await dialFrom(PROXY, server);
      await proxy.reply();
      await proxy.ask("EHLO proxy.test");
      assert.match(await proxy.ask(`${verb} ADDR=${named}`), /^2[25]0 /);
      await proxy.ask("EHLO client.test");
      await proxy.ask("MAIL FROM:<a@b.test>");
      assert.equal(server.mails[0]?.client.address, address);
    });
  }
}

const badXclient = [
  "XCLIENT",
  "XCLIENT ADDR=x",
  "XCLIENT LOGIN=root",
  "XCLIENT NAME=a+0D+0Ab",
  "XCLIENT WHAT=1",
];
for (const command of badXclient) {
  test(`${command} is 501 5.5.4, and the client stays who it is`, async (t) => {
    const server = await startRecorder(t, {}, { xclientNetworks: listed });
    using proxy = await dialFrom(PROXY, server);
    await proxy.reply();
    await proxy.ask("EHLO proxy.test");
    assert.match(await proxy.ask(command), /^501 5\.5\.4 /);
    await proxy.ask("MAIL FROM:<a@b.test>");
    assert.equal(server.mails[0]?.client.address, PROXY);
    assert.equal(server.mails[0]?.client.protocol, "ESMTP");
  });
}

test("XFORWARD from a listed network changes the client of the session", async (t) => {
  const server = await startRecorder(t, {}, { xclientNetworks: listed });
  using proxy = await dialFrom(PROXY, server);
  await proxy.reply();
  assert.match(await proxy.ask("EHLO proxy.test"), /^250 XFORWARD /m);
  assert.match(await proxy.ask("XFORWARD ADDR=2001:db8::7 NAME=client.test"), /^250 2\.0\.0 /);
  await proxy.ask("MAIL FROM:<a@b.test>");
  assert.equal(server.mails[0]?.client.address, "2001:db8::7");
});

test("XCLIENT and XFORWARD from everybody else are 550 5.7.0, and are not offered", async (t) => {
  const server = await startRecorder(t, {}, { xclientNetworks: listed });
  using client = await hello(server);
  assert.doesNotMatch(await client.ask("EHLO c.test"), /XCLIENT|XFORWARD/);
  assert.match(await client.ask("XCLIENT ADDR=192.0.2.7"), /^550 5\.7\.0 /);
  assert.match(await client.ask("XFORWARD ADDR=192.0.2.7"), /^550 5\.7\.0 /);
  await client.ask("MAIL FROM:<a@b.test>");
  assert.equal(server.mails[0]?.client.address, "127.0.0.1");
});

const headers: [header: string, client: string][] = [
  ["PROXY TCP4 192.0.2.7 192.0.2.1 4711 25", "192.0.2.7"],
  ["PROXY TCP6 2001:db8::7 2001:db8::1 4711 25", "2001:db8::7"],
  ["PROXY UNKNOWN", PROXY],
];
for (const [header, address] of headers) {
  test(`behind ${header} the client is ${address}`, async (t) => {
    const server = await startRecorder(t, {}, { proxyNetworks: listed });
    using proxy = await dialFrom(PROXY, server);
    assert.match(await proxy.ask(header), /^220 /);
    await proxy.ask("EHLO c.test");
    await proxy.ask("MAIL FROM:<a@b.test>");
    assert.equal(server.mails[0]?.client.address, address);
  });
}

for (const header of ["EHLO c.test", "PROXY TCP4 x y 1 2", "\r\n\r\n\0\r\nQUIT\n", "x".repeat(2000)]) {
  test(`a listed proxy that begins with ${JSON.stringify(header).slice(0, 30)} is sent away`, async (t) => {
    const server = await startRecorder(t, {}, { proxyNetworks: listed });
    using proxy = await dialFrom(PROXY, server);
    proxy.send(`${header}\r\n`);
    assert.doesNotMatch(await proxy.rest(), /^220/);
    assert.equal(server.counts().clients, 0);
    assert.deepEqual(server.failures, []);
  });
}

test("a PROXY header from everybody else is no greeting's answer: 550 5.7.0", async (t) => {
  using client = await dial(await startRecorder(t, {}, { proxyNetworks: listed }));
  assert.match(await client.reply(), /^220 /);
  assert.match(await client.ask("PROXY TCP4 192.0.2.7 192.0.2.1 4711 25"), /^550 5\.7\.0 /);
});

test("the share of a network is the client's behind a PROXY header, and an XCLIENT proxy has none", async (t) => {
  const limits = { clientsPerNetwork: 1 };
  const server = await startRecorder(t, {}, { proxyNetworks: listed, limits });
  using stack = new DisposableStack();
  const say = async (address: string): Promise<string> => {
    const proxy = stack.use(await dialFrom(PROXY, server));
    return proxy.ask(`PROXY TCP4 ${address} 192.0.2.1 4711 25`);
  };
  assert.match(await say("192.0.2.7"), /^220 /);
  assert.match(await say("192.0.2.7"), /^421 4\.7\.0 /);
  assert.match(await say("192.0.2.8"), /^220 /);
  const other = await startRecorder(t, {}, { xclientNetworks: listed, limits });
  for (let count = 0; count < 3; count++) {
    assert.match(await stack.use(await dialFrom(PROXY, other)).reply(), /^220 /);
  }
});
