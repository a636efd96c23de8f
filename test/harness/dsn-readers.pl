# Reads DSNs with Debian's Mail::DeliveryStatus::BounceParser, one line of JSON each. Run by dsn-readers.ts.
use strict;
use warnings;

use JSON::PP;
use MIME::Base64;
use Mail::DeliveryStatus::BounceParser;

$| = 1;
while (my $line = <STDIN>) {
    my $question = decode_json($line);
    my $answer = eval {
        # As a mail store hands it over: with the line ends of the system.
        my $message = decode_base64($question->{message}) =~ s/\r\n/\n/gr;
        my $bounce = Mail::DeliveryStatus::BounceParser->new($message);
        my @reports = map {
            my $report = $_;
            my %found = map { my $value = $report->get($_) // ''; chomp $value; ($_ => $value) }
                qw(email status action std_reason);
            \%found;
        } $bounce->reports;
        { isBounce => $bounce->is_bounce ? 1 : 0, reports => \@reports, messageId => $bounce->orig_message_id };
    };
    my $error = $@;
    print encode_json($error ? { error => $error } : { answer => $answer }), "\n";
}
