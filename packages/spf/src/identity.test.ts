// Which identity is checked: RFC 7208 §2.3, §2.4, §4.3, and RFC 8616 §4.
import { runCases } from "./testing/cases.ts";
import type { Zone } from "./testing/zone.ts";

const ONLY_US = "TXT v=spf1 ip4:192.0.2.1 -all";
const HELO: Zone = { "mail.example": [ONLY_US] };

runCases([
  {
    name: "§2.3 the HELO identity is checked as postmaster of the HELO name, whatever the sender is",
    identity: "helo",
    record: "v=spf1 -all",
    zone: HELO,
    result: "pass",
    answer: { identity: "helo", domain: "mail.example", sender: "postmaster@mail.example" },
    asks: ["TXT mail.example"],
  },
  {
    name: "§2.3 a HELO name that is an address literal has no record",
    identity: "helo",
    helo: "[192.0.2.1]",
    result: "none",
    asks: [],
  },
  {
    name: "§2.3 a HELO name that is an address without brackets has no record",
    identity: "helo",
    helo: "192.0.2.1",
    result: "none",
    asks: [],
  },
  {
    name: "§2.4 the null sender is checked as postmaster of the HELO name",
    sender: "",
    zone: HELO,
    result: "pass",
    answer: { identity: "mailfrom", sender: "postmaster@mail.example" },
  },
  {
    name: "§2.4 the null sender of a client without a full name has no record",
    sender: "",
    helo: "localhost",
    result: "none",
    answer: { domain: "" },
  },
  {
    name: "§2.4 the sender's domain counts, not the HELO name",
    record: "v=spf1 -all",
    zone: HELO,
    result: "fail",
    answer: { sender: "user@d.example", domain: "d.example" },
  },
  {
    name: "§4.3 a quoted local part may have an @ of its own",
    sender: '"a@b"@d.example',
    record: "v=spf1 ip4:192.0.2.1 -all",
    result: "pass",
    answer: { sender: '"a@b"@d.example' },
  },
  {
    name: "§4.3 without a local part it is postmaster",
    sender: "@d.example",
    record: "v=spf1 exists:%{l}.%{d} -all",
    zone: { "postmaster.d.example": ["A 127.0.0.2"] },
    result: "pass",
  },
  {
    name: "§4.3 a name alone is checked as its postmaster",
    sender: "d.example",
    record: "v=spf1 ip4:192.0.2.1 -all",
    result: "pass",
    answer: { sender: "postmaster@d.example" },
  },
  { name: "§4.3 a single label has no record", sender: "user@localhost", result: "none", asks: [] },
  { name: "§4.3 an address literal has no record", sender: "user@[192.0.2.1]", result: "none", asks: [] },
  { name: "§4.3 an empty label has no record", sender: "user@d..example", result: "none", asks: [] },
  {
    name: "§4.3 a label of 64 octets has no record",
    sender: `u@${"a".repeat(64)}.example`,
    result: "none",
    asks: [],
  },
  {
    name: "§4.3 a name over 253 octets has no record",
    sender: `u@${"a.".repeat(130)}example`,
    result: "none",
    asks: [],
  },
  {
    name: "§4.3 control characters and backslashes never reach DNS",
    sender: "u@a\r\\b.example",
    result: "none",
    asks: [],
  },
  { name: "§4.3 a domain that does not exist has no record", result: "none", problem: /no such name/ },
  {
    name: "§4.3 a trailing dot is taken off",
    sender: "user@d.example.",
    record: "v=spf1 ip4:192.0.2.1 -all",
    result: "pass",
    answer: { domain: "d.example" },
  },
  {
    name: "§4.3 case does not matter",
    sender: "user@D.Example",
    record: "v=spf1 ip4:192.0.2.1 -all",
    result: "pass",
    asks: ["TXT d.example"],
  },
  {
    name: "§4.3 underscores are allowed",
    sender: "user@_x.d.example",
    zone: { "_x.d.example": [ONLY_US] },
    result: "pass",
  },
  {
    name: "§4.3 a client that is no IP address is not checked",
    client: "unknown",
    record: "v=spf1 +all",
    result: "none",
    problem: /"?unknown"? is not an IP address/,
  },
  {
    name: "RFC 8616 §4 a U-label is looked up as its A-label",
    sender: "user@bücher.example",
    zone: { "xn--bcher-kva.example": [ONLY_US] },
    result: "pass",
    answer: { domain: "xn--bcher-kva.example" },
  },
  {
    name: "RFC 8616 §4 a domain that IDNA does not allow has no record",
    sender: "user@a\u{fffd}b.example",
    result: "none",
    asks: [],
  },
  {
    name: "RFC 8616 §4 terms with l or s never match a local part outside ASCII",
    sender: "用户@d.example",
    record:
      "v=spf1 exists:%{l}.x.example a:%{s} mx:%{L1}.example include:%{l}.example ptr:%{l}.d.example -all",
    result: "fail",
    asks: ["TXT d.example"],
  },
  {
    name: "RFC 8616 §4 other terms match such a local part",
    sender: "用户@d.example",
    record: "v=spf1 exists:%{o} -all",
    zone: { "d.example": ["A 127.0.0.2"] },
    result: "pass",
  },
  {
    name: "RFC 8616 §4 an explanation shows such a local part as question marks, or escaped",
    sender: "é@d.example",
    record: "v=spf1 -all exp=why.example",
    zone: { "why.example": ["TXT %{l} is %{L}"] },
    result: "fail",
    answer: { explanation: "? is %C3%A9" },
  },
]);
