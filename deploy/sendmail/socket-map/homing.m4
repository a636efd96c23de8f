dnl SRS for Sendmail by rulesets and Homing's socket map: no milter, and no SPF. In sendmail.mc below the MAILER lines:
dnl   include(`/etc/mail/homing.m4')dnl
dnl
RELAY_DOMAIN(`srs.club.example')dnl
LOCAL_CONFIG
D{SrsDomain}srs.club.example
# The name of a map goes over the socket: forward or reverse. -f: keys keep their case. -T: an answer that could not be had is
# the key with this mark.
Kforward socket -f -T<TMPF> local:/run/homing/socketmap
Kreverse socket -f -T<TMPF> local:/run/homing/socketmap

MAILER_DEFINITIONS
# Behind the rules of the SMTP mailers: what leaves this machine gets a sender of ours, and what stays keeps its own.
SEnvFromSMTP
R$+ < @ $+ > $*		$: $>HomingForward $1 < @ $2 > $3

LOCAL_RULESETS
SHomingForward
R$+ < @ $+ . >		$1 < @ $2 >
R$+ < @ $+ >		$: < $(forward $1 @ $2 $: NONE $) > $1 < @ $2 >
R< NONE > $*		$@ $1
R< $* <TMPF> > $*	$@ no-answer < @ homing.invalid >
R< $+ @ $+ > $*		$@ $1 < @ $2 >

# A ruleset for senders cannot put a message off. This one can, and comes behind it: $g is the sender that it made.
Scheck_compat
R$*			$: $&g $| $1
R$* no-answer @ homing.invalid $* $| $*	$#error $@ 4.3.0 $: "451 no SRS address can be made now"
R$* $| $*		$: $2

# A bounce goes to the original sender. A forged one is refused at RCPT.
LOCAL_RULE_0
R$+ < @ $&{SrsDomain} . >	$: $1 < @ $&{SrsDomain} >
R$+ < @ $&{SrsDomain} >		$: < $(reverse $1 @ $&{SrsDomain} $: NONE $) >
R< NONE >		$#error $@ 5.7.1 $: "550 this address takes only bounces to mail that was sent through here lately"
R< $* <TMPF> >		$#error $@ 4.7.1 $: "451 this address cannot be verified now, try again later"
R< $+ @ $+ >		$: $>canonify $1 @ $2
