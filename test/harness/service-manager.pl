# Plays systemd for a story: opens sockets, receives notifications, starts the service, and tells all of it on stdout.
# Called by service-manager.ts. Perl, since Node has no UNIX datagrams and cannot leave a listening socket alone.
# Arguments: the notification socket (@ begins an abstract name), the one that the service is told, the kind of socket,
# how many, LISTEN_FDNAMES, and the command. An s on stdin starts the command, a t sends it SIGTERM, and
# the end of stdin ends both.
use strict;
use warnings;
use IO::Select;
use POSIX ();
use Socket qw(:DEFAULT :addrinfo inet_pton pack_sockaddr_in6 unpack_sockaddr_in6 AF_INET6 IPPROTO_IPV6);

my ($path, $told, $kind, $count, $names, @command) = @ARGV;
# Sockets stay open across exec.
$^F = 100;
$| = 1;

my @sockets;
for my $number (1 .. $count) {
    my $socket;
    if ($kind eq 'unix') {
        socket($socket, AF_UNIX, SOCK_STREAM, 0) and bind($socket, pack_sockaddr_un("$path.$number")) or die "unix: $!";
    } elsif ($kind eq 'tcp6') {
        socket($socket, AF_INET6, SOCK_STREAM, 0) and setsockopt($socket, IPPROTO_IPV6, 26, 0) or die "tcp6: $!";
        # ::ffff:127.0.0.1 takes IPv4 clients as a dual-stack socket does, on loopback alone.
        bind($socket, pack_sockaddr_in6(0, inet_pton(AF_INET6, '::ffff:127.0.0.1'))) or die "tcp6: $!";
        printf "port %d\n", (unpack_sockaddr_in6(getsockname($socket)))[0];
    } else {
        socket($socket, AF_INET, SOCK_STREAM, 0) and bind($socket, pack_sockaddr_in(0, inet_aton('127.0.0.1'))) or die "tcp: $!";
        printf "port %d\n", (sockaddr_in(getsockname($socket)))[0];
    }
    listen($socket, 20) or die "listen: $!";
    push @sockets, $socket;
}

(my $name = $path) =~ s/^@/\0/;
my $notifications;
socket($notifications, AF_UNIX, SOCK_DGRAM, 0) and bind($notifications, pack_sockaddr_un($name)) or die "notify: $!";

my $service = 0;
my $select = IO::Select->new(\*STDIN, $notifications);
while (1) {
    for my $ready ($select->can_read(0.05)) {
        if (fileno($ready) == fileno($notifications)) {
            # The descriptor that comes with BARRIER=1 is not taken, and so it is closed: the sender goes on.
            recv($notifications, my $text, 4096, 0);
            print "notified $_\n" for split /\n/, $text;
        } else {
            my $order = '';
            sysread STDIN, $order, 1;
            start() if $order eq 's';
            kill 'TERM', $service if $service && $order eq 't';
            finish() if $order eq '';
        }
    }
    next unless $service && waitpid($service, POSIX::WNOHANG) == $service;
    printf "ended %d\n", $? >> 8;
    $service = 0;
}

sub finish {
    kill 'KILL', $service if $service;
    print "over\n";
    exit 0;
}

sub start {
    $service = fork;
    if ($service == 0) {
        # First to a place beyond, so that none is overwritten before its turn.
        POSIX::dup2(fileno($sockets[$_]), 50 + $_) for 0 .. $#sockets;
        for my $number (0 .. $#sockets) {
            POSIX::dup2(50 + $number, 3 + $number);
            POSIX::close(50 + $number);
        }
        POSIX::close($_) for 3 + @sockets .. 40;
        $ENV{NOTIFY_SOCKET} = $told;
        if (@sockets) {
            @ENV{qw(LISTEN_FDS LISTEN_PID LISTEN_FDNAMES)} = (scalar @sockets, $$, $names);
        }
        exec @command or POSIX::_exit(127);
    }
}
