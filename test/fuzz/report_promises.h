/* What holds for every report that we write, whoever chose the texts in it; and how a target takes
 * those texts from its input. */
#pragma once

#include "test/fuzz/fuzz.h"

#include "relay/message/dsn.h"
#include "relay/message/header.h"
#include "relay/message/mime_entity.h"

/* Up to the next byte 0xFF. */
static inline struct slice next_text(struct slice *rest)
{
    ptrdiff_t end = slice_find(*rest, '\xff');
    struct slice text = slice_head(*rest, end < 0 ? rest->len : (size_t)end);

    *rest = slice_skip(*rest, text.len + 1);
    return text;
}

static inline void check_lines(struct slice report)
{
    while (report.len) {
        ptrdiff_t end = slice_find(report, '\n');

        PROMISE(end > 0 && end <= 999 && report.data[end - 1] == '\r');
        for (ptrdiff_t i = 0; i + 1 < end; i++)
            PROMISE((unsigned char)report.data[i] >= ' ' && report.data[i] != '\x7f');
        report = slice_skip(report, (size_t)end + 1);
    }
}

/* Ours is checked when the settings are read; the lines must hold for any, the fields for it. */
static inline bool is_host(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((ascii_lower(name.data[i]) >= 'a' && ascii_lower(name.data[i]) <= 'z') ||
              (name.data[i] >= '0' && name.data[i] <= '9')))
            return false;
    return name.len > 0 && name.len <= 253;
}

static inline unsigned count(struct slice report, struct slice part)
{
    unsigned n = 0;
    ptrdiff_t at;

    while ((at = slice_search(report, part)) >= 0) {
        report = slice_skip(report, (size_t)at + part.len);
        n++;
    }
    return n;
}

/* Its header as our own reader sees it: every line a field, one From, and a boundary to split by.
 */
static inline void check_header(struct slice report, const struct dsn_facts *told)
{
    struct header_facts facts;
    struct mime_entity entity;
    struct arena arena;
    bool is_complete;
    size_t len = header_length(report, &is_complete);

    arena_init(&arena, 0);
    PROMISE(is_complete && len == told->header_bytes);
    PROMISE(header_read_facts(slice_head(report, len), &arena, &facts) == 0);
    PROMISE(facts.n_malformed == 0 && facts.n_from_fields == 1 && facts.n_from == 1);
    PROMISE(!facts.has_malformed_from || told->has_eight_bit_header);
    PROMISE(facts.has_date && facts.has_message_id && facts.has_mime_version);
    PROMISE(facts.has_eight_bit == told->has_eight_bit_header && facts.is_utf8);
    PROMISE(mime_read_entity(slice_head(report, len), MIME_TEXT, &entity) == 0);
    PROMISE(entity.kind == MIME_MULTIPART && entity.boundary[0]);
    arena_reset(&arena);
}
