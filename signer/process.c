#include "signer/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/event.h"
#include "relay/net/channel.h"
#include "relay/net/private_memory.h"
#include "relay/net/sandbox.h"
#include "signer/protocol.h"
#include "signer/signing_pool.h"

struct signer_process {
    int parent_fd; /* the caller's */
    int link_fd;   /* to the relay that runs now; -1: none */
    bool is_draining;
    struct signer_service service;
    struct signing_pool *pool;
};

static int fail(const char *what, int error)
{
    EVENT(EVENT_START_FAILED, field_text("who", "signer"), field_text("what", what),
          field_text("reason", strerrordesc_np(-error)));
    return error;
}

/* The key folder and nothing of anybody else, no network, no program. */
static int confine(const struct signer_settings *settings, struct sandbox_got *got)
{
    const struct sandbox sandbox = {
        .process = "signer",
        .user = settings->user,
        .role = SYSTEM_CALLS_SIGNER,
        .confinement = {.writable = {settings->key_dir}},
    };

    return sandbox_enter(&sandbox, got);
}

static int open_keys(struct signer_process *signer, const struct signer_settings *settings)
{
    struct sandbox_got got;
    int dir_fd, error = key_store_open_folder(&dir_fd, settings->key_dir, settings->user);

    if (error)
        return fail(settings->key_dir, error);
    error = confine(settings, &got);
    if (error) {
        close(dir_fd);
        return fail("rights", error);
    }
    error = key_store_open(&signer->service.keys, dir_fd);
    return error ? fail(settings->key_dir, error) : 0;
}

static int start(struct signer_process *signer, const struct signer_settings *settings)
{
    int error;

    /* Read before the files are out of reach: the list of suffixes, OpenSSL's settings. */
    if (public_suffix_open(&signer->service.suffixes))
        signer->service.suffixes = NULL; /* exact domains only */
    private_memory_start(PRIVATE_MEMORY_SIGNER);
    error = open_keys(signer, settings);
    if (error)
        return error;
    signer->service.engine = settings->engine;
    error = signing_pool_start(&signer->pool, &signer->service, settings->n_workers);
    if (!error)
        error = channel_send(signer->parent_fd, CHANNEL_READY, SLICE_LITERAL(""), NULL, 0);
    return error ? fail("workers", error) : 0;
}

static void stop(struct signer_process *signer)
{
    signing_pool_stop(signer->pool);
    key_store_close(signer->service.keys);
    public_suffix_close(signer->service.suffixes);
    close_fd_cleanup(&signer->link_fd);
}

static void take_link(struct signer_process *signer, struct channel_message *message)
{
    close_fd_cleanup(&signer->link_fd);
    signer->link_fd = channel_take_fd(message, 0);
    EVENT(EVENT_SIGNER_UP, field_text("who", "signer"));
}

/* False when the process is to end. */
static bool hear_parent(struct signer_process *signer)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    int result = channel_receive(signer->parent_fd, &message);

    if (result == 1 && message.kind == CHANNEL_PEER)
        take_link(signer, &message);
    if (result == 1 && message.kind == CHANNEL_DRAIN)
        signer->is_draining = true;
    /* Nothing of ours changes with a reload: keys come over the relay. */
    if (result == 1 && message.kind == CHANNEL_RELOAD)
        result = channel_send(signer->parent_fd, CHANNEL_RELOADED, SLICE_LITERAL(""), NULL, 0) == 0;
    return result == 1 || result == -EAGAIN;
}

/* The relay opens a channel per loop, then may close the link. */
static void hear_relay(struct signer_process *signer)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    int result = channel_receive(signer->link_fd, &message);
    int fd = result == 1 && message.kind == SIGNER_LOOP ? channel_take_fd(&message, 0) : -1;

    if (fd >= 0 && signing_pool_add(signer->pool, fd) != 0)
        EVENT(EVENT_SIGNER_MISUSED, field_text("reason", "too many channels"));
    if (result != 1 && result != -EAGAIN) {
        close(signer->link_fd);
        signer->link_fd = -1;
    }
}

/* The relay still has its last messages signed while it drains. */
static bool is_drained(struct signer_process *signer)
{
    bool is_empty = signing_pool_is_empty(signer->pool); /* also clears its descriptor */

    return signer->is_draining && signer->link_fd < 0 && is_empty;
}

static void wait_for_messages(struct signer_process *signer)
{
    bool lives = true;

    while (lives && !is_drained(signer)) {
        struct pollfd fds[] = {
            {.fd = signer->parent_fd,             .events = POLLIN},
            {.fd = signer->link_fd,               .events = POLLIN}, /* -1 is passed over */
            {.fd = signing_pool_fd(signer->pool), .events = POLLIN},
            {.fd = system_calls_refused_fd(),     .events = POLLIN},
        };

        if (poll(fds, 4, -1) < 0)
            continue; /* EINTR */
        if (fds[3].revents)
            system_calls_tell("signer");
        if (fds[1].revents)
            hear_relay(signer);
        if (fds[0].revents)
            lives = hear_parent(signer);
    }
}

int signer_serve(int channel_fd, const struct signer_settings *settings)
{
    struct signer_process signer = {.parent_fd = channel_fd, .link_fd = -1};
    int error;

    /* A service manager signals every process of a service; the parent says when to end, which is
     * after the relay has had its last message signed. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    error = start(&signer, settings);
    if (!error)
        wait_for_messages(&signer);
    stop(&signer);
    return error == -EACCES ? EX_NOPERM : error ? EX_OSERR : EX_OK;
}
