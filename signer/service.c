#include "signer/service.h"

#include <errno.h>
#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "signer/opendkim_engine.h"
#include "signer/sign.h"

/* A key page stops here; with the largest other reply it still fits a datagram. */
enum { KEY_PAGE_BYTES = 30000, SELECTORS_SIZE = KEYS_PER_DOMAIN * DKIM_SELECTOR_SIZE + 1 };

struct service_desk {
    const struct signer_service *service;
    struct signing_desk *native;
    struct opendkim_engine *opendkim; /* NULL: native signs */
    struct message_reader message;
    struct buffer header;  /* of the message at hand */
    struct buffer replies; /* not sent yet */
};

int service_desk_new(struct service_desk **out, const struct signer_service *service)
{
    struct service_desk *desk = calloc(1, sizeof(*desk));
    int error;

    if (!desk)
        return FAULT(-ENOMEM);
    desk->service = service;
    desk->message = MESSAGE_READER_INIT;
    error = signing_desk_new(&desk->native);
    if (!error && service->engine == SIGNER_OPENDKIM)
        error = opendkim_engine_new(&desk->opendkim);
    if (error) {
        service_desk_free(desk);
        return error;
    }
    *out = desk;
    return 0;
}

struct service_desk *service_desk_free(struct service_desk *desk)
{
    if (!desk)
        return NULL;
    signing_desk_free(desk->native);
    opendkim_engine_free(desk->opendkim);
    message_reader_fini(&desk->message);
    buffer_fini(&desk->header);
    buffer_fini(&desk->replies);
    free(desk);
    return NULL;
}

/* Exact domain, else the organisational one.  domain is where d= is left. */
static unsigned find_active(const struct signer_service *service, const struct key_set *set,
                            char domain[DKIM_DOMAIN_SIZE],
                            const struct signing_key *out[KEYS_PER_DOMAIN])
{
    char organisational[DKIM_DOMAIN_SIZE];
    unsigned n_keys = key_set_active(set, domain, out);

    if (n_keys || !public_suffix_organisational(service->suffixes, domain, organisational))
        return n_keys;
    n_keys = key_set_active(set, organisational, out);
    if (n_keys)
        memcpy(domain, organisational, DKIM_DOMAIN_SIZE);
    return n_keys;
}

static unsigned find_keys(const struct signer_service *service, const struct key_set *set,
                          const struct wire_sign *request, char domain[DKIM_DOMAIN_SIZE],
                          const struct signing_key *out[KEYS_PER_DOMAIN])
{
    struct key_name name;
    char why[KEY_WHY_SIZE];

    if (request->selector.len == 0)
        return key_domain_set(domain, request->domain, why) ? find_active(service, set, domain, out)
                                                            : 0;
    if (!key_name_set(&name, request->domain, request->selector, why))
        return 0;
    memcpy(domain, name.domain, DKIM_DOMAIN_SIZE);
    out[0] = key_set_find(set, &name);
    return out[0] ? 1 : 0;
}

/* libopendkim signs with RSA only; returns how many are left. */
static unsigned keep_for_engine(const struct signer_service *service,
                                const struct signing_key *keys[KEYS_PER_DOMAIN], unsigned n_keys)
{
    if (service->engine == SIGNER_OPENDKIM && n_keys)
        return keys[0]->type == DKIM_KEY_RSA ? 1 : 0; /* RSA comes first */
    return n_keys;
}

/* Leaves only keys whose file can be used; returns how many. */
static unsigned decode_keys(const struct signer_service *service, struct sign_input *input,
                            const struct signing_key *const found[], unsigned n_found)
{
    for (unsigned i = 0; i < n_found; i++) {
        EVP_PKEY *private = signing_key_private(service->keys, found[i]);

        if (!private)
            continue;
        input->keys[input->n_keys] = found[i];
        input->privates[input->n_keys++] = private;
    }
    return input->n_keys;
}

static enum sign_result make_signatures(struct service_desk *desk, const struct sign_input *input)
{
    int error = desk->opendkim ? sign_by_opendkim(desk->opendkim, input, &desk->header)
                               : sign_natively(desk->native, input, &desk->header);

    if (error == -EILSEQ)
        return SIGN_DAMAGED;
    return error || desk->header.len > SIGNER_HEADER_MAX ? SIGN_FAILED : SIGN_OK;
}

static void print_selectors(char out[SELECTORS_SIZE], const struct sign_input *input)
{
    snprintf(out, SELECTORS_SIZE, "%s%s%s", input->keys[0]->name.selector,
             input->n_keys > 1 ? "," : "", input->n_keys > 1 ? input->keys[1]->name.selector : "");
}

static void sign_with_set(struct service_desk *desk, const struct batch_item *item,
                          const struct key_set *set)
{
    const struct wire_sign *request = &item->sign;
    const struct signing_key *found[KEYS_PER_DOMAIN];
    char domain[DKIM_DOMAIN_SIZE] = "", selectors[SELECTORS_SIZE] = "";
    unsigned n_found = keep_for_engine(desk->service, found,
                                       find_keys(desk->service, set, request, domain, found));
    struct wire_signed done = {.result = n_found ? SIGN_FAILED : SIGN_NO_KEY};
    struct sign_input input = {.prefix = request->prefix,
                               .message = &desk->message,
                               .domain = domain,
                               .now_s = clock_utc_ms() / 1000,
                               .life_s = request->life_s};

    buffer_clear(&desk->header);
    if (decode_keys(desk->service, &input, found, n_found)) {
        message_reader_start(&desk->message, item->file->fd, request->offset, request->length,
                             request->crc);
        done.result = make_signatures(desk, &input);
    }
    if (done.result == SIGN_OK) {
        print_selectors(selectors, &input);
        done.n_signatures = (uint8_t)input.n_keys;
        done.domain = slice_of(domain);
        done.selectors = slice_of(selectors);
        done.header = buffer_slice(&desk->header);
    }
    wire_put_signed(&desk->replies, item->id, &done);
}

static void answer_sign(struct service_desk *desk, const struct batch_item *item)
{
    struct key_set *set = key_store_current(desk->service->keys);

    sign_with_set(desk, item, set);
    key_set_unref(set);
}

/* The text for the two results that an operator must act upon. */
static enum key_result explain(int error, const char *refused, char why[KEY_WHY_SIZE])
{
    switch (error) {
    case 0:
        return KEY_OK;
    case -EEXIST:
        snprintf(why, KEY_WHY_SIZE, "a key of that name exists");
        return KEY_EXISTS;
    case -ENOENT:
        snprintf(why, KEY_WHY_SIZE, "there is no key of that name");
        return KEY_UNKNOWN;
    case -EBADMSG:
        snprintf(why, KEY_WHY_SIZE, "%s", refused);
        return KEY_REFUSED;
    default:
        snprintf(why, KEY_WHY_SIZE, "the key folder: %s", strerrordesc_np(-error));
        return KEY_FAILED;
    }
}

static int obey(struct key_store *keys, const struct wire_key *request, const struct key_name *name,
                char refused[KEY_WHY_SIZE])
{
    switch (request->verb) { /* no default: a new verb must not compile */
    case KEY_CREATE:
        return key_store_create(keys, name, request->type);
    case KEY_IMPORT:
        return key_store_import(keys, name, request->pem, refused);
    case KEY_ACTIVATE:
        return key_store_set_active(keys, name, true);
    case KEY_DEACTIVATE:
        return key_store_set_active(keys, name, false);
    case KEY_DELETE:
        return key_store_delete(keys, name);
    case KEY_SHOW:
        break;
    }
    return 0;
}

/* What the key now is.  Public things only. */
static int describe(struct key_store *keys, const struct key_name *name, struct wire_key_done *done,
                    struct buffer *public_half)
{
    struct key_set *set = key_store_current(keys);
    const struct signing_key *key = key_set_find(set, name);
    EVP_PKEY *private = key ? signing_key_private(keys, key) : NULL;
    int error = key ? -EIO : -ENOENT;

    if (private) {
        done->type = key->type;
        done->is_active = key->is_active;
        done->bits = (uint16_t)private_key_bits(private);
        error = private_key_public_half(private, key->type, public_half);
        done->public_half = buffer_slice(public_half);
    }
    key_set_unref(set);
    return error;
}

static void answer_key(struct service_desk *desk, const struct batch_item *item)
{
    CLEANUP(buffer) struct buffer public_half = BUFFER_INIT;
    struct key_store *keys = desk->service->keys;
    char refused[KEY_WHY_SIZE] = "", why[KEY_WHY_SIZE] = "";
    struct wire_key_done done = {0};
    struct key_name name;
    int error = -EBADMSG;

    if (key_name_set(&name, item->key.domain, item->key.selector, refused))
        error = obey(keys, &item->key, &name, refused);
    if (!error && item->key.verb != KEY_DELETE)
        error = describe(keys, &name, &done, &public_half);
    done.result = explain(error, refused, why);
    done.why = slice_of(why);
    wire_put_key_done(&desk->replies, item->id, &done);
}

static void put_item(struct buffer *out, const struct signing_key *key)
{
    struct wire_key_item item = {.type = key->type,
                                 .is_active = key->is_active,
                                 .domain = slice_of(key->name.domain),
                                 .selector = slice_of(key->name.selector)};

    wire_put_key_item(out, &item);
}

static void answer_key_list(struct service_desk *desk, const struct batch_item *item)
{
    struct key_set *set = key_store_current(desk->service->keys);
    struct buffer *out = &desk->replies;
    size_t begin = signer_record_begin(out, RECORD_KEYS, item->id), more_at, place;
    struct key_name after = {.domain = ""};
    const struct signing_key *key = NULL;

    slice_copy_to(item->after.domain, after.domain, sizeof(after.domain));
    slice_copy_to(item->after.selector, after.selector, sizeof(after.selector));
    buffer_append_u8(out, KEY_OK);
    more_at = out->len;
    buffer_append_u8(out, 0);
    for (place = key_set_after(set, &after);
         (key = key_set_at(set, place)) && out->len - begin < KEY_PAGE_BYTES; place++)
        put_item(out, key);
    if (!out->failed)
        out->data[more_at] = (char)(key != NULL);
    signer_record_end(out, begin);
    key_set_unref(set);
}

static void send_replies(struct service_desk *desk, struct signer_connection *connection)
{
    if (buffer_error(&desk->replies) == 0 && desk->replies.len)
        signer_connection_send(connection, buffer_slice(&desk->replies));
    buffer_clear(&desk->replies);
}

void batch_answer(struct batch *batch, struct service_desk *desk,
                  struct signer_connection *connection)
{
    for (unsigned i = 0; i < batch->n_items; i++) {
        const struct batch_item *item = &batch->items[i];

        if (item->kind == RECORD_SIGN)
            answer_sign(desk, item);
        else if (item->kind == RECORD_KEY)
            answer_key(desk, item);
        else
            answer_key_list(desk, item);
        if (desk->replies.len > SIGNER_DATAGRAM_MAX - KEY_PAGE_BYTES)
            send_replies(desk, connection);
    }
    send_replies(desk, connection);
}
