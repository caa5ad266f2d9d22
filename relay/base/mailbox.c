#include "relay/base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <time.h>

/* What the owner wants of the descriptor. */
enum poll_state {
    POLL_UNUSED, /* nobody polls it, or the owner is awake and will look */
    POLL_ARMED,  /* the next task makes it readable */
    POLL_TOLD,   /* it is readable, or about to be */
};

/* Of a task, of the most urgent one that waits, and of what ends the owner's sleep on the
 * condition: that and all above it. */
enum urgency {
    URGENCY_NONE, /* nothing waits; the owner does not sleep there */
    URGENCY_QUIET,
    URGENCY_NORMAL,
    URGENCY_CALL,
};

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled;      /* for an owner in mailbox_wait() and its kind */
    struct task *first, **last; /* last: where the next task is linked */
    uint32_t n_waiting, capacity;
    int event_fd;
    enum poll_state poll;
    uint64_t n_unread; /* writes to event_fd, of which some may be still to come */
    bool is_polled, looks_before_sleep;
    enum urgency waiting, ends_sleep;
    atomic_uint n_waking; /* who is about to make the call: the mailbox must still be there */
};

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int mailbox_new(struct mailbox **out, uint32_t capacity)
{
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

    if (!mailbox)
        return FAULT(-ENOMEM);
    mailbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->event_fd < 0) {
        free(mailbox);
        return FAULT(-errno);
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    init_condition(&mailbox->filled);
    mailbox->last = &mailbox->first;
    mailbox->capacity = capacity;
    *out = mailbox;
    return 0;
}

struct mailbox *mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return NULL;
    while (atomic_load(&mailbox->n_waking))
        sched_yield();
    close(mailbox->event_fd);
    pthread_cond_destroy(&mailbox->filled);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
    return NULL;
}

/* How the owner is to be woken. */
struct call {
    bool tells_poll, ends_wait;
};

/* Under the lock. */
static bool must_end_sleep(const struct mailbox *mailbox)
{
    return mailbox->ends_sleep != URGENCY_NONE && mailbox->waiting >= mailbox->ends_sleep;
}

/* Under the lock. */
static struct call needed_call(struct mailbox *mailbox)
{
    struct call call = {mailbox->poll == POLL_ARMED, must_end_sleep(mailbox)};

    if (call.ends_wait)
        mailbox->ends_sleep = URGENCY_NONE; /* one call is enough */
    if (call.tells_poll) {
        mailbox->poll = POLL_TOLD;
        mailbox->n_unread++;
    }
    if (call.tells_poll || call.ends_wait)
        atomic_fetch_add(&mailbox->n_waking, 1);
    return call;
}

/* Without the lock, which the owner wants as soon as it wakes.  The owner may free the mailbox once
 * it has the task; that waits for n_waking. */
static void make_call(struct mailbox *mailbox, struct call call)
{
    if (!call.tells_poll && !call.ends_wait)
        return;
    if (call.tells_poll)
        eventfd_write(mailbox->event_fd, 1);
    if (call.ends_wait)
        pthread_cond_signal(&mailbox->filled);
    atomic_fetch_sub(&mailbox->n_waking, 1);
}

/* Under the lock.  Only the first task of a batch wakes anybody, and the first of each urgency. */
static struct call link_task(struct mailbox *mailbox, struct task *task, enum urgency urgency)
{
    bool is_first = urgency > mailbox->waiting;

    task->next = NULL;
    *mailbox->last = task;
    mailbox->last = &task->next;
    mailbox->n_waiting++;
    if (is_first)
        mailbox->waiting = urgency;
    return is_first ? needed_call(mailbox) : (struct call){false, false};
}

bool mailbox_post(struct mailbox *mailbox, struct task *task)
{
    struct call call = {false, false};
    bool has_room;

    pthread_mutex_lock(&mailbox->lock);
    has_room = mailbox->n_waiting < mailbox->capacity;
    if (has_room)
        call = link_task(mailbox, task, URGENCY_NORMAL);
    pthread_mutex_unlock(&mailbox->lock);
    make_call(mailbox, call);
    return has_room;
}

static void answer(struct mailbox *mailbox, struct task *task, enum urgency urgency)
{
    struct call call;

    pthread_mutex_lock(&mailbox->lock);
    call = link_task(mailbox, task, urgency);
    pthread_mutex_unlock(&mailbox->lock);
    make_call(mailbox, call);
}

void mailbox_answer(struct mailbox *mailbox, struct task *task)
{
    answer(mailbox, task, URGENCY_NORMAL);
}

void mailbox_answer_quietly(struct mailbox *mailbox, struct task *task)
{
    answer(mailbox, task, URGENCY_QUIET);
}

void mailbox_call(struct mailbox *mailbox, struct task *task)
{
    answer(mailbox, task, URGENCY_CALL);
}

int mailbox_fd(struct mailbox *mailbox)
{
    struct call call = {false, false};

    pthread_mutex_lock(&mailbox->lock);
    if (!mailbox->is_polled) {
        mailbox->is_polled = true;
        mailbox->poll = POLL_ARMED;
        if (mailbox->first)
            call = needed_call(mailbox);
    }
    pthread_mutex_unlock(&mailbox->lock);
    make_call(mailbox, call);
    return mailbox->event_fd;
}

void mailbox_look_before_sleep(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->looks_before_sleep = true;
    pthread_mutex_unlock(&mailbox->lock);
}

bool mailbox_may_sleep(struct mailbox *mailbox)
{
    bool is_empty;

    pthread_mutex_lock(&mailbox->lock);
    is_empty = mailbox->first == NULL;
    if (is_empty && mailbox->poll == POLL_UNUSED)
        mailbox->poll = POLL_ARMED;
    pthread_mutex_unlock(&mailbox->lock);
    return is_empty;
}

/* Under the lock: what was told is taken back, as far as it is there; the rest wakes once more. */
static void rest_poll(struct mailbox *mailbox)
{
    eventfd_t n_read;

    if (mailbox->n_unread && eventfd_read(mailbox->event_fd, &n_read) == 0)
        mailbox->n_unread -= n_read;
    if (mailbox->is_polled)
        mailbox->poll = mailbox->looks_before_sleep ? POLL_UNUSED : POLL_ARMED;
}

struct task *mailbox_take(struct mailbox *mailbox)
{
    struct task *first;

    pthread_mutex_lock(&mailbox->lock);
    first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    mailbox->n_waiting = 0;
    mailbox->waiting = URGENCY_NONE;
    rest_poll(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

uint32_t mailbox_run(struct mailbox *mailbox)
{
    struct task *task = mailbox_take(mailbox);
    uint32_t n_run = 0;

    while (task) {
        struct task *next = task->next; /* run() may free the task or post it on */

        task->run(task);
        task = next;
        n_run++;
    }
    return n_run;
}

static struct timespec in_ms(int ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Under the lock: 0, or ETIMEDOUT. */
static int wait_until(struct mailbox *mailbox, enum urgency least, const struct timespec *end)
{
    int error;

    mailbox->ends_sleep = least;
    error = end ? pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, end)
                : pthread_cond_wait(&mailbox->filled, &mailbox->lock);
    mailbox->ends_sleep = URGENCY_NONE;
    return error;
}

static bool sleep_until_told(struct mailbox *mailbox, enum urgency least, int timeout_ms)
{
    struct timespec end = in_ms(timeout_ms < 0 ? 0 : timeout_ms);
    bool is_told;

    pthread_mutex_lock(&mailbox->lock);
    while (mailbox->waiting < least &&
           wait_until(mailbox, least, timeout_ms < 0 ? NULL : &end) == 0)
        ;
    is_told = mailbox->waiting >= least;
    pthread_mutex_unlock(&mailbox->lock);
    return is_told;
}

bool mailbox_wait(struct mailbox *mailbox, int timeout_ms)
{
    return sleep_until_told(mailbox, URGENCY_QUIET, timeout_ms);
}

bool mailbox_doze(struct mailbox *mailbox, int timeout_ms)
{
    return sleep_until_told(mailbox, URGENCY_NORMAL, timeout_ms);
}

bool mailbox_sleep(struct mailbox *mailbox, int timeout_ms)
{
    return sleep_until_told(mailbox, URGENCY_CALL, timeout_ms);
}
