# The program that offers mail: smtp-source writes its messages itself, and these are signed. In Perl, with a process for each
# session, because it shares the cores with what is measured.
# Started by offer.ts:  perl generator.pl PORT SESSIONS MESSAGES RECIPIENT FILE...
# A file is one message, and its name is the envelope sender; they are sent in turn, many a connection.
# Says `ready`, begins with the first line on its standard input, and exits 0 if all were accepted.
use strict;
use warnings;
use File::Basename qw(basename);
use Socket qw(PF_INET SOCK_STREAM IPPROTO_TCP TCP_NODELAY inet_aton pack_sockaddr_in);

my ($port, $sessions, $messages, $recipient, @files) = @ARGV;
my $address = pack_sockaddr_in($port, inet_aton('127.0.0.1'));
# The envelope goes in one piece (RFC 2920).
my @mails = map {
    {   envelope => "MAIL FROM:<@{[basename($_)]}>\r\nRCPT TO:<$recipient>\r\nDATA\r\n",
        content  => contents($_) . ".\r\n",
    }
} @files;
my $parent = $$;

$| = 1;
print "ready\n";
<STDIN>;
for my $session (0 .. $sessions - 1) {
    my $child = fork // die "fork: $!\n";
    next if $child;
    run_session($session);
    exit 0;
}
my $failed = 0;
while (wait() > 0) { $failed ||= $? }
exit($failed ? 1 : 0);

# Every so many-th message.
sub run_session {
    my ($session) = @_;
    my $socket = greeted();
    for (my $at = $session; $at < $messages; $at += $sessions) {
        exit 1 if getppid() != $parent;
        my $mail = $mails[$at % @mails];
        ask($socket, $mail->{envelope}, 3);
        ask($socket, $mail->{content},  1);
    }
    ask($socket, "QUIT\r\n", 1);
}

sub greeted {
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
    connect($socket, $address) or die "connect: $!\n";
    ask($socket, '', 1);
    ask($socket, "EHLO client.example\r\n", 1);
    return $socket;
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
