/* The queue by filter words.  What the loops know is answered from memory: they say which messages
 * come next, and only the rows of one page are read.  Words that only rows can tell are looked for
 * row by row, and what was found within a fifth of a second is shown: the loops would go through
 * everything again for each page of rows that then do not match. */
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/spool/queue_id.h"
#include "webui/asking.h"
#include "webui/queue_desk.h"
#include "webui/queue_json.h"
#include "webui/queue_words.h"
#include "webui/routes.h"
#include "webui/turns.h"

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MOST = 1000,
    SCAN_SLICE = 20000,
    ANSWER_MS = 200,
    AT_ONCE = 2, /* of one account: each goes over all loops */
};

struct search {
    struct delivery_command count;
    struct delivery_sending sending;
    struct queue_job job;
    struct exchange *exchange;
    struct queue_words words;
    uint32_t limit, most_recipients;
    uint64_t cursor;   /* behind which message to go on; at the end 0: nothing is left */
    uint64_t *nearest; /* the next ids, a heap with the largest on top; the arena's */
    uint32_t n_nearest;
    uint64_t noted;      /* the last id that was looked for among them */
    struct chosen *busy; /* recipients that are being sent, sorted; malloc()ed */
    size_t n_busy;
    bool has_total;
    uint64_t n_total; /* recipients */
    int64_t deadline_ms;
    json_t *items;
    int result;
};

/* ---- which messages: on the loops, one after the other ---- */

static void sink(struct search *search, uint32_t at)
{
    uint64_t *ids = search->nearest;

    for (;;) {
        uint32_t child = 2 * at + 1;
        uint64_t id = ids[at];

        if (child + 1 < search->n_nearest && ids[child + 1] > ids[child])
            child++;
        if (child >= search->n_nearest || ids[child] <= id)
            return;
        ids[at] = ids[child];
        ids[child] = id;
        at = child;
    }
}

/* Recipients of a message mostly come one behind the other. */
static bool is_near(struct search *search, uint64_t id)
{
    if (search->noted == id)
        return true;
    search->noted = id;
    for (uint32_t i = 0; i < search->n_nearest; i++)
        if (search->nearest[i] == id)
            return true;
    return false;
}

static void add_near(struct search *search, uint64_t id)
{
    uint32_t at = search->n_nearest++;

    search->nearest[at] = id;
    while (at > 0 && search->nearest[(at - 1) / 2] < search->nearest[at]) {
        uint64_t above = search->nearest[(at - 1) / 2];

        search->nearest[(at - 1) / 2] = search->nearest[at];
        search->nearest[at] = above;
        at = (at - 1) / 2;
    }
}

static void note_entry(struct delivery_command *command, const struct entry *entry,
                       const char *destination)
{
    struct search *search = CONTAINER_OF(command, struct search, count);
    uint64_t id = entry->message->id;

    (void)destination;
    if (id <= search->cursor || is_near(search, id))
        return;
    if (search->n_nearest < search->limit) {
        add_near(search, id);
    } else {
        search->nearest[0] = id;
        sink(search, 0);
    }
    if (search->n_nearest == search->limit)
        command->notes_below = search->nearest[0];
}

/* ---- rows: on the reader thread ---- */

static bool is_sending(const struct search *search, uint64_t id, uint32_t n)
{
    return chosen_find(search->busy, search->n_busy, id, n) != NULL;
}

/* queue_filter.wants: in one of the states asked for. */
static bool is_wanted(void *owner, uint64_t id, const struct recipient_row *row)
{
    static const enum filter_state words[] = {[RECIPIENT_QUEUED] = FILTER_QUEUED,
                                              [RECIPIENT_DEFERRED] = FILTER_DEFERRED,
                                              [RECIPIENT_HELD] = FILTER_HELD};
    const struct search *search = owner;
    enum filter_state state = is_sending(search, id, row->n) ? FILTER_SENDING : words[row->state];

    return (search->words.words.states & 1U << state) != 0;
}

static bool append_row(void *owner, const struct message_row *row)
{
    struct search *search = owner;

    if (queue_words_match(&search->words, row))
        json_array_append_new(search->items, queue_item_json(row, search->most_recipients));
    return json_array_size(search->items) < search->limit;
}

/* What only rows tell may be told by any of a message's; else those that are shown suffice. */
static struct queue_filter filter_of(const struct search *search)
{
    const struct filter_words *words = &search->words.words;
    struct queue_filter filter = search->words.rows;

    if (words->states)
        filter.wants = is_wanted;
    if (words->reply.len == 0 && words->text.len == 0 && search->most_recipients < UINT32_MAX)
        filter.most_recipients = search->most_recipients;
    return filter;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static void read_nearest(struct queue_job *job, struct spool_reader *reader)
{
    struct search *search = CONTAINER_OF(job, struct search, job);
    struct queue_filter filter = filter_of(search);
    uint64_t ignored;
    bool is_late = false;

    qsort(search->nearest, search->n_nearest, sizeof(*search->nearest), compare_ids);
    for (uint32_t i = 0; search->result == 0 && i < search->n_nearest && !is_late &&
                         json_array_size(search->items) < search->limit;
         i++) {
        filter.id = search->cursor = search->nearest[i];
        search->result =
            spool_reader_list(reader, &filter, 1, SCAN_SLICE, append_row, search, &ignored);
        is_late = i + 1 < search->n_nearest && clock_monotonic_ms() >= search->deadline_ms;
    }
    if (!is_late && search->n_nearest < search->limit &&
        json_array_size(search->items) < search->limit)
        search->cursor = 0;
}

static void scan_rows(struct queue_job *job, struct spool_reader *reader)
{
    struct search *search = CONTAINER_OF(job, struct search, job);
    struct queue_filter filter = filter_of(search);

    filter.after_id = search->cursor;
    /* The page is full when append_row() says so: those that do not match are not of it. */
    search->result = spool_reader_list(reader, &filter, UINT32_MAX, SCAN_SLICE, append_row, search,
                                       &search->cursor);
}

/* ---- the answer ---- */

static void answer(struct search *search)
{
    struct exchange *exchange = search->exchange;
    char cursor[QUEUE_ID_SIZE];

    queue_mark_sending(search->items, buffer_slice(&search->sending.pairs));
    buffer_fini(&search->sending.pairs);
    free(search->busy);
    turn_end(exchange);
    if (search->result < 0) {
        json_decref(search->items);
        exchange_problem(exchange, 500, "queue_unreadable", strerror(-search->result));
        return;
    }
    queue_id_format(search->cursor, cursor);
    exchange_answer(
        exchange, 200,
        json_pack("{s:o, s:o, s:o, s:b}", "items", search->items, "next_cursor",
                  search->cursor ? json_string(cursor) : json_null(), "total",
                  search->has_total ? json_integer((json_int_t)search->n_total) : json_null(),
                  "total_is_estimate", search->words.has_rest));
}

static void look_on(struct search *search);

static void on_read(struct queue_job *job)
{
    struct search *search = CONTAINER_OF(job, struct search, job);

    if (search->result == 0 && search->cursor && json_array_size(search->items) < search->limit &&
        clock_monotonic_ms() < search->deadline_ms && !search->exchange->webui->is_stopping)
        look_on(search);
    else
        answer(search);
}

static void give_up(struct search *search)
{
    buffer_fini(&search->sending.pairs);
    free(search->busy);
    json_decref(search->items);
    turn_end(search->exchange);
    exchange_busy(search->exchange);
}

static void ask_rows(struct search *search, void (*work)(struct queue_job *, struct spool_reader *))
{
    search->job.answer_to = search->exchange->webui->mailbox;
    search->job.work = work;
    search->job.done = on_read;
    if (!queue_desk_ask(search->exchange->webui->queue_desk, &search->job))
        give_up(search);
}

static void on_counted(struct delivery_command *command)
{
    struct search *search = CONTAINER_OF(command, struct search, count);

    search->has_total = true;
    search->n_total = command->n_selected;
    ask_rows(search, read_nearest);
}

/* Whether rows alone answer: a site's name and who is being sent they do not know, and one id is
 * found at once. */
static bool is_of_rows(const struct search *search)
{
    const struct queue_words *words = &search->words;

    return !words->has_selection || (words->has_rest && !words->words.dest.len && !words->id &&
                                     !(words->words.states & 1U << FILTER_SENDING));
}

static void look_on(struct search *search)
{
    struct exchange *exchange = search->exchange;
    const struct operations *operations = exchange->webui->parts.operations;

    if (is_of_rows(search)) {
        ask_rows(search, scan_rows);
        return;
    }
    search->n_nearest = 0;
    search->noted = 0;
    search->count = (struct delivery_command){
        .verb = DELIVERY_COUNT,
        .selection = search->words.selection,
        .answer_to = exchange->webui->mailbox,
        .done = on_counted,
        .note = note_entry,
    };
    if (!operations->command(operations->owner, &search->count))
        give_up(search);
}

/* Who is being sent, rows do not know: it is asked first, so that rows are read by it. */
static void on_sending(struct delivery_sending *request)
{
    struct search *search = CONTAINER_OF(request, struct search, sending);
    struct reader reader = {.rest = buffer_slice(&request->pairs)};
    size_t most = reader.rest.len / 12;

    search->busy = calloc(most + 1, sizeof(*search->busy));
    if (!search->busy) {
        give_up(search);
        return;
    }
    for (; search->n_busy < most; search->n_busy++) {
        uint64_t id = reader_u64(&reader);

        search->busy[search->n_busy] = chosen_of(id, reader_u32(&reader), 0);
    }
    if (most)
        qsort(search->busy, most, sizeof(*search->busy), chosen_compare);
    search->deadline_ms = clock_monotonic_ms() + ANSWER_MS;
    look_on(search);
}

static void ask_sending(struct search *search)
{
    const struct operations *operations = search->exchange->webui->parts.operations;

    search->sending.answer_to = search->exchange->webui->mailbox;
    search->sending.done = on_sending;
    if (!operations->sending(operations->owner, &search->sending))
        give_up(search);
}

static bool read_query(struct search *search, struct slice user)
{
    struct exchange *exchange = search->exchange;
    const char *cursor = exchange_query(exchange, "cursor"),
               *sort = exchange_query(exchange, "sort");

    if (sort && strcmp(sort, "age") != 0) {
        exchange_problem(exchange, 422, "bad_sort", "The queue is sorted by age alone.");
        return false;
    }
    if (!queue_words_read(exchange, exchange_query(exchange, "filter"), &search->words) ||
        !asking_limit(exchange, LIMIT_DEFAULT, LIMIT_MOST, &search->limit) ||
        !queue_most_recipients(exchange, &search->most_recipients))
        return false;
    if (cursor && !queue_id_parse(slice_of(cursor), &search->cursor)) {
        exchange_problem(exchange, 422, "bad_cursor", "The cursor is none of ours.");
        return false;
    }
    if (user.len) /* the row's name decides, whatever memory says */
        search->words.rows.user = user;
    return true;
}

/* Over the socket nobody is kept waiting: that is who runs the machine. */
static bool may_begin(struct exchange *exchange)
{
    return exchange->is_local || turn_of_account(exchange, &exchange->webui->searches, AT_ONCE);
}

static void begin(struct exchange *exchange, struct slice user, uint32_t user_id)
{
    struct search *search = exchange_memory(exchange, sizeof(*search));

    if (!search)
        return;
    search->exchange = exchange;
    if (!read_query(search, user))
        return;
    if (user_id) {
        search->words.selection.user_id = user_id;
        search->words.selection.is_all = false;
        search->words.has_selection = true;
    }
    search->nearest = exchange_memory(exchange, search->limit * sizeof(*search->nearest));
    if (!search->nearest || !may_begin(exchange))
        return;
    if (!search->words.has_selection && filter_is_empty(&search->words.words) && !user.len) {
        search->has_total = exchange->webui->pulse.view.seen_ms > 0;
        search->words.has_rest = true; /* of the last look: it may be more by now */
        for (unsigned i = 0; i < N_ENTRY_STATES; i++)
            search->n_total += exchange->webui->pulse.view.n_by_state[i];
    }
    search->items = json_array();
    ask_sending(search);
}

void api_queue_search(struct exchange *exchange)
{
    begin(exchange, slice_of(""), 0);
}

void api_queue_of(struct exchange *exchange, const struct user *user)
{
    struct slice name = arena_copy(&exchange->arena, user->name);

    if (name.len)
        begin(exchange, name, user->id);
    else
        exchange_busy(exchange);
}
