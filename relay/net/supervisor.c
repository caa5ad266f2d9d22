#include "relay/net/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/net/notify.h"
#include "relay/net/supervised_child.h"
#include "relay/net/watched_files.h"

enum { DRAIN_MS = 30000, QUIET_MS = 1000, JOIN_EVERY_MS = 1000 };

struct supervisor {
    const struct supervisor_plan *plan;
    struct supervised_child children[SUPERVISOR_MAX_ROLES];
    size_t n_children;
    int signal_fd;
    struct watched_files *files;
    int64_t reload_at_ms;   /* NEVER_MS: no change seen */
    int64_t kill_at_ms;     /* NEVER_MS: not draining */
    int64_t watchdog_at_ms; /* NEVER_MS: systemd does not watch */
    int64_t join_at_ms;     /* NEVER_MS: no child asked for a fresh pair */
    int64_t joined_at_ms;
    bool is_draining, was_ready;
    int result;
};

/* ---- children ---- */

/* A fresh pair each time one of the two starts: what the old one held is dead. */
static void join_first_two(struct supervisor *parent)
{
    int fds[2];

    parent->join_at_ms = NEVER_MS;
    parent->joined_at_ms = clock_monotonic_ms();
    if (parent->n_children < 2 || !parent->children[0].pid || !parent->children[1].pid)
        return;
    if (channel_pair(fds) < 0)
        return;
    for (int i = 0; i < 2; i++) {
        struct supervised_child *child = &parent->children[i];

        /* Without its peer it is of no use, and its restart will try again. */
        if (channel_send(child->channel_fd, CHANNEL_PEER, (struct slice){0}, &fds[i], 1) < 0)
            kill(child->pid, SIGKILL);
    }
    close(fds[0]);
    close(fds[1]);
}

static void start_due(struct supervisor *parent, int64_t now_ms)
{
    bool any_of_two = false;

    for (size_t i = 0; i < parent->n_children; i++) {
        struct supervised_child *child = &parent->children[i];

        if (child->start_at_ms > now_ms || parent->is_draining)
            continue;
        if (supervised_child_start(child, parent->plan->owner, now_ms) < 0)
            supervised_child_plan_restart(child, parent->plan, now_ms);
        else
            any_of_two = any_of_two || i < 2;
    }
    if (any_of_two)
        join_first_two(parent);
}

static void start_draining(struct supervisor *parent, int64_t now_ms)
{
    int drain_ms = parent->plan->drain_ms > 0 ? parent->plan->drain_ms : DRAIN_MS;

    parent->kill_at_ms = parent->is_draining ? now_ms : now_ms + drain_ms;
    if (parent->is_draining)
        return;
    parent->is_draining = true;
    notify_send("STOPPING=1");
    EVENT(EVENT_DRAINING, field_seconds("secs", drain_ms));
}

/* The first role ends before the next is told to: the relay still needs the signer. */
static void drain_next(struct supervisor *parent)
{
    for (size_t i = 0; parent->is_draining && i < parent->n_children; i++) {
        if (!parent->children[i].pid)
            continue;
        supervised_child_drain(&parent->children[i]);
        return;
    }
}

static void kill_all(struct supervisor *parent)
{
    for (size_t i = 0; i < parent->n_children; i++)
        if (parent->children[i].pid)
            kill(parent->children[i].pid, SIGKILL);
}

static void on_child_end(struct supervisor *parent, struct supervised_child *child, int status)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_signal = WIFSIGNALED(status);
    int code = is_signal ? WTERMSIG(status) : WEXITSTATUS(status);

    if (!child->is_draining || code)
        EVENT(EVENT_CHILD_ENDED, field_text("role", child->role->name),
              field_number(is_signal ? "signal" : "status", code),
              field_seconds("secs", now_ms - child->started_ms));
    supervised_child_forget(child);
    if (parent->is_draining)
        return;
    if (!is_signal && code == SUPERVISOR_HOPELESS && !child->was_ready) {
        parent->result = SUPERVISOR_HOPELESS;
        start_draining(parent, now_ms);
    } else {
        supervised_child_plan_restart(child, parent->plan, now_ms);
    }
}

static void reap(struct supervisor *parent)
{
    for (size_t i = 0; i < parent->n_children; i++) {
        struct supervised_child *child = &parent->children[i];
        int status;

        if (child->pid && waitpid(child->pid, &status, WNOHANG) == child->pid)
            on_child_end(parent, child, status);
    }
}

static bool any_runs(const struct supervisor *parent)
{
    for (size_t i = 0; i < parent->n_children; i++)
        if (parent->children[i].pid)
            return true;
    return false;
}

/* ---- what children say ---- */

static void on_ready(struct supervisor *parent, struct supervised_child *child)
{
    child->is_ready = child->was_ready = true;
    for (size_t i = 0; i < parent->n_children; i++)
        if (!parent->children[i].was_ready)
            return;
    if (parent->was_ready)
        return;
    parent->was_ready = true;
    notify_send("READY=1");
}

static void on_reloaded(const struct supervised_child *child, struct slice why)
{
    if (why.len)
        EVENT(EVENT_RELOAD_FAILED, field_text("role", child->role->name),
              field_slice("reason", why));
    else
        EVENT(EVENT_RELOADED, field_text("role", child->role->name));
}

static void on_channel(struct supervisor *parent, struct supervised_child *child)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    int result = channel_receive(child->channel_fd, &message);

    if (result == -EAGAIN)
        return;
    if (result <= 0) { /* gone, or talks nonsense: its end is told by SIGCHLD */
        close(take_fd(&child->channel_fd));
        if (result < 0)
            kill(child->pid, SIGKILL);
    } else if (message.kind == CHANNEL_READY) {
        on_ready(parent, child);
    } else if (message.kind == CHANNEL_RELOADED) {
        on_reloaded(child, buffer_slice(&message.bytes));
    } else if (message.kind == CHANNEL_PEER_LOST && child->pid && parent->join_at_ms == NEVER_MS) {
        /* Whoever asks without end gets no more than one a second. */
        parent->join_at_ms = parent->joined_at_ms + JOIN_EVERY_MS;
    }
}

/* ---- reload ---- */

static void watch_files(struct supervisor *parent)
{
    const char *paths[SUPERVISOR_MAX_WATCHED];
    size_t n = parent->plan->watched ? parent->plan->watched(parent->plan->owner, paths) : 0;

    watched_files_set(parent->files, paths, n);
}

static void reload(struct supervisor *parent)
{
    char why[SUPERVISOR_WHY_SIZE] = "";
    int error;

    parent->reload_at_ms = NEVER_MS;
    if (!parent->plan->reload || parent->is_draining)
        return;
    notify_reloading();
    error = parent->plan->reload(parent->plan->owner, why);
    if (error < 0) {
        EVENT(EVENT_RELOAD_FAILED, field_text("reason", why[0] ? why : strerror(-error)));
    } else {
        for (size_t i = 0; i < parent->n_children; i++)
            supervised_child_reload(&parent->children[i], parent->plan->owner);
    }
    watch_files(parent); /* also after a failure: the next try may mend it */
    notify_send("READY=1");
}

/* ---- the loop ---- */

static void on_signals(struct supervisor *parent)
{
    struct signalfd_siginfo info;

    while (read(parent->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            reload(parent);
        else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            start_draining(parent, clock_monotonic_ms());
    }
    reap(parent);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct supervisor *parent, int64_t now_ms)
{
    int64_t due_ms = earlier(parent->reload_at_ms, parent->watchdog_at_ms);

    due_ms = earlier(earlier(due_ms, parent->kill_at_ms), parent->join_at_ms);
    for (size_t i = 0; i < parent->n_children && !parent->is_draining; i++)
        due_ms = earlier(due_ms, parent->children[i].start_at_ms);
    if (due_ms == NEVER_MS)
        return -1;
    return (int)(due_ms <= now_ms ? 0 : earlier(due_ms - now_ms, 3600000));
}

static void wait_and_handle(struct supervisor *parent)
{
    struct pollfd fds[2 + SUPERVISOR_MAX_ROLES] = {
        {.fd = parent->signal_fd,               .events = POLLIN},
        {.fd = watched_files_fd(parent->files), .events = POLLIN},
    };

    for (size_t i = 0; i < parent->n_children; i++)
        fds[2 + i] = (struct pollfd){.fd = parent->children[i].channel_fd, .events = POLLIN};
    if (poll(fds, 2 + parent->n_children, wait_ms(parent, clock_monotonic_ms())) <= 0)
        return;
    for (size_t i = 0; i < parent->n_children; i++)
        if (fds[2 + i].revents)
            on_channel(parent, &parent->children[i]);
    if (fds[1].revents && watched_files_changed(parent->files))
        parent->reload_at_ms = clock_monotonic_ms() + QUIET_MS;
    if (fds[0].revents)
        on_signals(parent);
}

static void handle_time(struct supervisor *parent)
{
    int64_t now_ms = clock_monotonic_ms();

    if (parent->reload_at_ms <= now_ms)
        reload(parent);
    if (parent->watchdog_at_ms <= now_ms) {
        notify_send("WATCHDOG=1");
        parent->watchdog_at_ms = now_ms + notify_watchdog_ms();
    }
    if (parent->kill_at_ms <= now_ms) {
        parent->kill_at_ms = NEVER_MS;
        kill_all(parent);
    }
    drain_next(parent);
    start_due(parent, now_ms);
    if (parent->join_at_ms <= now_ms)
        join_first_two(parent);
}

static int open_signals(void)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        sigaddset(&set, handled[i]);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return FAULT(-errno);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int prepare(struct supervisor *parent, const struct supervisor_plan *plan)
{
    int64_t now_ms = clock_monotonic_ms();
    int error = watched_files_new(&parent->files);

    if (error < 0)
        return error;
    parent->signal_fd = open_signals();
    if (parent->signal_fd < 0)
        return FAULT(-errno);
    parent->plan = plan;
    parent->n_children = plan->n_roles;
    parent->reload_at_ms = parent->kill_at_ms = parent->join_at_ms = NEVER_MS;
    parent->watchdog_at_ms = notify_watchdog_ms() ? now_ms : NEVER_MS;
    for (size_t i = 0; i < plan->n_roles; i++)
        parent->children[i] = (struct supervised_child){
            .role = &plan->roles[i], .channel_fd = -1, .start_at_ms = now_ms};
    watch_files(parent);
    return 0;
}

int supervisor_run(const struct supervisor_plan *plan)
{
    struct supervisor parent = {.signal_fd = -1};
    int error;

    if (plan->n_roles == 0 || plan->n_roles > SUPERVISOR_MAX_ROLES)
        return FAULT(-EINVAL);
    error = prepare(&parent, plan);
    if (error == 0) {
        start_due(&parent, clock_monotonic_ms());
        while (!parent.is_draining || any_runs(&parent)) {
            wait_and_handle(&parent);
            handle_time(&parent);
        }
        EVENT(EVENT_STOPPED, field_number("status", parent.result));
    }
    watched_files_free(parent.files);
    if (parent.signal_fd >= 0)
        close(parent.signal_fd);
    return error < 0 ? error : parent.result;
}
