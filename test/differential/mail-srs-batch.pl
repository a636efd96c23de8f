# Mail::SRS for millions of questions: one line each, fields between tabs, control characters and % as %XX.
#   O  number separator hashLength hashMin maxAge alwaysRewrite secret…   options under a number; no answer
#   F  number now sender domain                                           forward
#   R  number now address                                                 reverse
# Answers: + and the address, or - and the refusal. Run by mail-srs-batch.ts.
use strict;

# Mail::SRS reads the clock itself; its calls are bound when it is compiled, so this must stand before.
my $now;
BEGIN { *CORE::GLOBAL::time = sub () { $now } }

use Mail::SRS;
use Time::HiRes qw(ualarm);

# It counts up to the number that a stamp stands for, 1024 at a time: with a stamp of ten letters it never ends.
my $waiting = 0;
$SIG{ALRM} = sub { die "hangs" if $waiting };
my $LONG_STAMP = qr/^SRS0.[^=]*=[^=]{4,}=/i;

my @srs;
$| = 0;
while (my $line = <STDIN>) {
    chomp $line;
    my ($ask, $number, @fields) = split /\t/, $line, -1;
    s/%([0-9A-F]{2})/chr hex $1/ge for @fields;
    if ($ask eq 'O') {
        my ($separator, $length, $min, $age, $always, @secrets) = @fields;
        $srs[$number] = Mail::SRS->new(
            Separator => $separator, HashLength => $length, HashMin => $min, MaxAge => $age,
            AlwaysRewrite => $always, Secret => [@secrets],
        );
        next;
    }
    # An empty line asks for what is still in the buffer: one write for each batch.
    if ($ask eq '') { $| = 1; print ''; $| = 0; next }
    $now = shift @fields;
    my $patience = $ask eq 'R' && $fields[0] =~ $LONG_STAMP ? 100_000 : 0;
    ualarm $patience if $patience;
    # A late alarm must not fall outside eval: it would be the end of this program.
    my $answer = eval {
        $waiting = 1;
        my $made = $ask eq 'F' ? $srs[$number]->forward(@fields) : $srs[$number]->reverse(@fields);
        $waiting = 0;
        $made;
    };
    $waiting = 0;
    ualarm 0 if $patience;
    if ($@) { ($answer = "-$@") =~ s/\s+/ /g } else { $answer =~ s/([%\0-\x1f])/sprintf '%%%02X', ord $1/ge; $answer = "+$answer" }
    print $answer, "\n";
}
