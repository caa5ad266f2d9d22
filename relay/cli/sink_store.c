#include "relay/cli/sink_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "relay/base/clock.h"
#include "relay/base/file.h"

struct sink_store {
    int tmp_fd, new_fd;
    uint64_t last; /* number of the newest message */
};

static int open_folder(const char *dir, const char *name, int *fd)
{
    CLEANUP(free) char *path = NULL;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return FAULT(-ENOMEM);
    if (mkdir(path, 0777) && errno != EEXIST)
        return FAULT(-errno);
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 ? FAULT(-errno) : 0;
}

static uint64_t highest_number(int fd)
{
    int own_fd = dup(fd);
    DIR *folder = own_fd < 0 ? NULL : fdopendir(own_fd);
    uint64_t highest = 0, number;

    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (slice_to_number(slice_of(entry->d_name), UINT32_MAX, &number) && number > highest)
            highest = number;
    }
    if (folder)
        closedir(folder);
    return highest;
}

struct sink_store *sink_store_close(struct sink_store *store)
{
    if (!store)
        return NULL;
    close_fd_cleanup(&store->tmp_fd);
    close_fd_cleanup(&store->new_fd);
    free(store);
    return NULL;
}

int sink_store_open(struct sink_store **out, const char *dir)
{
    struct sink_store *store = malloc(sizeof(*store));
    int status;

    if (!store)
        return FAULT(-ENOMEM);
    *store = (struct sink_store){.tmp_fd = -1, .new_fd = -1};
    if (mkdir(dir, 0777) && errno != EEXIST)
        status = FAULT(-errno);
    else
        status = open_folder(dir, "tmp", &store->tmp_fd);
    if (!status)
        status = open_folder(dir, "new", &store->new_fd);
    if (status) {
        sink_store_close(store);
        return status;
    }
    store->last = highest_number(store->new_fd);
    *out = store;
    return 0;
}

/* A JSON string; bytes that are not UTF-8 are taken as Latin-1, so nothing is lost. */
static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    struct buffer utf8 = BUFFER_INIT;

    if (value)
        return value;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x80)
            buffer_append_byte(&utf8, (char)(0xc0 | c >> 6));
        buffer_append_byte(&utf8, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
    }
    value = json_stringn(utf8.data, utf8.len);
    buffer_fini(&utf8);
    return value;
}

static char *describe(const struct sink_session *session, const char *peer, const char *tls)
{
    json_t *to = json_array(), *parameters = json_array(), *envelope;
    char at[CLOCK_DATE_SIZE], *text;

    for (size_t i = 0; i < session->n_recipients; i++) {
        json_array_append_new(to, json_text(session->recipients[i].address));
        json_array_append_new(parameters, json_text(session->recipients[i].parameters));
    }
    clock_format_timestamp(clock_utc_ms(), at);
    envelope = json_pack(
        "{so so so so ss ss? ss so so}", "from", json_text(session->sender.address), "to", to,
        "helo", json_text(session->helo), "mail_parameters", json_text(session->sender.parameters),
        "peer", peer, "tls", tls, "at", at, "rcpt_parameters", parameters, "size",
        json_integer((json_int_t)sink_session_message(session).len));
    text = envelope ? json_dumps(envelope, JSON_COMPACT) : NULL;
    json_decref(envelope);
    return text;
}

static int write_file(const struct sink_store *store, const char *name, struct slice bytes)
{
    CLEANUP(close_fd)
    int fd = openat(store->tmp_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int status = fd < 0 ? FAULT(-errno) : file_write_all(fd, bytes);

    if (!status && renameat(store->tmp_fd, name, store->new_fd, name))
        status = FAULT(-errno);
    return status;
}

int sink_store_keep(struct sink_store *store, const struct sink_session *session, const char *peer,
                    const char *tls)
{
    CLEANUP(free) char *envelope = NULL;
    char name[32];
    int status;

    if (!store)
        return 0;
    envelope = describe(session, peer, tls);
    if (!envelope)
        return FAULT(-ENOMEM);
    store->last++;
    snprintf(name, sizeof(name), "%" PRIu64 ".json", store->last);
    status = write_file(store, name, slice_of(envelope));
    if (status)
        return status;
    snprintf(name, sizeof(name), "%" PRIu64, store->last);
    return write_file(store, name, sink_session_message(session));
}

static json_t *applied_rules(const struct sink_script *script)
{
    json_t *applied = json_array();
    int64_t n;

    for (size_t i = 0; (n = sink_script_n_applied(script, i)) >= 0; i++)
        json_array_append_new(applied, json_integer(n));
    return applied;
}

void sink_counts_print(const struct sink_counts *counts, const struct sink_script *script)
{
    json_t *object = json_pack(
        "{sI sI sI sI sI sI sI sf so}", "connections", (json_int_t)counts->n_connections,
        "most_connections", (json_int_t)counts->most_open, "tls", (json_int_t)counts->n_secured,
        "messages", (json_int_t)counts->n_messages, "recipients", (json_int_t)counts->n_recipients,
        "octets", (json_int_t)counts->n_octets, "refused", (json_int_t)counts->n_refused, "seconds",
        (double)(counts->last_utc_ms - counts->first_utc_ms) / 1000.0, "applied",
        applied_rules(script));

    if (object) {
        json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        putchar('\n');
        fflush(stdout);
    }
    json_decref(object);
}
