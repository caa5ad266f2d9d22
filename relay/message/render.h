/* What leaves: a generated prefix (signatures, per-recipient fields) and the stored bytes, in the
 * form the next hop can take.  The 8-bit form is read straight from the segment; the 7-bit form is
 * made once by mime_to_seven_bit() into a memory file, which is then signed and read in its place.
 * Thread: the owner's; no I/O but through the reader handed in. */
#pragma once

#include <sys/types.h>

#include "relay/base/buffer.h"

enum render_form {
    RENDER_EIGHT_BIT, /* stored bytes as they are */
    RENDER_SEVEN_BIT, /* through mime_to_seven_bit() */
    RENDER_IMPOSSIBLE /* the hop lacks SMTPUTF8: fail with 5.6.7 */
};

/* What a message needs and what the hop offers. */
struct render_needs {
    bool has_eight_bit_body;
    bool has_eight_bit_header;
    bool has_utf8_address; /* sender, or a recipient of this transaction */
    bool asked_smtputf8;   /* the client said SMTPUTF8 at MAIL */
};
struct render_offers {
    bool eight_bit_mime;
    bool smtputf8;
};

/* UTF-8 headers that the client announced need SMTPUTF8.  Those it did not announce (many programs
 * write raw headers) pass to any hop that takes 8 bits, as they do everywhere else. */
enum render_form render_form_for(struct render_needs needs, struct render_offers offers);

/* Whether MAIL must say SMTPUTF8 to a hop that offers it. */
bool render_needs_smtputf8(struct render_needs needs);

/* Fills up to len bytes from offset; returns how many (0 is an error: the bytes must be there),
 * or -errno; -EAGAIN: not in memory, have them read ahead and call again. */
struct render_reader {
    ssize_t (*read)(void *owner, uint64_t offset, void *out, size_t len);
    void *owner;
};

struct render {
    struct slice prefix; /* whole header fields with their CRLF; must outlive the render */
    struct render_reader reader;
    uint64_t offset; /* of the next stored byte, from the start of the stored message */
    uint64_t end;    /* where the stored message ends */
};

/* length: bytes of the stored message. */
void render_init(struct render *render, struct slice prefix, struct render_reader reader,
                 uint64_t length);

/* The next bytes: the prefix first, then stored bytes read into room[room_bytes].  *out is empty
 * at the end.  0, -EAGAIN (nothing consumed), -EIO when bytes are missing, or the reader's. */
MUST_USE int render_next(struct render *render, char *room, size_t room_bytes, struct slice *out);

uint64_t render_length(const struct render *render); /* bytes still to come; SIZE= at the start */
