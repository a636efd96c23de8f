// Domains with SPF records of all kinds, good and broken. Served by the stories of `homing spf`.
import type { Zone } from "../../packages/forwarder/src/testing/dns-server.ts";

/** A TXT record of these strings. */
export const spf = (...strings: string[]) => ({ type: "TXT", strings }) as const;

export const SPF_ZONE: Zone = {
  "origin.example": [
    spf("v=spf1 a mx ip4:192.0.2.0/24 include:inc.example -all"),
    { type: "A", address: [198, 51, 100, 7] },
    { type: "MX", priority: 10, exchange: "mx.origin.example" },
  ],
  "mx.origin.example": [spf("v=spf1 a -all"), { type: "A", address: [198, 51, 100, 8] }],
  "inc.example": [spf("v=spf1 ip4:203.0.113.0/25 ~all")],
  "exp.example": [spf("v=spf1 -all exp=why.exp.example")],
  "why.exp.example": [spf("%{i} is not one of %{d}, says %{r}")],
  "soft.example": [spf("v=spf1 ~all")],
  "open.example": [spf("v=spf1 +all")],
  "neutral.example": [spf("v=spf1 a")],
  "question.example": [spf("v=spf1 ?all")],
  "wrong.example": [spf("v=spf1 ipv4:192.0.2.1 -all")],
  "missing.example": [spf("v=spf1 include:none.example -all")],
  "two.example": [spf("v=spf1 -all"), spf("v=spf1 +all")],
  "redirected.example": [spf("v=spf1 redirect=exp.example")],
  "long.example": [spf("v=spf1 ip4:192.0.2.1 ", "-all")],
  "broken.example": "SERVFAIL",
  "none.example": [],
  "quoted.example": [spf('"v=spf1 -all"')],
  "circle.example": [spf("v=spf1 include:circle.example -all")],
};
