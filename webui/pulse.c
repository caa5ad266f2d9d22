#include "webui/webui_private.h"

#include "relay/base/clock.h"
#include "relay/events/events.h"
#include "webui/live.h"
#include "webui/pulse.h"

enum {
    IDLE_MS = 55000, /* a sample of the depth in each minute of the counters */
    BUSY_MS = 1000,
    WANTED_MS = 30000, /* after somebody asked */
    FRESH_MS = 900,
    SHARE = 20, /* of the time, at most, goes into looking */
    DOMAINS_MS = 10000,
    HOUR_S = 3600,
    LATELY_S = 300,
};

void pulse_init(struct pulse *pulse, struct webui *webui)
{
    *pulse = (struct pulse){.webui = webui};
    list_init(&pulse->waiting);
}

void pulse_fini(struct pulse *pulse)
{
    user_waits_fini(&pulse->waits);
    user_waits_fini(&pulse->counted);
}

void pulse_want(struct pulse *pulse)
{
    pulse->wanted_ms = clock_monotonic_ms();
}

static int64_t due_ms(const struct pulse *pulse)
{
    int64_t pause_ms =
        pulse->wanted_ms && clock_monotonic_ms() - pulse->wanted_ms < WANTED_MS ? BUSY_MS : IDLE_MS;

    if (pause_ms < SHARE * pulse->took_ms)
        pause_ms = SHARE * pulse->took_ms;
    if (!list_is_empty(&pulse->waiting))
        pause_ms = 0;
    return pulse->begun_ms + pause_ms;
}

int pulse_timeout_ms(const struct pulse *pulse)
{
    int64_t left_ms = due_ms(pulse) - clock_monotonic_ms();

    if (pulse->is_running || pulse->webui->is_stopping)
        return IDLE_MS;
    return left_ms > 0 ? (int)left_ms : 0;
}

/* ---- the end of a look ---- */

static void serve(struct pulse *pulse)
{
    struct list *link;

    while ((link = list_take_first(&pulse->waiting))) {
        struct pulse_wait *wait = CONTAINER_OF(link, struct pulse_wait, link);

        wait->done(wait);
    }
}

static void finish(struct pulse *pulse)
{
    pulse->is_running = false;
    pulse->webui->n_waiting--;
    pulse->took_ms = clock_monotonic_ms() - pulse->begun_ms;
    pulse->view = pulse->next;
    serve(pulse);
    live_tell_pulse(pulse->webui);
}

/* The loops are busy: what was seen last stands, and does not look as if nothing waited. */
static void give_up(struct pulse *pulse)
{
    pulse->next = pulse->view;
    finish(pulse);
}

/* ---- the past: on the reader thread ---- */

static void add_hour(void *owner, int64_t slot_s, const int64_t columns[N_COUNTER_COLUMNS])
{
    struct pulse *pulse = owner;
    int64_t first_s = pulse->now_s - pulse->now_s % HOUR_S - (PULSE_HOURS - 1) * (int64_t)HOUR_S;
    int64_t hour = (slot_s - first_s) / HOUR_S;

    if (slot_s < first_s || hour >= PULSE_HOURS)
        return;
    for (unsigned i = 0; i < N_COUNTER_COLUMNS; i++)
        pulse->next.hours[hour][i] += columns[i];
}

static void add_lately(void *owner, int64_t slot_s, const int64_t columns[N_COUNTER_COLUMNS])
{
    (void)slot_s;
    ((struct pulse *)owner)->next.n_lately += columns[COUNTER_DELIVERED];
}

/* Keeps the largest, in order. */
static void note_name(struct pulse_name *names, unsigned most, struct slice name, int64_t n,
                      int64_t per_minute)
{
    unsigned place = most;

    while (place > 0 && n > names[place - 1].n)
        place--;
    if (place == most || name.len == 0)
        return;
    memmove(&names[place + 1], &names[place], (most - 1 - place) * sizeof(*names));
    names[place].n = n;
    names[place].per_minute = per_minute;
    slice_copy_to(name, names[place].name, sizeof(names[place].name));
}

static void add_user(void *owner, struct slice name, int64_t accepted, int64_t delivered,
                     int64_t deferred, int64_t bounced)
{
    (void)delivered, (void)deferred, (void)bounced;
    note_name(((struct pulse *)owner)->next.users, PULSE_USERS, name, accepted, 0);
}

static void read_past(struct history_job *job, struct history_reader *reader)
{
    struct pulse *pulse = CONTAINER_OF(job, struct pulse, history);
    struct counter_query query = {.by = COUNTER_TOTAL,
                                  .tier = 1,
                                  .from_s = pulse->now_s - PULSE_HOURS * (int64_t)HOUR_S,
                                  .until_s = pulse->now_s + HOUR_S};
    int error = history_reader_counts(reader, &query, add_hour, pulse);

    query.tier = 0;
    query.from_s = pulse->now_s - LATELY_S;
    if (error == 0)
        error = history_reader_counts(reader, &query, add_lately, pulse);
    query.by = COUNTER_USER;
    query.tier = 2;
    query.from_s = pulse->now_s - PULSE_HOURS * (int64_t)HOUR_S;
    if (error == 0)
        error = history_reader_sums(reader, &query, add_user, pulse);
    pulse->next.has_history = error == 0;
}

static void on_past(struct history_job *job)
{
    finish(CONTAINER_OF(job, struct pulse, history));
}

static void ask_past(struct pulse *pulse)
{
    pulse->history.answer_to = pulse->webui->mailbox;
    pulse->history.work = read_past;
    pulse->history.done = on_past;
    if (!history_desk_ask(pulse->webui->history_desk, &pulse->history))
        finish(pulse);
}

/* ---- what waits ---- */

static void on_domains(struct delivery_domains *request)
{
    struct pulse *pulse = CONTAINER_OF(request, struct pulse, domains);
    struct reader reader = {.rest = buffer_slice(&request->counts)};

    memset(pulse->next.domains, 0, sizeof(pulse->next.domains));
    while (reader.rest.len && !reader.failed) {
        uint32_t n = reader_u32(&reader), per_minute = reader_u32(&reader);

        note_name(pulse->next.domains, PULSE_DOMAINS, reader_counted(&reader), n, per_minute);
    }
    buffer_fini(&request->counts);
    pulse->domains_ms = clock_monotonic_ms();
    ask_past(pulse);
}

static void on_counted(struct delivery_command *command)
{
    struct pulse *pulse = CONTAINER_OF(command, struct pulse, count);
    const struct operations *operations = pulse->webui->parts.operations;
    struct user_waits before = pulse->waits;
    uint64_t n = 0;

    pulse->waits = pulse->counted;
    pulse->counted = before;
    memcpy(pulse->next.n_by_state, command->n_by_state, sizeof(command->n_by_state));
    for (unsigned i = 0; i < N_ENTRY_STATES; i++)
        n += command->n_by_state[i];
    events_note_depth(pulse->webui->parts.events, (int64_t)n);
    pulse->domains.answer_to = pulse->webui->mailbox;
    pulse->domains.done = on_domains;
    /* Hundreds of thousands of domains are not summed up each second. */
    if ((n > 100000 && clock_monotonic_ms() - pulse->domains_ms < DOMAINS_MS) ||
        !operations->domains(operations->owner, &pulse->domains))
        ask_past(pulse);
}

/* On the loops, one after the other. */
static void note_entry(struct delivery_command *command, const struct entry *entry,
                       const char *destination)
{
    struct pulse *pulse = CONTAINER_OF(command, struct pulse, count);
    int64_t arrived_ms = entry->message->arrived_utc_ms;

    (void)destination;
    user_waits_note(&pulse->counted, entry->message->user_id, entry->state == ENTRY_HELD);
    if (entry->state != ENTRY_HELD &&
        (pulse->next.oldest_utc_ms == 0 || arrived_ms < pulse->next.oldest_utc_ms))
        pulse->next.oldest_utc_ms = arrived_ms;
}

static void begin(struct pulse *pulse)
{
    const struct operations *operations = pulse->webui->parts.operations;
    struct pulse_name domains[PULSE_DOMAINS];

    memcpy(domains, pulse->view.domains, sizeof(domains));
    pulse->begun_ms = clock_monotonic_ms();
    pulse->now_s = clock_utc_ms() / 1000;
    pulse->next = (struct pulse_view){.seen_ms = pulse->begun_ms};
    memcpy(pulse->next.domains, domains, sizeof(domains));
    pulse->count = (struct delivery_command){
        .verb = DELIVERY_LOOK,
        .selection = {.is_all = true},
        .answer_to = pulse->webui->mailbox,
        .done = on_counted,
        .note = note_entry,
    };
    user_waits_clear(&pulse->counted);
    pulse->is_running = true;
    pulse->webui->n_waiting++;
    if (!operations->command(operations->owner, &pulse->count))
        give_up(pulse);
}

void pulse_turn(struct pulse *pulse)
{
    if (pulse->webui->is_stopping && !pulse->is_running)
        serve(pulse); /* with what was seen last: no other look comes */
    if (!pulse->is_running && !pulse->webui->is_stopping && pulse_timeout_ms(pulse) == 0)
        begin(pulse);
}

/* The last look took so long that the next must not begin yet, whoever asks. */
static bool is_share_spent(const struct pulse *pulse)
{
    return !pulse->is_running && clock_monotonic_ms() - pulse->begun_ms < SHARE * pulse->took_ms;
}

void pulse_await(struct pulse *pulse, struct pulse_wait *wait)
{
    pulse_want(pulse);
    if (pulse->view.seen_ms &&
        (clock_monotonic_ms() - pulse->view.seen_ms < FRESH_MS || is_share_spent(pulse))) {
        wait->done(wait);
        return;
    }
    list_append(&pulse->waiting, &wait->link);
}
