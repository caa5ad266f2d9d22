/* One of the two files that include libopendkim (the other: policy/judge.c). */
#include "signer/opendkim_engine.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include <opendkim/dkim.h>

#include "signer/canonical.h"
#include "signer/signed_headers.h"

struct opendkim_engine {
    DKIM_LIB *library;
    struct buffer field; /* that is being handed over */
    uint64_t life_s; /* as the library has it now: an option of the library, not of a signature */
};

static bool set_option(DKIM_LIB *library, dkim_opts_t option, void *value, size_t size)
{
    return dkim_options(library, DKIM_OP_SETOPT, option, value, size) == DKIM_STAT_OK;
}

/* Unless told which fields, it would sign everything, Received and Return-Path included. */
static bool set_header_lists(DKIM_LIB *library)
{
    const char *all[SIGNED_NAMES + 1], *twice[SIGNED_NAMES + 1];
    unsigned n_twice = 0;

    for (unsigned i = 0; i < SIGNED_NAMES; i++) {
        all[i] = signed_names[i].name;
        if (signed_names[i].is_oversigned)
            twice[n_twice++] = signed_names[i].name;
    }
    all[SIGNED_NAMES] = twice[n_twice] = NULL;
    return set_option(library, DKIM_OPTS_SIGNHDRS, all, sizeof(char **)) &&
           set_option(library, DKIM_OPTS_OVERSIGNHDRS, twice, sizeof(char **));
}

int opendkim_engine_new(struct opendkim_engine **out)
{
    struct opendkim_engine *engine = calloc(1, sizeof(*engine));

    if (!engine)
        return FAULT(-ENOMEM);
    engine->library = dkim_init(NULL, NULL);
    if (!engine->library || !set_header_lists(engine->library)) {
        opendkim_engine_free(engine);
        return FAULT(-ENOMEM);
    }
    *out = engine;
    return 0;
}

struct opendkim_engine *opendkim_engine_free(struct opendkim_engine *engine)
{
    if (!engine)
        return NULL;
    if (engine->library)
        dkim_close(engine->library);
    buffer_fini(&engine->field);
    free(engine);
    return NULL;
}

static void free_handle_cleanup(DKIM **handle)
{
    if (*handle)
        dkim_free(*handle);
}

/* Only what is to be signed, and without blanks before the colon: on other fields that are a
 * little odd the library gives the whole message up. */
static bool feed_fields(struct opendkim_engine *engine, DKIM *handle, struct slice block)
{
    struct buffer *text = &engine->field;
    struct dkim_field field;
    bool is_good = true;

    while (is_good && dkim_field_next(&block, &field)) {
        if (signed_name_find(field.name) == SIGNED_NAMES)
            continue;
        buffer_clear(text);
        buffer_append(text, field.name);
        buffer_append_byte(text, ':');
        buffer_append(text, field.value);
        is_good = buffer_error(text) == 0 &&
                  dkim_header(handle, (u_char *)text->data, text->len) == DKIM_STAT_OK;
    }
    return is_good;
}

static int feed_body(DKIM *handle, struct message_reader *message)
{
    struct slice piece;
    int more;

    while ((more = message_reader_body(message, &piece)) == 1)
        if (dkim_body(handle, (u_char *)piece.data, piece.len) != DKIM_STAT_OK)
            return FAULT(-EIO);
    return more;
}

static int feed_message(struct opendkim_engine *engine, DKIM *handle,
                        const struct sign_input *input)
{
    struct slice block;
    int error = message_reader_header(input->message, &block);

    if (error)
        return error;
    if (!feed_fields(engine, handle, input->prefix) || !feed_fields(engine, handle, block) ||
        dkim_eoh(handle) != DKIM_STAT_OK)
        return FAULT(-EIO);
    return feed_body(handle, input->message);
}

/* The library folds with a bare LF; what leaves has CRLF only. */
static void append_with_crlf(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r'))
            buffer_append_byte(out, '\r');
        buffer_append_byte(out, text.data[i]);
    }
}

static int append_signature(DKIM *handle, struct buffer *out)
{
    static const char name[] = "DKIM-Signature: ";
    u_char *text;
    size_t len;

    if (dkim_eom(handle, NULL) != DKIM_STAT_OK ||
        dkim_getsighdr_d(handle, sizeof(name) - 1, &text, &len) != DKIM_STAT_OK)
        return FAULT(-EIO);
    buffer_append_text(out, name);
    append_with_crlf(out, slice_from(text, len));
    buffer_append_text(out, "\r\n");
    return buffer_error(out);
}

static int set_life(struct opendkim_engine *engine, uint64_t life_s)
{
    if (engine->life_s == life_s)
        return 0;
    if (!set_option(engine->library, DKIM_OPTS_SIGNATURETTL, &life_s, sizeof(life_s)))
        return FAULT(-EIO);
    engine->life_s = life_s;
    return 0;
}

static int sign_with_pem(struct opendkim_engine *engine, const struct sign_input *input,
                         const struct signing_key *key, char *pem, struct buffer *out)
{
    DKIM_STAT status;
    CLEANUP(free_handle)
    DKIM *handle =
        dkim_sign(engine->library, (const u_char *)"signer", NULL, (u_char *)pem,
                  (const u_char *)key->name.selector, (const u_char *)input->domain,
                  DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &status);
    int error = handle ? feed_message(engine, handle, input) : FAULT(-EIO);

    return error ? error : append_signature(handle, out);
}

int sign_by_opendkim(struct opendkim_engine *engine, const struct sign_input *input,
                     struct buffer *out)
{
    struct buffer pem = BUFFER_INIT;
    int error = set_life(engine, input->life_s);

    assert(input->n_keys == 1 && input->keys[0]->type == DKIM_KEY_RSA);
    if (!error)
        error = private_key_encode(input->privates[0], &pem);
    if (!error) {
        buffer_append_byte(&pem, '\0');
        error = sign_with_pem(engine, input, input->keys[0], pem.data, out);
    }
    private_key_wipe(&pem);
    return error;
}
