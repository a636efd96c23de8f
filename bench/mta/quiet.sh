# Runs COMMAND in a mount namespace whose resolver refuses at once and whose syslog goes nowhere:
#   sh quiet.sh RESOLV_CONF NSSWITCH_CONF COMMAND...
# Started by own-process.ts in a pid namespace of its own.
set -eu
mount -n --bind "$1" /etc/resolv.conf
mount -n --bind "$2" /etc/nsswitch.conf
[ ! -e /dev/log ] || mount -n --bind /dev/null /dev/log
shift 2

# Not `exec`: a program that changes its user loses the parent-death signal, and would outlive a killed benchmark. This
# shell keeps it, and the kernel ends the pid namespace with it.
"$@"
exit $?
