/* One datagram of requests in, the replies out: where the relay's word is checked and obeyed.
 * Thread: the service is shared by all workers; a desk and a batch belong to one. */
#pragma once

#include "signer/connection.h"
#include "signer/key_store.h"
#include "signer/process.h"
#include "signer/public_suffix.h"

struct signer_service {
    struct key_store *keys;
    struct public_suffix *suffixes; /* NULL: no fallback to the organisational domain */
    enum signer_engine engine;
};

struct service_desk; /* what a worker reuses from request to request */
MUST_USE int service_desk_new(struct service_desk **out, const struct signer_service *service);
struct service_desk *service_desk_free(struct service_desk *desk); /* accepts NULL */

/* One request, its descriptor found, its texts still in the datagram. */
struct batch_item {
    enum signer_record_kind kind;
    uint64_t id;
    union {
        struct wire_sign sign;
        struct wire_key key;
        struct {
            struct slice domain, selector;
        } after;
    };
    struct shared_file *file; /* RECORD_SIGN: a reference */
};
struct batch {
    struct channel_message message; /* what the items' slices look into */
    struct batch_item items[SIGNER_BATCH];
    unsigned n_items;
};

/* Checks batch->message and takes its descriptors, into connection's slots or into the items.
 * 0, or -errno: whoever sent that is not our relay any more; close the connection.  Call
 * batch_fini() in either case. */
MUST_USE int batch_read(struct batch *batch, struct signer_connection *connection);
void batch_fini(struct batch *batch);

/* Does what the items ask and sends the replies. */
void batch_answer(struct batch *batch, struct service_desk *desk,
                  struct signer_connection *connection);
