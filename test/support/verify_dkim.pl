#!/usr/bin/perl
# Mail::DKIM's opinion of the message on stdin: one line a signature, "algorithm domain selector detail":
# "pass", or the result with its reason in brackets.
# usage: verify_dkim.pl NAMESERVER
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::DNS;
use Net::DNS::Resolver;

# By TCP: a datagram that is lost costs Net::DNS five seconds, two of them all the time that Mail::DKIM has.
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => [$ARGV[0]], recurse => 0, usevc => 1));
$Mail::DKIM::DNS::TIMEOUT = 60;
my $verifier = Mail::DKIM::Verifier->new();
binmode STDIN;
while (read(STDIN, my $chunk, 65536)) {
    $verifier->PRINT($chunk);
}
$verifier->CLOSE;
for my $signature ($verifier->signatures) {
    print join(' ', $signature->algorithm, $signature->domain, $signature->selector, $signature->result_detail), "\n";
}
