// What is said to recipients at a domain that has SRS addresses alone, and who are none. A mail server relays that domain, so
// nobody else can tell before DATA. Called by policy, milter and the map `reject`.
import type { Reply } from "@homing/mail";

export const NO_SUCH_ADDRESS: Reply = { code: 550, enhanced: "5.1.1", text: "no such address here" };
