/* Any datagram from a relay that was taken over: the signer answers in its own records or gives the
 * connection up, never crashes, and never says a private key.  The first octet is how many
 * descriptors come with it. */
#include "test/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "signer/service.h"

static struct signer_service service;
static struct service_desk *desk;
static struct signer_connection *connection;
static int relay_fd;

static const char message[] = "From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n";

/* A key that signs, in memory alone: what the inputs make of the folder fails on disk. */
static void make_key(const char *folder)
{
    const struct key_name name = {"example.com", "s"};
    char path[128];
    struct key_set *set;

    PROMISE(key_store_create(service.keys, &name, DKIM_KEY_ED25519) == 0);
    PROMISE(key_store_set_active(service.keys, &name, true) == 0);
    set = key_store_current(service.keys);
    PROMISE(signing_key_private(service.keys, key_set_find(set, &name)));
    key_set_unref(set);
    (void)snprintf(path, sizeof(path), "%s/s._domainkey.example.com.ed25519.pem", folder);
    PROMISE(unlink(path) == 0);
}

static void start(void)
{
    char folder[] = "/tmp/staffetta-fuzz-XXXXXX";
    int ends[2], dir_fd;

    PROMISE(mkdtemp(folder));
    PROMISE(key_store_open_folder(&dir_fd, folder, NULL) == 0);
    PROMISE(key_store_open(&service.keys, dir_fd) == 0);
    make_key(folder);
    PROMISE(rmdir(folder) == 0);
    PROMISE(service_desk_new(&desk, &service) == 0);
    PROMISE(channel_pair(ends) == 0);
    PROMISE(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    relay_fd = ends[0];
    connection = signer_connection_new(ends[1]);
    PROMISE(connection);
}

static void attach_files(struct channel_message *datagram, unsigned n_files)
{
    for (unsigned i = 0; i < n_files; i++) {
        int fd = memfd_create("segment", MFD_CLOEXEC);

        PROMISE(write(fd, message, sizeof(message) - 1) == sizeof(message) - 1);
        datagram->fds[datagram->n_fds++] = fd;
    }
}

/* An RSA key takes a tenth of a second to make, and nothing of that depends on the input. */
static void make_cheap(struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_items; i++)
        if (batch->items[i].kind == RECORD_KEY && batch->items[i].key.verb == KEY_CREATE)
            batch->items[i].key.type = DKIM_KEY_ED25519;
}

static void hear_replies(unsigned n_asked)
{
    struct channel_message reply = {0};
    unsigned n_answers = 0;

    while (channel_receive(relay_fd, &reply) == 1) {
        struct reader records = {.rest = buffer_slice(&reply.bytes)};
        struct signer_record record;
        int more;

        PROMISE(slice_search(records.rest, SLICE_LITERAL("PRIVATE KEY")) < 0);
        while ((more = signer_record_next(&records, &record)) == 1)
            n_answers++;
        PROMISE(more == 0);
    }
    PROMISE(n_answers == n_asked);
    channel_message_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct batch batch;
    unsigned n_items = 0;

    if (!desk)
        start();
    if (size == 0 || size > CHANNEL_MAX_BYTES)
        return 0;
    batch.message.kind = SIGNER_REQUESTS;
    buffer_append(&batch.message.bytes, slice_from(data + 1, size - 1));
    attach_files(&batch.message, data[0] % 4);
    if (batch_read(&batch, connection) == 0) {
        n_items = batch.n_items;
        make_cheap(&batch);
        batch_answer(&batch, desk, connection);
    }
    batch_fini(&batch);
    hear_replies(n_items);
    return 0;
}
