dnl Homing as a milter of Sendmail 8.14 or later, and the way of bounces to it. In sendmail.mc above the MAILER lines:
dnl   include(`/etc/mail/homing.m4')dnl
dnl
dnl F=T: while Homing is down, every client hears 451 and comes again. Without it, mail would leave unrewritten.
INPUT_MAIL_FILTER(`homing', `S=local:/run/homing/milter, F=T, T=C:10s;S:10s;R:60s;E:2m')dnl
dnl
dnl Bounces come to this domain. Homing has refused the forged ones before they are relayed.
RELAY_DOMAIN(`srs.club.example')dnl
FEATURE(`mailertable', `hash -o /etc/mail/mailertable')dnl
MAILER_DEFINITIONS
# To homing serve, which reads a bounce and tells the sender without the private address. mailertable names it.
# k: its name in EHLO may be that of this server.
Mhoming,	P=[IPC], F=mDFMuXak, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP, E=\r\n, L=990,
		T=DNS/RFC822/SMTP, A=TCP $h 2525
divert(-1)dnl
