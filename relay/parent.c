#include "relay/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/event.h"
#include "relay/base/file.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "relay/bundle.h"
#include "relay/control/config.h"
#include "relay/folders.h"
#include "relay/net/notify.h"
#include "relay/net/private_memory.h"
#include "relay/net/privileges.h"
#include "relay/net/supervisor.h"
#include "relay/parent_ports.h"

enum { WANTED_FILES = 65536, PEM_MAX_BYTES = 1024 * 1024 };
enum { FILES_BESIDE_SESSIONS = 500 };

/* After the start: bind on a reload, read TLS keys whoever owns them, and for the children: change
 * user, take the capabilities from them, kill them.  Root needs these too; it has no others. */
static const uint64_t capabilities_kept =
    PRIVILEGE(CAP_NET_BIND_SERVICE) | PRIVILEGE(CAP_DAC_READ_SEARCH) | PRIVILEGE(CAP_SETUID) |
    PRIVILEGE(CAP_SETGID) | PRIVILEGE(CAP_SETPCAP) | PRIVILEGE(CAP_KILL);

struct parent {
    const char *config_path;
    const struct parent_children *children;
    struct bundle bundle; /* the one that serves now */
};

static int read_pem(struct buffer *out, const char *path, struct buffer *problem)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    int error = fd < 0 ? -errno : file_read_all(fd, PEM_MAX_BYTES, &text);

    if (error == 0)
        buffer_append_counted(out, buffer_slice(&text));
    else
        buffer_printf(problem, "%s: %s\n", path, error == -EFBIG ? "over 1 MiB" : strerror(-error));
    if (text.data)
        secret_wipe(text.data, text.capacity);
    return error < 0 ? -EINVAL : buffer_error(out);
}

/* Both files of every tls section, into bundle->pems, then as slices of it. */
static int read_identities(struct bundle *bundle, struct buffer *problem)
{
    const struct settings *settings = bundle->settings;
    struct reader reader;
    int error = 0;

    for (size_t i = 0; error == 0 && i < settings->n_tls; i++) {
        error = read_pem(&bundle->pems, settings->tls[i].certificate, problem);
        if (error == 0)
            error = read_pem(&bundle->pems, settings->tls[i].key, problem);
    }
    if (error < 0)
        return error;
    secret_hide(bundle->pems.data, bundle->pems.capacity);
    secret_hide(bundle->text.data, bundle->text.capacity);
    bundle->identities =
        arena_alloc(&bundle->arena, (settings->n_tls + 1) * sizeof(*bundle->identities));
    if (!bundle->identities)
        return FAULT(-ENOMEM);
    reader = (struct reader){.rest = buffer_slice(&bundle->pems)};
    for (size_t i = 0; i < settings->n_tls; i++) {
        bundle->identities[i].name = settings->tls[i].title;
        bundle->identities[i].certificate_pem = reader_counted(&reader);
        bundle->identities[i].key_pem = reader_counted(&reader);
    }
    bundle->n_identities = settings->n_tls;
    return 0;
}

/* An empty file is valid, and so is a file cut short behind a section: at a reload that is an
 * editor's accident, not the wish to close every door.  A start without listeners stays valid. */
static int keep_listening(const struct bundle *before, const struct bundle *fresh,
                          struct buffer *problem)
{
    if (!before->settings || before->settings->n_listen == 0 || fresh->settings->n_listen > 0)
        return 0;
    buffer_printf(problem,
                  "%s: no listen section is left, while listeners serve; to close them all, stop "
                  "the service",
                  fresh->path);
    return -EINVAL;
}

/* A whole new bundle beside the old one; sockets that both need are shared. */
static int make_bundle(struct parent *parent, struct bundle *bundle, struct buffer *problem)
{
    int error;

    *bundle = (struct bundle){.path = parent->config_path, .was_root = geteuid() == 0};
    error = config_load(&bundle->settings, parent->config_path, &bundle->text, problem);
    if (error == 0)
        error = keep_listening(&parent->bundle, bundle, problem);
    if (error == 0)
        error = read_identities(bundle, problem);
    if (error == 0)
        error = bundle_read_receivers(bundle, problem);
    if (error == 0)
        error = parent_ports_open(bundle, &parent->bundle, problem);
    if (error < 0)
        bundle_fini(bundle);
    return error;
}

static int reload(void *owner, char why[SUPERVISOR_WHY_SIZE])
{
    struct parent *parent = owner;
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct bundle fresh;
    const char *fixed;
    int error = make_bundle(parent, &fresh, &problem);

    if (error < 0) {
        slice_copy_to(slice_trim(buffer_slice(&problem)), why, SUPERVISOR_WHY_SIZE);
        return error;
    }
    fixed = settings_need_restart(parent->bundle.settings, fresh.settings);
    if (fixed)
        EVENT(EVENT_RESTART_NEEDED, field_text("setting", fixed));
    bundle_fini(&parent->bundle);
    parent->bundle = fresh;
    log_set(fresh.settings->log.format, fresh.settings->log.level);
    return 0;
}

static size_t watched(void *owner, const char *paths[SUPERVISOR_MAX_WATCHED])
{
    const struct settings *settings = ((struct parent *)owner)->bundle.settings;
    size_t n = 0;

    for (size_t i = 0; i < settings->n_tls && n + 2 <= SUPERVISOR_MAX_WATCHED; i++) {
        paths[n++] = settings->tls[i].certificate;
        paths[n++] = settings->tls[i].key;
    }
    return n;
}

static int fill(void *owner, struct channel_message *message)
{
    return bundle_write(&((struct parent *)owner)->bundle, message);
}

/* In a child, which gets its own over the channel.  The supervisor closed the parent's descriptors
 * and their numbers are in use again, so they must not be closed here. */
static void forget_bundle(struct parent *parent)
{
    for (size_t i = 0; i < parent->bundle.n_listeners; i++)
        parent->bundle.listeners[i].fd = -1;
    bundle_fini(&parent->bundle);
}

static int run_relay(void *owner, int channel_fd)
{
    struct parent *parent = owner;

    forget_bundle(parent);
    return parent->children->relay(channel_fd);
}

static int run_signer(void *owner, int channel_fd)
{
    struct parent *parent = owner;

    forget_bundle(parent);
    return parent->children->signer(channel_fd);
}

/* The relay cannot raise it any further; it says so when this is less than its settings ask. */
static void raise_file_limit(const struct settings *settings)
{
    int64_t wanted =
        settings->limits.connections + settings->delivery.connections + FILES_BESIDE_SESSIONS;

    (void)privileges_raise_file_limit(wanted > WANTED_FILES ? (unsigned long)wanted : WANTED_FILES);
}

static int prepare(struct parent *parent)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    int error =
        config_load(&parent->bundle.settings, parent->config_path, &parent->bundle.text, &problem);

    if (error == 0)
        error = folders_make(parent->bundle.settings, &problem); /* before control.sock is bound */
    bundle_fini(&parent->bundle);
    if (error == 0)
        error = make_bundle(parent, &parent->bundle, &problem);
    if (error < 0) {
        fprintf(stderr, "%.*s", (int)problem.len, problem.data ? problem.data : "");
        return error == -EINVAL ? EX_CONFIG : EX_UNAVAILABLE;
    }
    log_set(parent->bundle.settings->log.format, parent->bundle.settings->log.level);
    raise_file_limit(parent->bundle.settings);
    (void)privileges_raise_lock_limit(PRIVATE_MEMORY_LIMIT); /* health tells when it matters */
    return privileges_keep(capabilities_kept) < 0 || privileges_no_new() < 0 ? EX_OSERR : EX_OK;
}

int parent_serve(const char *config_path, const struct parent_children *children)
{
    static const struct supervisor_role roles[] = {
        {"relay",  run_relay,  fill},
        {"signer", run_signer, fill},
    };
    struct parent parent = {.config_path = config_path, .children = children};
    const struct supervisor_plan plan = {
        .owner = &parent,
        .roles = roles,
        .n_roles = sizeof(roles) / sizeof(roles[0]),
        .reload = reload,
        .watched = watched,
    };
    int status;

    if (secret_start() < 0 || privileges_hide_memory() < 0)
        return EX_OSERR;
    status = prepare(&parent);
    if (status != EX_OK)
        return status;
    status = supervisor_run(&plan) < 0 ? EX_OSERR : EX_OK;
    bundle_fini(&parent.bundle);
    return status;
}
