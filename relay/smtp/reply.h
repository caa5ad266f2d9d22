/* One SMTP reply, given or received: code, enhanced status, text.  A value; it owns nothing, its
 * text is good as long as the bytes it looks at.
 * Thread: any.  RFC 5321 4.2, RFC 2034. */
#pragma once

#include "relay/smtp/enhanced_status.h"

struct smtp_reply {
    uint16_t code; /* 200..599; 0: no reply (the connection was lost) */
    struct enhanced_status status;
    struct slice text; /* without code and status; its lines are parted by LF */
};

#define SMTP_STATUS(class_, subject_, detail_)                                                     \
    ((struct enhanced_status){(class_), (subject_), (detail_)})

/* SMTP_REPLY(250, 2, 1, 0, "Ok") is a constant expression; class 0 leaves the status out. */
/* clang-format off */
#define SMTP_REPLY(code_, class_, subject_, detail_, text_)                                        \
    ((struct smtp_reply){.code = (code_),                                                          \
                         .status = {(class_), (subject_), (detail_)},                              \
                         .text = {(text_), sizeof(text_) - 1}})
/* clang-format on */

/* The same for a text made at run time. */
static inline struct smtp_reply smtp_reply_with(uint16_t code, struct enhanced_status status,
                                                struct slice text)
{
    return (struct smtp_reply){code, status, text};
}

static inline bool smtp_reply_is_positive(struct smtp_reply reply)
{
    return reply.code >= 200 && reply.code < 300;
}

static inline bool smtp_reply_is_temporary(struct smtp_reply reply)
{
    return reply.code >= 400 && reply.code < 500;
}

static inline bool smtp_reply_is_permanent(struct smtp_reply reply)
{
    return reply.code >= 500 && reply.code < 600;
}

/* Appends the reply as sent, "250-2.1.0 text" CRLF and so on: one line per line of text, longer
 * ones broken so that none exceeds 512 octets (RFC 5321 4.5.3.1.5), the status on each, bytes that
 * are not printable ASCII as '?', so no text can forge a second reply. */
void smtp_reply_print(struct buffer *out, struct smtp_reply reply);

/* Appends what a log or a report shows: "250 2.1.0 text", LF as blank, escaped by its printer. */
void smtp_reply_print_line(struct buffer *out, struct smtp_reply reply);
