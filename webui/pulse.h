/* How it goes, looked at now and then: what waits, what came and went in a day, where most waits.
 * Once a minute by itself, up to once a second while somebody looks; never so often that counting
 * takes more than a twentieth of the time.  One look serves all who ask.
 * Thread: the panel's. */
#pragma once

#include "relay/base/list.h"
#include "relay/events/history_reader.h"
#include "relay/schedule/operate.h"
#include "webui/history_desk.h"
#include "webui/user_waits.h"

struct exchange;
struct webui;

enum { PULSE_HOURS = 24, PULSE_DOMAINS = 5, PULSE_USERS = 5, PULSE_NAME = 256 };

struct pulse_name {
    char name[PULSE_NAME];
    int64_t n, per_minute; /* per_minute: of domains */
};

/* What the last look saw. */
struct pulse_view {
    int64_t seen_ms; /* monotonic; 0: nothing yet */
    uint64_t n_by_state[N_ENTRY_STATES];
    int64_t oldest_utc_ms;                         /* 0: nothing waits */
    int64_t hours[PULSE_HOURS][N_COUNTER_COLUMNS]; /* the last is the one that runs */
    int64_t n_lately;                              /* delivered in the last five minutes */
    struct pulse_name domains[PULSE_DOMAINS], users[PULSE_USERS];
    bool has_history;
};

struct pulse {
    struct webui *webui;
    struct pulse_view view, next;     /* next: being filled */
    struct user_waits waits, counted; /* of the last look; of the one that runs */
    struct delivery_command count;
    struct delivery_domains domains;
    struct history_job history;
    struct list waiting; /* struct pulse_wait */
    bool is_running;
    int64_t begun_ms, took_ms, wanted_ms; /* of the last look; when somebody last asked */
    int64_t domains_ms;
    int64_t now_s; /* of the look that runs */
};

struct pulse_wait {
    struct list link;
    void (*done)(struct pulse_wait *wait);
};

void pulse_init(struct pulse *pulse, struct webui *webui);
void pulse_fini(struct pulse *pulse);
int pulse_timeout_ms(const struct pulse *pulse); /* until the next look is due */
void pulse_turn(struct pulse *pulse);
void pulse_want(struct pulse *pulse); /* somebody looks just now */

/* done: at once if the last look is fresh, or cost so much that the next has to wait; else when the
 * next is over. */
void pulse_await(struct pulse *pulse, struct pulse_wait *wait);
