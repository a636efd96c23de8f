# First process of an instance's pid namespace, started by namespace.ts in a mount namespace of its own:
#   sh namespace.sh ROOT FOLDER COMMAND...
# It ends with COMMAND, and the kernel ends the namespace with it.
set -eu
root=$1 folder=$2
shift 2

# Still the outer /proc: the number under which the test process knows this shell.
read -r pid rest </proc/self/stat

mount -n -t overlay overlay -o "lowerdir=$root/usr:/usr" /usr
mount -n -t overlay overlay -o "lowerdir=$folder/etc:$root/etc:/etc" /etc
mount -n --bind "$folder/var" /var
mount -n -t overlay overlay -o "lowerdir=$folder/dev:/dev" /dev
mount -n -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -n -t proc proc /proc
for link in "$folder"/seen/*; do
  [ ! -e "$link" ] || mount -n --bind -o ro "$link/" "/var/seen/${link##*/}"
done
# Last, since the instance's folder is usually below /tmp and is hidden from then on.
mount -n -t tmpfs -o mode=1777 tmpfs /tmp
mount -n -t tmpfs -o mode=755 tmpfs /run

echo "$pid" >&3
exec 3>&-

# Not `exec`: a program that changes its user loses the parent-death signal that unshare --kill-child sets (Postfix's
# master does, over its lock file), and would outlive a killed test. This shell keeps it.
"$@"
exit $?
