#include <errno.h>

#include "signer/client_internal.h"

struct signer_request *client_take_sent(struct signer_client *client, unsigned place)
{
    struct signer_request *request = client->under_way[place];

    if (!request)
        return NULL;
    client->under_way[place] = NULL;
    client->n_under_way--;
    request->id = 0;
    return request;
}

/* An id whose place in the window is free; there is one. */
static void mark_sent(struct signer_client *client, struct signer_request *request)
{
    do
        client->last_id++;
    while (client->under_way[client->last_id % SIGNER_WINDOW] || client->last_id == 0);
    request->id = client->last_id;
    client->under_way[request->id % SIGNER_WINDOW] = request;
    client->n_under_way++;
}

static void put_fd(struct client_datagram *datagram, int fd)
{
    datagram->fds[datagram->n_fds++] = fd;
}

static uint16_t put_file(struct signer_client *client, struct client_datagram *datagram, int fd)
{
    bool is_new;
    uint16_t slot = file_slots_find(&client->slots, fd, &is_new);

    if (is_new)
        put_fd(datagram, fd);
    if (is_new && slot != SIGNER_SLOT_ONCE) {
        wire_put_file(&datagram->records, slot);
        datagram->new_slots[datagram->n_new_slots++] = slot;
    }
    return slot;
}

static void put_sign(struct signer_client *client, struct client_datagram *datagram,
                     const struct sign_request *request)
{
    struct wire_sign wire = {
        .slot = SIGNER_SLOT_ONCE,
        .offset = request->offset,
        .length = request->length,
        .crc = request->crc,
        .life_s = request->life_s,
        /* No domain is that long, so there is no key for it: the signer shall say so. */
        .domain = slice_head(request->domain, SIGNER_NAME_MAX),
        .selector = slice_head(request->selector, SIGNER_NAME_MAX),
        .prefix = request->prefix,
    };

    if (request->once)
        put_fd(datagram, request->fd);
    else
        wire.slot = put_file(client, datagram, request->fd);
    wire_put_sign(&datagram->records, request->base.id, &wire);
}

static void put_key(struct client_datagram *datagram, const struct key_request *request)
{
    struct wire_key wire = {.verb = request->verb,
                            .type = request->type,
                            .domain = request->domain,
                            .selector = request->selector,
                            .pem = request->pem};

    wire_put_key(&datagram->records, request->base.id, &wire);
    datagram->has_secret |= request->pem.len > 0;
}

static void put_request(struct signer_client *client, struct client_datagram *datagram,
                        struct signer_request *request)
{
    const struct key_list_request *list = (void *)request;

    mark_sent(client, request);
    datagram->requests[datagram->n_requests++] = request;
    if (request->kind == RECORD_SIGN)
        put_sign(client, datagram, (void *)request);
    else if (request->kind == RECORD_KEY)
        put_key(datagram, (void *)request);
    else
        wire_put_key_list(&datagram->records, request->id, list->after_domain,
                          list->after_selector);
}

bool client_fill(struct signer_client *client, struct client_datagram *datagram)
{
    _Static_assert(SIGNER_PREFIX_MAX + 4096 < SIGNER_DATAGRAM_MAX / 2, "the largest always fits");

    buffer_clear(&datagram->records);
    datagram->n_requests = datagram->n_fds = datagram->n_new_slots = 0;
    datagram->has_secret = false;
    /* The whole first, since it may hold a private key: growing would leave copies. */
    if (list_is_empty(&client->waiting) || buffer_reserve(&datagram->records, SIGNER_DATAGRAM_MAX))
        return false;
    while (client->n_under_way < SIGNER_WINDOW && datagram->n_requests < SIGNER_BATCH &&
           datagram->records.len < SIGNER_DATAGRAM_MAX / 2) {
        struct list *links = list_take_first(&client->waiting);

        if (!links)
            break;
        put_request(client, datagram, CONTAINER_OF(links, struct signer_request, links));
    }
    return datagram->n_requests > 0;
}

void client_take_back(struct signer_client *client, struct client_datagram *datagram)
{
    while (datagram->n_new_slots)
        file_slots_forget(&client->slots, datagram->new_slots[--datagram->n_new_slots]);
    while (datagram->n_requests) {
        struct signer_request *request = datagram->requests[--datagram->n_requests];

        client_take_sent(client, request->id % SIGNER_WINDOW);
        list_prepend(&client->waiting, &request->links);
    }
}

static void finish_sign(struct sign_request *request, const struct wire_signed *done)
{
    request->result = done->result;
    request->n_signatures = done->n_signatures;
    request->signed_domain = done->domain;
    request->selectors = done->selectors;
    request->header = done->header;
    request->done(request);
}

static void finish_key(struct key_request *request, const struct wire_key_done *done)
{
    request->result = done->result;
    request->why = done->why;
    request->found_type = done->type;
    request->bits = done->bits;
    request->is_active = done->is_active;
    request->public_half = done->public_half;
    request->done(request);
}

static void finish_list(struct key_list_request *request, struct reader body)
{
    request->result = (enum key_result)reader_u8(&body);
    request->has_more = reader_u8(&body) != 0;
    request->keys = body;
    request->done(request);
}

void client_fail(struct signer_request *request)
{
    struct wire_signed no_signature = {.result = request->is_refused ? SIGN_FAILED : SIGN_DOWN};
    struct wire_key_done no_key = {
        .result = request->is_refused ? KEY_REFUSED : KEY_SIGNER_DOWN,
        .why = request->is_refused ? SLICE_LITERAL("the name or the key is too long")
                                   : SLICE_LITERAL("the signer does not answer"),
    };
    struct key_list_request *list = (void *)request;

    if (request->kind == RECORD_SIGN) {
        finish_sign((void *)request, &no_signature);
    } else if (request->kind == RECORD_KEY) {
        finish_key((void *)request, &no_key);
    } else {
        list->result = no_key.result;
        list->has_more = false;
        list->keys = (struct reader){.rest = SLICE_LITERAL("")};
        list->done(list);
    }
}

/* One reply to one request: its kind must fit. */
static int finish(struct signer_client *client, struct signer_record *record)
{
    unsigned place = record->id % SIGNER_WINDOW;
    struct signer_request *request = client->under_way[place];
    struct wire_signed signature;
    struct wire_key_done key;

    if (!request || request->id != record->id)
        return 0; /* forgotten meanwhile */
    if (record->kind == RECORD_SIGNED && request->kind == RECORD_SIGN &&
        wire_get_signed(record, &signature))
        finish_sign((void *)client_take_sent(client, place), &signature);
    else if (record->kind == RECORD_KEY_DONE && request->kind == RECORD_KEY &&
             wire_get_key_done(record, &key))
        finish_key((void *)client_take_sent(client, place), &key);
    else if (record->kind == RECORD_KEYS && request->kind == RECORD_KEY_LIST &&
             record->body.rest.len >= 2)
        finish_list((void *)client_take_sent(client, place), record->body);
    else
        return -EBADMSG;
    return 0;
}

int client_take_replies(struct signer_client *client)
{
    struct reader datagram = {.rest = buffer_slice(&client->in.bytes)};
    struct signer_record record;
    int more;

    if (client->in.kind != SIGNER_REPLIES || client->in.n_fds)
        return -EBADMSG;
    while ((more = signer_record_next(&datagram, &record)) == 1)
        if (finish(client, &record))
            return -EBADMSG;
    return more == 0 ? 1 : more;
}
