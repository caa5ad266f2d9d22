#include "relay/net/supervised_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "relay/base/event.h"
#include "relay/net/privileges.h"

/* One that served and crashes again and again still serves in between: mail must not wait long. */
enum { LONGEST_OF_SERVING_MS = 1000 };

static void set_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
    sigset_t none;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing of the parent's stays open: a role has what its messages bring, and no more. */
static int keep_only(int fd)
{
    enum { CHANNEL_FD = 3 };

    if (fd != CHANNEL_FD && dup3(fd, CHANNEL_FD, O_CLOEXEC) < 0)
        _exit(1);
    if (close_range(CHANNEL_FD + 1, ~0U, 0) < 0)
        _exit(1);
    return CHANNEL_FD;
}

static void run_child(const struct supervisor_role *role, void *owner, int fd, pid_t parent)
{
    char name[16];

    if (privileges_die_with(parent) < 0)
        _exit(1);
    set_signals();
    fd = keep_only(fd);
    snprintf(name, sizeof(name), "st-%.12s", role->name);
    prctl(PR_SET_NAME, name, 0, 0, 0);
    unsetenv("NOTIFY_SOCKET");
    exit(role->run(owner, fd));
}

static int send_filled(struct supervised_child *child, void *owner, unsigned kind)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    int error = child->role->fill ? child->role->fill(owner, &message) : 0;

    if (error == 0)
        error = buffer_error(&message.bytes);
    if (error == 0)
        error = channel_send(child->channel_fd, kind, buffer_slice(&message.bytes), message.fds,
                             message.n_fds);
    return error;
}

int supervised_child_start(struct supervised_child *child, void *owner, int64_t now_ms)
{
    pid_t parent = getpid();
    int fds[2], error = channel_pair(fds);

    if (error < 0)
        return error;
    fflush(NULL); /* what is buffered would be written twice */
    child->pid = fork();
    if (child->pid == 0)
        run_child(child->role, owner, fds[1], parent);
    close(fds[1]);
    if (child->pid < 0) {
        error = -errno;
        close(fds[0]);
        child->pid = 0;
        return FAULT(error);
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK); /* a child that does not listen never blocks the parent */
    child->channel_fd = fds[0];
    child->started_ms = now_ms;
    child->start_at_ms = NEVER_MS;
    child->is_ready = child->is_draining = false;
    EVENT(EVENT_CHILD_STARTED, field_text("role", child->role->name),
          field_number("pid", child->pid));
    error = send_filled(child, owner, CHANNEL_START);
    if (error < 0)
        kill(child->pid, SIGKILL); /* it would wait for ever; its end plans the next start */
    return 0;
}

void supervised_child_reload(struct supervised_child *child, void *owner)
{
    int error;

    if (!child->pid || !child->role->fill)
        return;
    error = send_filled(child, owner, CHANNEL_RELOAD);
    if (error < 0)
        EVENT(EVENT_RELOAD_FAILED, field_text("role", child->role->name),
              field_text("reason", strerror(-error)));
}

void supervised_child_drain(struct supervised_child *child)
{
    if (!child->pid || child->is_draining)
        return;
    child->is_draining = true;
    if (channel_send(child->channel_fd, CHANNEL_DRAIN, (struct slice){0}, NULL, 0) < 0)
        kill(child->pid, SIGKILL);
}

static int or_default(int value, int fallback)
{
    return value > 0 ? value : fallback;
}

void supervised_child_plan_restart(struct supervised_child *child,
                                   const struct supervisor_plan *plan, int64_t now_ms)
{
    int64_t longest = or_default(plan->longest_backoff_ms, 10000);
    int64_t delay = or_default(plan->first_backoff_ms, 100);

    if (child->has_served && longest > LONGEST_OF_SERVING_MS)
        longest = LONGEST_OF_SERVING_MS;
    if (now_ms - child->started_ms >= longest)
        child->n_failures = 0;
    for (unsigned i = 1; i < child->n_failures && delay < longest; i++)
        delay *= 2;
    if (delay > longest)
        delay = longest;
    child->start_at_ms = child->n_failures == 0 ? now_ms : now_ms + delay;
    child->n_failures++;
}

void supervised_child_forget(struct supervised_child *child)
{
    child->pid = 0;
    child->has_served = child->is_ready;
    child->is_ready = false;
    if (child->channel_fd >= 0)
        close(child->channel_fd);
    child->channel_fd = -1;
}

int supervisor_add_fd(struct channel_message *message, int fd)
{
    int copy;

    if (message->n_fds == CHANNEL_MAX_FDS)
        return FAULT(-EMSGSIZE);
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return FAULT(-errno);
    message->fds[message->n_fds++] = copy;
    return 0;
}
