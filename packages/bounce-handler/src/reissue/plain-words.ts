// Words that mail servers use in refusals, whoever it is about: what is not here does not come out of a redacted diagnostic.
// Called by diagnostic.ts.

const WORDS = new Set(
  `a about accept acceptable accepted access account accounts action active address addresses after again all allocated
  allowed already an and another any anymore are as at attempt attempts authentication authenticated available bad banned
  be because been before being blacklisted blocked blocklisted body bounce bounced bulk but by can cannot check checks
  client closed command complete connect connection connections considered contact contains content could currently data
  deferred delayed delivered delivery denied destination detected did directory disabled discarded disk dkim dmarc dns do
  does domain domains due duplicate email error exceed exceeded exceeds exist exists expired failed failure file filter
  filtered find for forbidden form found from full further given greylisted greylisting has have header host hour if illegal
  in inactive incoming incorrect insufficient internal invalid is it its later limit limited limits list local locked longer
  loop lookup mail mailbox mailboxes malformed malware many maximum may message messages minutes more moved must name
  network no non-existent nonexistent not now number of on only open or over overquota part past permanent permanently
  permission permitted please policy possible postmaster prohibited protocol quota rate received recipient recipients
  record refused reject rejected rejection rejects relay relaying reputation requested require required requires resources
  restricted retry route routing rule said security seconds see send sender senders sending sent server service session
  since site size space spam spf storage such suspended suspicious syntax system table taken temporarily temporary than
  that the their there this time timeout to too transaction transport try unable unacceptable unavailable unknown
  unrecognized unsolicited until up use used user users valid value verification verify violation virtual virus was
  while will with within without wrong you your`.split(/\s+/),
);

/** Whatever its case. */
export function isPlainWord(word: string): boolean {
  return WORDS.has(word.toLowerCase());
}
