/* Messages for the tests of signing: one that is ordinary, and any number that are not, made from a
 * seed.  Always whole: CRLF lines, a header block with From, an empty line, a body. */
#pragma once

#include "relay/base/buffer.h"

static const char dkim_sample[] = "Received: by relay.example with ESMTP id 7Q2F\r\n"
                                  "From: Ada <ada@example.com>\r\n"
                                  "To: Bob <bob@example.net>,\r\n"
                                  "  Carla <carla@example.net>\r\n"
                                  "Subject: A  letter \t with\r\n"
                                  "\tblanks \r\n"
                                  "Date: Sun, 22 Nov 2026 17:25:03 +0100\r\n"
                                  "Message-ID: <1@example.com>\r\n"
                                  "MIME-Version: 1.0\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "\r\n"
                                  "Dear Bob,  \r\n"
                                  "\r\n"
                                  "caf\xc3\xa9 \t at   five?\r\n"
                                  "\r\n"
                                  "\r\n";

/* A small generator that gives the same on every machine. */
static inline uint32_t dkim_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % below;
}

/* Words, blanks in all arrangements, and what `breaks` adds: line ends or folds. */
static inline void dkim_random_text(struct buffer *out, uint32_t *seed, const char *const *pieces,
                                    uint32_t n_pieces, uint32_t n_wanted)
{
    for (uint32_t i = 0; i < n_wanted; i++)
        buffer_append_text(out, pieces[dkim_random(seed, n_pieces)]);
}

static inline void dkim_random_message(struct buffer *out, uint32_t seed)
{
    static const char *const names[] = {
        "To",           "Cc",      "Subject",          "Date",
        "Message-ID",   "X-Other", "List-Unsubscribe", "MIME-Version",
        "conTENT-type", "List-Id", "Received",         "From"};
    static const char *const values[] = {"a",     "bc",     " ",     "  ",       "\t",    ":",
                                         "\r\n ", "\r\n\t", "<d@e>", "\xc3\xa9", "=?x?=", ";"};
    static const char *const bodies[] = {"a",    "word", " ",        "  ",  "\t",   "\r\n",
                                         "\r\n", ".",    "\xff\xc3", "b c", " \t ", "\r\n\r\n"};
    uint32_t n_fields = dkim_random(&seed, 20);

    buffer_append_text(out, "From: x@example.com\r\n");
    for (uint32_t i = 0; i < n_fields; i++) {
        buffer_append_text(out, names[dkim_random(&seed, 12)]);
        buffer_append_text(out, dkim_random(&seed, 8) ? ":" : "  :");
        dkim_random_text(out, &seed, values, 12, dkim_random(&seed, 12));
        buffer_append_text(out, "x\r\n");
    }
    buffer_append_text(out, "\r\n");
    dkim_random_text(out, &seed, bodies, 12, dkim_random(&seed, dkim_random(&seed, 4) ? 40 : 4));
    if (!slice_equal(slice_skip(buffer_slice(out), out->len - 2), SLICE_LITERAL("\r\n")))
        buffer_append_text(out, "\r\n");
}
