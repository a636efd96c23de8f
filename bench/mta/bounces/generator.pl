# The program that offers bounces, each to an SRS address of its own: smtp-source knows one recipient alone. In Perl, with a
# process for each session, because it shares the cores with what is measured: with a client in Node the load took two to
# three times as much CPU.
# Started by offer.ts:  perl generator.pl PORT SESSIONS many|one LIST TEMPLATE
# LIST has a line for each bounce, with values between tabs; the first line names them. In TEMPLATE they stand in braces.
# Says `ready`, begins with the first line on its standard input, and exits 0 if all were accepted.
use strict;
use warnings;
use Socket qw(PF_INET SOCK_STREAM IPPROTO_TCP TCP_NODELAY inet_aton pack_sockaddr_in);

my ($port, $sessions, $connection, $list, $template_file) = @ARGV;
my $address = pack_sockaddr_in($port, inet_aton('127.0.0.1'));
my ($names, @bounces) = split /\n/, contents($list);
my %column;
@column{split /\t/, $names} = 0 .. 99;
my $recipient = $column{srsAddress};
# Words of it and numbers of columns, in turn.
my $at       = 0;
my @template = map { $at++ % 2 ? $column{$_} : $_ } split /\{(\w+)\}/, contents($template_file);
my $parent   = $$;

# Whoever reads it goes when nobody can write into it any more.
pipe(my $gate, my $hold) or die "pipe: $!\n";
for my $session (0 .. $sessions - 1) {
    my $child = fork // die "fork: $!\n";
    next if $child;
    close $hold;
    run_session($session);
    exit 0;
}
close $gate;
$| = 1;
print "ready\n";
<STDIN>;
close $hold;
my $failed = 0;
while (wait() > 0) { $failed ||= $? }
exit($failed ? 1 : 0);

# Every so many-th bounce.
sub run_session {
    my ($session) = @_;
    my @mine = map { [split /\t/, $bounces[$_]] } grep { $_ % $sessions == $session } 0 .. $#bounces;
    sysread($gate, my $nothing, 1);
    my $socket;
    for my $values (@mine) {
        exit 1 if getppid() != $parent;
        $socket //= greeted();
        offer($socket, $values);
        next if $connection eq 'many';
        ask($socket, "QUIT\r\n", 1);
        undef $socket;
    }
    ask($socket, "QUIT\r\n", 1) if $socket;
}

sub greeted {
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
    connect($socket, $address) or die "connect: $!\n";
    ask($socket, '', 1);
    ask($socket, "EHLO client.example\r\n", 1);
    return $socket;
}

# The envelope goes in one piece (RFC 2920), as an MTA sends it to a server with PIPELINING, which all of these are.
sub offer {
    my ($socket, $values) = @_;
    my $nth = 0;
    my $message = join '', map { $nth++ % 2 ? $values->[$_] : $_ } @template;
    ask($socket, "MAIL FROM:<>\r\nRCPT TO:<$values->[$recipient]>\r\nDATA\r\n", 3);
    ask($socket, "$message.\r\n", 1);
}

# Writes, and reads so many replies. The first refusal ends the session.
sub ask {
    my ($socket, $text, $replies) = @_;
    for (my $sent = 0; $sent < length $text;) {
        $sent += syswrite($socket, $text, length($text) - $sent, $sent) // die "write: $!\n";
    }
    my $heard = '';
    while ($replies > 0) {
        sysread($socket, $heard, 4096, length $heard) or die "the server closed the connection\n";
        # RFC 5321 4.2.1: a hyphen behind the code says that more lines follow.
        while ($heard =~ s/^([^\r]*)\r\n//) {
            my $line = $1;
            die "$line\n" if $line !~ /^[23]/;
            $replies-- if $line !~ /^\d{3}-/;
        }
    }
}

sub contents {
    my ($file) = @_;
    open(my $handle, '<:raw', $file) or die "$file: $!\n";
    local $/;
    return <$handle>;
}
