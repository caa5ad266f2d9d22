/* Encoded words of header fields (RFC 2047) as text for people: "=?utf-8?B?Q2lhbw==?=" is "Ciao".
 * Thread: any; pure. */
#pragma once

#include "relay/base/buffer.h"

/* Appends value, which is unfolded (header_unfold()), with its encoded words decoded into UTF-8.
 * What is malformed, or of a character set that we do not know, is appended as it stands; octets of
 * words said to be UTF-8 are not checked.  Never more than three times as long as value. */
void encoded_words_decode(struct slice value, struct buffer *out);
