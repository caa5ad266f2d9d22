#include "relay/net/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>

#include "relay/base/clock.h"
#include "relay/net/timer_queue.h"

enum {
    PEAKS_WORTH_A_TRIM = 64,
    CALM_MS = 250,
    TRIM_EVERY_MS = 60 * 1000, /* it walks all of the heap, while every loop that frees waits */
};

/* When the process may be trimmed again: the heap is one, whichever loop asks. */
static _Atomic int64_t may_trim_at_ms;

struct loop {
    struct event_base *base;
    struct event *nearest; /* the libevent timer for timers.first */
    int64_t nearest_ms;    /* when it fires; INT64_MAX: not set */
    struct timer_queue timers;
    struct list laters;
    struct task *first_deferred, **last_deferred;
    struct mailbox *mailbox;
    struct watch mailbox_watch, stop_watch;
    struct mailbox *stop_box; /* holds nothing: its descriptor wakes the loop */
    struct task stop_task;
    atomic_bool is_stopping;
    atomic_bool stop_is_posted;
    unsigned index;
    unsigned n_peaks;
    struct timer calm;
};

/* Ends the sleep; the turn that follows looks into the mailbox. */
static void on_mailbox(struct watch *watch, unsigned what)
{
    (void)watch;
    (void)what;
}

static void on_stop_box(struct watch *watch, unsigned what)
{
    (void)what;
    mailbox_run(watch->loop->stop_box);
}

static void on_stop(struct task *task)
{
    struct loop *loop = CONTAINER_OF(task, struct loop, stop_task);

    atomic_store(&loop->stop_is_posted, false);
}

/* Does nothing: it is there to end the wait. */
static void on_nearest(evutil_socket_t fd, short what, void *argument)
{
    struct loop *loop = argument;

    (void)fd;
    (void)what;
    loop->nearest_ms = INT64_MAX;
}

static void on_calm(struct timer *timer)
{
    struct loop *loop = CONTAINER_OF(timer, struct loop, calm);
    int64_t now_ms = clock_monotonic_ms(), at_ms = atomic_load(&may_trim_at_ms);

    if (loop->n_peaks < PEAKS_WORTH_A_TRIM)
        return;
    if (now_ms < at_ms) {
        timer_set(timer, at_ms - now_ms);
        return;
    }
    loop->n_peaks = 0;
    /* Else another loop does it this moment, for us too. */
    if (atomic_compare_exchange_strong(&may_trim_at_ms, &at_ms, now_ms + TRIM_EVERY_MS))
        malloc_trim(0);
}

void loop_note_peak(struct loop *loop)
{
    loop->n_peaks++;
    timer_set(&loop->calm, CALM_MS);
}

static int watch_mailbox(struct watch *watch, struct loop *loop, struct mailbox *mailbox,
                         void (*ready)(struct watch *, unsigned))
{
    int error = watch_init(watch, loop, mailbox_fd(mailbox), ready);

    return error < 0 ? error : watch_set(watch, WATCH_READ);
}

static int prepare(struct loop *loop, uint32_t mailbox_capacity)
{
    int error;

    loop->base = event_base_new();
    if (!loop->base)
        return FAULT(-ENOMEM);
    loop->nearest = evtimer_new(loop->base, on_nearest, loop);
    if (!loop->nearest)
        return FAULT(-ENOMEM);
    error = mailbox_new(&loop->mailbox, mailbox_capacity);
    if (error == 0)
        error = mailbox_new(&loop->stop_box, 1);
    if (error == 0)
        mailbox_look_before_sleep(loop->mailbox);
    if (error == 0)
        error = watch_mailbox(&loop->mailbox_watch, loop, loop->mailbox, on_mailbox);
    if (error == 0)
        error = watch_mailbox(&loop->stop_watch, loop, loop->stop_box, on_stop_box);
    return error;
}

int loop_new(struct loop **out, unsigned index, uint32_t mailbox_capacity)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    int error;

    if (!loop)
        return FAULT(-ENOMEM);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets without MSG_NOSIGNAL */
    loop->index = index;
    loop->nearest_ms = INT64_MAX;
    loop->last_deferred = &loop->first_deferred;
    loop->stop_task.run = on_stop;
    list_init(&loop->laters);
    timer_init(&loop->calm, loop, on_calm);
    error = prepare(loop, mailbox_capacity);
    if (error < 0) {
        loop_free(loop);
        return error;
    }
    *out = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    timer_fini(&loop->calm);
    watch_fini(&loop->mailbox_watch);
    watch_fini(&loop->stop_watch);
    mailbox_free(loop->mailbox);
    mailbox_free(loop->stop_box);
    if (loop->nearest)
        event_free(loop->nearest);
    if (loop->base)
        event_base_free(loop->base);
    free(loop);
    return NULL;
}

static void run_deferred(struct loop *loop)
{
    struct task *task = loop->first_deferred;

    loop->first_deferred = NULL;
    loop->last_deferred = &loop->first_deferred;
    while (task) {
        struct task *next = task->next;

        task->run(task);
        task = next;
    }
}

/* Those set by what runs here wait for the next turn: they go to the loop's list, not to ours. */
static void run_laters(struct loop *loop)
{
    struct list now, *links;

    if (list_is_empty(&loop->laters))
        return;
    now = loop->laters;
    now.next->previous = now.previous->next = &now;
    list_init(&loop->laters);
    while ((links = list_take_first(&now)) != NULL) {
        struct later *later = CONTAINER_OF(links, struct later, links);

        later->run(later);
    }
}

/* Timers that are set again for "now" by those that fire here have a higher order and wait. */
static void run_timers(struct loop *loop)
{
    int64_t now_ms = clock_monotonic_ms();
    uint64_t newest = loop->timers.n_set;

    for (;;) {
        struct timer *timer = loop->timers.first;

        if (!timer || timer->due_ms > now_ms || timer->order > newest)
            return;
        timer_queue_remove(&loop->timers, timer);
        timer->fire(timer);
    }
}

/* The libevent timer is moved only when the nearest timer came nearer or it has fired: most timers
 * are cancelled long before they are due. */
static void arm_nearest(struct loop *loop)
{
    int64_t wait_ms;
    struct timeval wait;

    if (!loop->timers.first || loop->timers.first->due_ms >= loop->nearest_ms)
        return;
    loop->nearest_ms = loop->timers.first->due_ms;
    wait_ms = loop->nearest_ms - clock_monotonic_ms();
    if (wait_ms < 0)
        wait_ms = 0;
    wait = (struct timeval){wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(loop->nearest, &wait);
}

static bool has_work_now(struct loop *loop)
{
    return loop->first_deferred || !list_is_empty(&loop->laters) ||
           !mailbox_may_sleep(loop->mailbox);
}

void loop_run(struct loop *loop)
{
    do {
        run_deferred(loop);
        run_laters(loop);
        run_timers(loop);
        arm_nearest(loop);
        event_base_loop(loop->base, EVLOOP_ONCE | (has_work_now(loop) ? EVLOOP_NONBLOCK : 0));
        mailbox_run(loop->mailbox);
    } while (!atomic_exchange(&loop->is_stopping, false));
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_stopping, true);
    if (!atomic_exchange(&loop->stop_is_posted, true))
        mailbox_answer(loop->stop_box, &loop->stop_task);
}

struct mailbox *loop_mailbox(struct loop *loop)
{
    return loop->mailbox;
}

unsigned loop_index(const struct loop *loop)
{
    return loop->index;
}

int64_t loop_now_ms(const struct loop *loop)
{
    (void)loop;
    return clock_monotonic_ms();
}

void *loop_event_base(struct loop *loop)
{
    return loop->base;
}

void loop_defer(struct loop *loop, struct task *task)
{
    task->next = NULL;
    *loop->last_deferred = task;
    loop->last_deferred = &task->next;
}

void later_init(struct later *later, struct loop *loop, void (*run)(struct later *later))
{
    list_init(&later->links);
    later->loop = loop;
    later->run = run;
}

void later_set(struct later *later)
{
    if (list_is_empty(&later->links))
        list_append(&later->loop->laters, &later->links);
}

void later_cancel(struct later *later)
{
    if (later->links.next)
        list_remove(&later->links);
}

void timer_init(struct timer *timer, struct loop *loop, void (*fire)(struct timer *timer))
{
    *timer = (struct timer){.loop = loop, .fire = fire};
}

void timer_set(struct timer *timer, int64_t delay_ms)
{
    timer_cancel(timer);
    timer_queue_add(&timer->loop->timers, timer,
                    clock_monotonic_ms() + (delay_ms > 0 ? delay_ms : 0));
}

void timer_cancel(struct timer *timer)
{
    if (timer->is_set)
        timer_queue_remove(&timer->loop->timers, timer);
}

void timer_fini(struct timer *timer)
{
    timer_cancel(timer);
}

static void on_event(evutil_socket_t fd, short what, void *argument)
{
    struct watch *watch = argument;

    (void)fd;
    watch->ready(watch, (what & EV_READ ? WATCH_READ : 0) | (what & EV_WRITE ? WATCH_WRITE : 0));
}

int watch_init(struct watch *watch, struct loop *loop, int fd,
               void (*ready)(struct watch *watch, unsigned what))
{
    *watch = (struct watch){.loop = loop, .ready = ready, .fd = fd};
    watch->event = event_new(loop->base, fd, EV_PERSIST, on_event, watch);
    return watch->event ? 0 : FAULT(-ENOMEM);
}

int watch_set(struct watch *watch, unsigned wanted)
{
    short what = (short)(EV_PERSIST | (wanted & WATCH_READ ? EV_READ : 0) |
                         (wanted & WATCH_WRITE ? EV_WRITE : 0));

    if (wanted == watch->wanted)
        return 0;
    event_del(watch->event);
    watch->wanted = 0;
    if (wanted == 0)
        return 0;
    event_assign(watch->event, watch->loop->base, watch->fd, what, on_event, watch);
    if (event_add(watch->event, NULL) < 0)
        return FAULT(errno ? -errno : -ENOMEM);
    watch->wanted = wanted;
    return 0;
}

void watch_fini(struct watch *watch)
{
    if (watch->event)
        event_free(watch->event);
    watch->event = NULL;
    watch->wanted = 0;
}
