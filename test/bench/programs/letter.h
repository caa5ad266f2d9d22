/* The newsletter that is sent: a header whose fields have fixed widths, and a body of text lines
 * that all messages of one size share.  X-Bench-Id is what the receiver finds a message by. */
#pragma once

#include <stdint.h>

#include "wire.h"

#define LETTER_ID_FIELD "X-Bench-Id: "

struct letters {
    const char *from_domain;
    char date[64];
    char *body; /* CRLF lines, no line begins with a dot */
    size_t body_bytes;
};

/* message_bytes: about what the whole message has, header included. */
void letters_init(struct letters *letters, const char *from_domain, size_t message_bytes);
/* Appends the whole message, without the final dot. */
void letter_add(const struct letters *letters, struct bytes *out, uint64_t id,
                const char *recipient);
