/* One event loop on one thread: descriptors, timers, work for the next turn, and the mailbox into
 * it.  loop.c is the only file that includes libevent.
 * Nothing here calls back inside the call that asked for it, except loop_run().
 * Thread: everything on the loop's own thread, but loop_stop() and loop_mailbox(), which any may
 * call.  A loop is owned by its maker until loop_run(), by the running thread from then on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/fault.h"
#include "relay/base/list.h"
#include "relay/base/mailbox.h"

struct loop;

/* index: 0 … n-1 among the process's loops; mailbox_capacity: requests that may wait.  0 or
 * -errno. */
MUST_USE int loop_new(struct loop **out, unsigned index, uint32_t mailbox_capacity);

/* Streams, timers and watches must be gone before.  Accepts NULL, returns NULL. */
struct loop *loop_free(struct loop *loop);

/* Blocks until loop_stop(), for one turn at least; may be called again. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); /* any thread; the turn that runs is finished first */

struct mailbox *loop_mailbox(struct loop *loop);
unsigned loop_index(const struct loop *loop);
int64_t loop_now_ms(const struct loop *loop); /* monotonic */

/* Runs task.run(task) at the next turn; cannot be taken back (see struct later). */
void loop_defer(struct loop *loop, struct task *task);

/* A moment that took much memory is over (a handshake).  After many, once nothing of the kind came
 * for a while, what lies free between the blocks that stayed goes back to the system. */
void loop_note_peak(struct loop *loop);

/* Work for the next turn that may be taken back: embed it, it allocates nothing. */
struct later {
    struct list links; /* first, so that later_init() is all it needs */
    struct loop *loop;
    void (*run)(struct later *later);
};
void later_init(struct later *later, struct loop *loop, void (*run)(struct later *later));
void later_set(struct later *later); /* harmless when set already */
void later_cancel(struct later *later);

/* Fires once, on the loop's thread, never before delay_ms passed.  Embed it; neither setting nor
 * cancelling allocates or fails.  fire() may set it again or free what embeds it. */
struct timer {
    struct timer *child, *next, *previous; /* pairing heap; previous: left sibling or parent */
    int64_t due_ms;                        /* monotonic */
    uint64_t order;                        /* among timers due in the same millisecond */
    struct loop *loop;
    void (*fire)(struct timer *timer);
    bool is_set;
};
void timer_init(struct timer *timer, struct loop *loop, void (*fire)(struct timer *timer));
void timer_set(struct timer *timer, int64_t delay_ms); /* anew when set already; ≤ 0: next turn */
void timer_cancel(struct timer *timer);                /* harmless when not set */
void timer_fini(struct timer *timer);                  /* cancels; harmless on a zeroed one */

/* Readiness of a descriptor, level-triggered.  The descriptor stays its owner's; watch_fini()
 * comes before close(). */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch {
    struct loop *loop;
    void (*ready)(struct watch *watch, unsigned what); /* WATCH_READ | WATCH_WRITE */
    void *event;                                       /* loop.c's */
    int fd;
    unsigned wanted;
};
MUST_USE int watch_init(struct watch *watch, struct loop *loop, int fd,
                        void (*ready)(struct watch *watch, unsigned what)); /* 0 or -ENOMEM */
MUST_USE int watch_set(struct watch *watch, unsigned wanted); /* 0: none; 0 or -errno */
void watch_fini(struct watch *watch); /* may be called in ready(); harmless on a zeroed one */

/* The libevent base, for libunbound in resolver.c and for nobody else. */
void *loop_event_base(struct loop *loop);
