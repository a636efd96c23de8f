# Times Mail::SRS itself: "COUNT" in, seconds out; each count is that many addresses, forged and reversed. Run by srs.ts.
use strict;
use warnings;
use JSON::PP;
use Mail::SRS;
use Time::HiRes qw(time);

$| = 1;
my $srs = Mail::SRS->new(Secret => 'a long random secret of 22 chars');
while (my $line = <STDIN>) {
    my $count = decode_json($line)->{count};
    my $start = time;
    for my $i (1 .. $count / 2) {
        my $address = $srs->forward("user$i\@origin.example", 'forwarder.example');
        $srs->reverse($address) eq "user$i\@origin.example" or die;
    }
    print encode_json({ answer => time - $start }), "\n";
}
