#include "signer/signed_headers.h"

/* A verifier matches each name in h= to the lowest instance not yet used; the extra mention of an
 * oversigned name says "and no more of these".  Not signed: trace fields and what relays change. */
const struct signed_name signed_names[SIGNED_NAMES] = {
    {"from",                      true },
    {"to",                        true },
    {"subject",                   true },
    {"date",                      true },
    {"message-id",                false},
    {"cc",                        false},
    {"reply-to",                  false},
    {"in-reply-to",               false},
    {"references",                false},
    {"mime-version",              true },
    {"content-type",              true },
    {"content-transfer-encoding", false},
    {"list-id",                   false},
    {"list-unsubscribe",          true },
    {"list-unsubscribe-post",     true },
    {"list-help",                 false},
    {"list-subscribe",            false},
    {"list-owner",                false},
    {"list-post",                 false},
    {"list-archive",              false},
    {"feedback-id",               false},
};

struct signed_match {
    struct dkim_field field;
    unsigned name; /* place in signed_names */
};

void signed_headers_fini(struct signed_headers *headers)
{
    buffer_fini(&headers->matches);
    buffer_fini(&headers->canonical);
}

unsigned signed_name_find(struct slice name)
{
    unsigned place = 0;

    while (place < SIGNED_NAMES &&
           !slice_equal_ignoring_case(name, slice_of(signed_names[place].name)))
        place++;
    return place;
}

static void note_field(struct signed_headers *headers, const struct dkim_field *field)
{
    struct signed_match match = {*field, signed_name_find(field->name)};

    if (match.name < SIGNED_NAMES)
        buffer_append(&headers->matches, slice_from(&match, sizeof(match)));
}

static void note_fields(struct signed_headers *headers, struct slice block)
{
    struct dkim_field field;

    while (dkim_field_next(&block, &field))
        note_field(headers, &field);
}

/* All instances of one name, the lowest first. */
static void add_name(struct signed_headers *headers, unsigned name)
{
    const struct signed_match *matches = (const void *)headers->matches.data;

    for (size_t i = headers->matches.len / sizeof(*matches); i-- > 0;) {
        if (matches[i].name != name || headers->n_names >= SIGNED_FIELDS_MAX)
            continue;
        headers->names[headers->n_names++] = (uint8_t)name;
        canonical_header(&headers->canonical, &matches[i].field);
        buffer_append_text(&headers->canonical, "\r\n");
    }
}

int signed_headers_collect(struct signed_headers *headers, struct slice prefix, struct slice block)
{
    buffer_clear(&headers->matches);
    buffer_clear(&headers->canonical);
    headers->n_names = 0;
    note_fields(headers, prefix);
    note_fields(headers, block);
    if (buffer_error(&headers->matches))
        return buffer_error(&headers->matches);
    for (unsigned i = 0; i < SIGNED_NAMES; i++)
        add_name(headers, i);
    for (unsigned i = 0; i < SIGNED_NAMES; i++)
        if (signed_names[i].is_oversigned)
            headers->names[headers->n_names++] = (uint8_t)i;
    return buffer_error(&headers->canonical);
}
