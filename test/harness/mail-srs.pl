# Answers questions about SRS addresses with Debian's Mail::SRS, one line of JSON each. Run by mail-srs.ts.
use strict;
use warnings;

# Mail::SRS reads the clock itself; its calls are bound when it is compiled, so this must stand before.
my $now;
BEGIN { *CORE::GLOBAL::time = sub () { $now } }

use JSON::PP;
use Mail::SRS;

# A mail server hands octets over; characters beyond them would be refused by the hash.
sub octets {
    my ($value) = @_;
    return [ map { octets($_) } @$value ] if ref $value eq 'ARRAY';
    utf8::encode($value);
    return $value;
}

$| = 1;
while (my $line = <STDIN>) {
    my $question = decode_json($line);
    $now = $question->{now};
    my %options = map { $_ => octets($question->{options}{$_}) } keys %{ $question->{options} };
    my $answer = eval {
        my $srs = Mail::SRS->new(%options);
        $question->{ask} eq 'forward'
            ? $srs->forward(octets($question->{address}), $question->{domain})
            : $srs->reverse(octets($question->{address}));
    };
    my $error = $@;
    utf8::decode($_) for grep { defined } $answer, $error;
    print encode_json($error ? { error => $error } : { answer => $answer }), "\n";
}
