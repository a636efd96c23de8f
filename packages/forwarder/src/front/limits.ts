// What one client may ask of us, and all of them together. The figures are Postfix's defaults (parameter names behind
// them) unless a comment says otherwise. Used in smtp-in/ and here; tests pass smaller ones.

export interface SmtpLimits {
  /** From our reply to the end of the next command; one octet at a time does not help. smtpd_timeout. */
  readonly commandSeconds: number;
  /** The same while the server is nearly full, for everybody. smtpd_timeout under stress. */
  readonly stressSeconds: number;
  /** DATA: the mean below which a client is sent away, as soon as it is behind by the time for a command. smtpd_min_data_rate. */
  readonly dataOctetsPerSecond: number;
  /** From one IPv4 address or IPv6 /64 at the same time; trusted clients are not counted. 0 is no limit. */
  readonly clientsPerNetwork: number;
  /** Refusals, and then 421; a 452 to further recipients is none. smtpd_hard_error_limit. */
  readonly errors: number;
  /** Commands that bring no mail forward; each one more is an error. smtpd_junk_command_limit. */
  readonly junkCommands: number;
  /** In one transaction: 452 4.5.3 for the others. smtpd_recipient_limit. */
  readonly recipients: number;
  /** Recipients put off with 452 4.5.3, and trouble of our own (4.3.x), that are no errors yet. smtpd_recipient_overshoot_limit. */
  readonly recipientsPutOff: number;
}

export const DEFAULT_LIMITS: SmtpLimits = {
  commandSeconds: 300,
  stressSeconds: 10,
  dataOctetsPerSecond: 500,
  clientsPerNetwork: 50,
  errors: 20,
  junkCommands: 100,
  recipients: 1000,
  recipientsPutOff: 1000,
};

/** Of `maxClients`: more connections are stress. */
export const STRESS_SHARE = 0.8;
/** RFC 5321 §4.5.3.1.4 asks for 512; extensions and long addresses need more. line_length_limit. */
export const MAX_COMMAND_OCTETS = 2048;
/** header_size_limit. Postfix cuts what is longer; a forwarder must not, so it refuses. */
export const MAX_HEADER_OCTETS = 102_400;
