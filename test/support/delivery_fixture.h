/* Delivery on two loops over a real spool and registry, and a look at the events it tells.
 * Thread: the test's; events are noted from any. */
#pragma once

#include <pthread.h>

#include "policy/registry.h"
#include "relay/base/event.h"
#include "relay/delivery/delivery.h"
#include "relay/delivery/operate.h"
#include "relay/net/loop.h"
#include "relay/spool/spool.h"

enum { FIXTURE_LOOPS = 2, FIXTURE_PATIENCE_MS = 30000 };

struct noted_event {
    struct noted_event *next;
    enum event_kind kind;
    char fields[EVENT_MAX_FIELDS][2][600]; /* name, value */
    unsigned n_fields;
};

struct delivery_fixture {
    char dir[64];
    struct loop *loops[FIXTURE_LOOPS];
    pthread_t threads[FIXTURE_LOOPS];
    struct spool *spool;
    struct registry *registry;
    struct delivery *delivery;
    struct mailbox *answers;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct noted_event *first, **last;
};

/* Set before the start: where events go instead of being noted. */
extern event_sink *delivery_fixture_sink;
extern const char *delivery_fixture_from_domain; /* of all mail; NULL: none */
extern const struct io *delivery_fixture_io;     /* the spool's from now on; NULL: the system's */

/* Runs with these settings; hostname, retry and expiry are filled in when they are empty. */
struct delivery_fixture *delivery_fixture_start(struct delivery_settings settings);
void delivery_fixture_stop(struct delivery_fixture *fixture); /* drains; removes everything */
void delivery_fixture_end(struct delivery_fixture *fixture, bool drains);
/* Drains it and starts anew with the same queue; what was noted is forgotten. */
struct delivery_fixture *delivery_fixture_again(struct delivery_fixture *fixture,
                                                struct delivery_settings settings);

struct fixture_mail {
    const char *sender;
    const char *const *recipients; /* ended by NULL */
    const char *text;              /* CRLF lines */
    uint32_t flags;                /* enum message_flags */
    uint8_t notify;                /* of every recipient */
    int64_t life_ms;               /* 0: an hour */
};
/* The spool's result; *id: also of what it refused. */
int delivery_fixture_try(struct delivery_fixture *fixture, const struct fixture_mail *mail,
                         uint64_t *id);
/* The id of the committed message. */
uint64_t delivery_fixture_send(struct delivery_fixture *fixture, const struct fixture_mail *mail);

/* Waits for the at-th (from 0) event of this kind whose field has this value (NULL: any); fails
 * the test when it does not come. */
const struct noted_event *delivery_fixture_await(struct delivery_fixture *fixture,
                                                 enum event_kind kind, const char *field,
                                                 const char *value, unsigned at);
unsigned delivery_fixture_count(struct delivery_fixture *fixture, enum event_kind kind);
const char *noted_value(const struct noted_event *event, const char *field); /* "" : none */

/* Asks and waits for the answer. */
void delivery_fixture_command(struct delivery_fixture *fixture, struct delivery_command *command);
