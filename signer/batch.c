#include "signer/service.h"

#include <errno.h>

/* The descriptors of a datagram are used up in the order of the records that need one. */
struct fd_cursor {
    struct channel_message *message;
    size_t n_taken;
};

static struct shared_file *take_file(struct fd_cursor *fds)
{
    int fd = channel_take_fd(fds->message, fds->n_taken);

    fds->n_taken++;
    return fd >= 0 ? shared_file_new(fd) : NULL;
}

static int read_file(struct signer_record *record, struct signer_connection *connection,
                     struct fd_cursor *fds)
{
    struct shared_file *file;
    uint16_t slot;

    if (!wire_get_file(record, &slot))
        return -EBADMSG;
    file = take_file(fds);
    if (!file)
        return -EBADMSG;
    shared_file_unref(connection->slots[slot]);
    connection->slots[slot] = file;
    return 0;
}

static int read_sign(struct signer_record *record, struct signer_connection *connection,
                     struct fd_cursor *fds, struct batch_item *item)
{
    uint16_t slot;

    if (!wire_get_sign(record, &item->sign))
        return -EBADMSG;
    slot = item->sign.slot;
    if (slot == SIGNER_SLOT_ONCE)
        item->file = take_file(fds);
    else if (connection->slots[slot])
        item->file = shared_file_ref(connection->slots[slot]);
    return item->file ? 0 : -EBADMSG;
}

static int read_record(struct batch *batch, struct signer_record *record,
                       struct signer_connection *connection, struct fd_cursor *fds)
{
    struct batch_item *item = &batch->items[batch->n_items];

    if (record->kind == RECORD_FILE)
        return read_file(record, connection, fds);
    if (batch->n_items == SIGNER_BATCH)
        return -EBADMSG;
    *item = (struct batch_item){.kind = record->kind, .id = record->id};
    batch->n_items++;
    switch ((int)record->kind) {
    case RECORD_SIGN:
        return read_sign(record, connection, fds, item);
    case RECORD_KEY:
        return wire_get_key(record, &item->key) ? 0 : -EBADMSG;
    case RECORD_KEY_LIST:
        return wire_get_key_list(record, &item->after.domain, &item->after.selector) ? 0 : -EBADMSG;
    default: /* any number a byte can have */
        return -EBADMSG;
    }
}

int batch_read(struct batch *batch, struct signer_connection *connection)
{
    struct reader datagram = {.rest = buffer_slice(&batch->message.bytes)};
    struct fd_cursor fds = {.message = &batch->message};
    struct signer_record record;
    int more = 0;

    batch->n_items = 0;
    if (batch->message.kind != SIGNER_REQUESTS)
        return -EBADMSG;
    while ((more = signer_record_next(&datagram, &record)) == 1) {
        int error = read_record(batch, &record, connection, &fds);

        if (error)
            return error;
    }
    return more == 0 && fds.n_taken == batch->message.n_fds ? 0 : -EBADMSG;
}

void batch_fini(struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_items; i++)
        shared_file_unref(batch->items[i].file);
    batch->n_items = 0;
    private_key_wipe(&batch->message.bytes); /* an imported key may be in it */
    channel_message_fini(&batch->message);
}
