// What `homing sendmail --help` says: its options are read by arguments.ts, not by commander.
export const SENDMAIL_HELP = `Usage: homing sendmail [--config FILE] [--final] [--json] [options of sendmail(1)] [recipient ...]

Hands the message on stdin to a server, for programs that call sendmail. Nothing is queued here: the exit code says at
once what became of it.

  --config FILE  settings (default: HOMING_SENDMAIL_CONFIG, or /etc/homing/sendmail.yaml)
  --final        end with 69 where 75 would say "later": for PHP, which takes 75 for sent
  --json         print what became of it as JSON
  -t             recipients are in To, Cc and Bcc, and on the command line
  -i, -oi        a line that is a dot does not end the message
  -f, -r ADDR    envelope sender; <> is the null sender
  -F NAME        name in the From field, where the message has none
  -N, -R, -V     what is asked of notifications (DSN), of servers that know them
  -v             show the dialogue with the server on stderr
  --             recipients follow

Other options of sendmail are taken, and change nothing. Settings, exit codes: docs/cli.md.
`;
