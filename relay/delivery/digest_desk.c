#include "relay/delivery/digest_desk.h"

#include <errno.h>

#include "relay/base/clock.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "relay/delivery/bounce.h"
#include "relay/delivery/telling.h"
#include "relay/message/digest.h"
#include "relay/spool/queue_id.h"

struct pile {
    struct key_entry entry;
    struct heap_node age; /* key: when its first failed, monotonic; AT_ONCE */
    uint32_t user_id;
    uint32_t n; /* told of and, as far as we know, not reported */
    struct slice sender;
    char text[];
};

static const int64_t AT_ONCE = INT64_MIN;

/* One report being made. */
struct draft {
    struct list link;
    struct delivery_shard *shard;
    struct pile *pile;
    uint32_t n_before; /* of the pile, taken out of it */
    struct arena arena;
    struct spool_collect collect;
    struct failures_told told;
    struct bounce_report *report;
    struct spool_append append;
};

static void take_notes(struct task *task);

void digest_desk_init(struct digest_desk *desk)
{
    list_init(&desk->drafts);
    desk->notes_task.run = take_notes;
}

bool digest_has_room(const struct delivery *delivery, uint32_t user_id)
{
    const struct digest_counts *counts = &delivery->digests;

    return atomic_load(&counts->n_piles) < DIGEST_MOST_PILES &&
           atomic_load(&counts->n_of_user[user_id % DIGEST_USERS]) < DIGEST_MOST_PILES_OF_USER;
}

static void count_pile(struct delivery_shard *shard, uint32_t user_id, uint32_t change)
{
    struct digest_counts *counts = &shard->delivery->digests;

    atomic_fetch_add(&counts->n_piles, change);
    atomic_fetch_add(&counts->n_of_user[user_id % DIGEST_USERS], change);
}

/* ---- piles ---- */

/* 64 bits of a keyed hash: two senders do not share one but by a chance nobody can use. */
static uint64_t key_of(uint32_t user_id, struct slice sender)
{
    return table_hash(sender) ^ table_hash(slice_from(&user_id, sizeof(user_id)));
}

static void remove_pile(struct delivery_shard *shard, struct pile *pile)
{
    heap_remove(&shard->digests.by_age, &pile->age);
    key_table_remove(&shard->digests.piles, &pile->entry);
    count_pile(shard, pile->user_id, -1U);
    free(pile);
}

static struct pile *new_pile(struct delivery_shard *shard, uint32_t user_id, struct slice sender,
                             int64_t first_ms)
{
    struct pile *pile = calloc(1, sizeof(*pile) + sender.len);

    if (!pile)
        return NULL;
    memcpy(pile->text, sender.data, sender.len);
    pile->sender = slice_from(pile->text, sender.len);
    pile->user_id = user_id;
    pile->entry.key = key_of(user_id, sender);
    if (key_table_add(&shard->digests.piles, &pile->entry) < 0) {
        free(pile);
        return NULL;
    }
    count_pile(shard, user_id, 1);
    if (heap_set(&shard->digests.by_age, &pile->age, first_ms) == 0)
        return pile;
    remove_pile(shard, pile);
    return NULL;
}

static void wait_again(struct delivery_shard *shard, struct pile *pile, int64_t first_ms)
{
    /* Without memory its rows stay; the next start finds them. */
    if (heap_set(&shard->digests.by_age, &pile->age, first_ms) < 0)
        remove_pile(shard, pile);
}

static void add(struct delivery_shard *shard, uint32_t user_id, struct slice sender, uint32_t n,
                int64_t first_ms)
{
    struct key_entry *entry = key_table_find(&shard->digests.piles, key_of(user_id, sender));
    struct pile *pile = entry ? CONTAINER_OF(entry, struct pile, entry)
                              : new_pile(shard, user_id, sender, first_ms);

    if (!pile) {
        log_debug("delivery", "no memory for a digest; its failures wait for the next start");
        return;
    }
    pile->n += n;
    if (pile->n >= DIGEST_MOST && pile->age.place != HEAP_NOWHERE)
        wait_again(shard, pile, AT_ONCE);
}

/* ---- from the loops where recipients fail ---- */

struct digest_note {
    struct digest_note *older;
    uint32_t user_id, n;
    struct slice sender;
    char text[];
};

static void take_notes(struct task *task)
{
    struct digest_desk *desk = CONTAINER_OF(task, struct digest_desk, notes_task);
    struct delivery_shard *shard = CONTAINER_OF(desk, struct delivery_shard, digests);
    struct digest_note *note = atomic_exchange(&desk->notes, NULL);

    while (note) {
        struct digest_note *older = note->older;

        add(shard, note->user_id, note->sender, note->n, shard_now_ms(shard));
        free(note);
        note = older;
    }
    digest_run(shard);
}

/* The first of a pile of notes posts the task: it stays on its way until the pile was taken. */
static void send_note(struct delivery_shard *owner, struct digest_note *note)
{
    struct digest_desk *desk = &owner->digests;
    struct digest_note *older = atomic_load(&desk->notes);

    do {
        note->older = older;
    } while (!atomic_compare_exchange_weak(&desk->notes, &older, note));
    if (!older) /* the note itself is the owner's by now, and perhaps freed */
        mailbox_answer(loop_mailbox(owner->loop), &desk->notes_task);
}

void digest_note(struct delivery_shard *shard, uint32_t user_id, struct slice sender, uint32_t n)
{
    struct delivery_shard *owner = delivery_owner_of(shard->delivery, sender);
    struct digest_note *note;

    if (owner == shard) {
        add(shard, user_id, sender, n, shard_now_ms(shard));
        digest_run(shard);
        return;
    }
    note = calloc(1, sizeof(*note) + sender.len);
    if (!note)
        return; /* the rows stay; the next start finds them */
    memcpy(note->text, sender.data, sender.len);
    note->sender = slice_from(note->text, sender.len);
    note->user_id = user_id;
    note->n = n;
    send_note(owner, note);
}

void digest_recover(struct delivery *delivery, const struct failures_waiting *waiting)
{
    int64_t age_ms = clock_utc_ms() - waiting->first_utc_ms;

    /* A clock set back makes nothing wait longer than a period. */
    add(delivery_owner_of(delivery, waiting->sender), waiting->user_id, waiting->sender, waiting->n,
        clock_monotonic_ms() - (age_ms > 0 ? age_ms : 0));
}

/* ---- one report ---- */

static void free_draft(struct draft *draft)
{
    list_remove(&draft->link);
    buffer_fini(&draft->collect.rows);
    bounce_free(draft->report);
    arena_reset(&draft->arena);
    free(draft);
}

static void end_draft(struct draft *draft)
{
    struct delivery_shard *shard = draft->shard;

    shard->digests.n_drafts--;
    free_draft(draft);
    delivery_shard_touch(shard); /* a drain may wait for it */
    digest_run(shard);
}

static void try_later(struct draft *draft)
{
    struct delivery_shard *shard = draft->shard;

    draft->pile->n += draft->n_before;
    wait_again(shard, draft->pile,
               shard_now_ms(shard) + DIGEST_RETRY_MS - shard->config->settings.digest_ms);
    end_draft(draft);
}

/* What was noted meanwhile may have been told already: then a look finds no rows. */
static void settle_pile(struct draft *draft)
{
    struct delivery_shard *shard = draft->shard;

    if (draft->collect.has_more)
        wait_again(shard, draft->pile, AT_ONCE);
    else if (draft->pile->n > 0)
        wait_again(shard, draft->pile,
                   draft->pile->n < DIGEST_MOST ? shard_now_ms(shard) : AT_ONCE);
    else
        remove_pile(shard, draft->pile);
    end_draft(draft);
}

static void on_appended(struct spool_append *append)
{
    struct draft *draft = CONTAINER_OF(append, struct draft, append);

    if (append->result < 0) {
        try_later(draft);
        return;
    }
    tell_digest(draft->report);
    settle_pile(draft);
}

static struct slice format_id(struct arena *arena, uint64_t id)
{
    char text[QUEUE_ID_SIZE];

    queue_id_format(id, text);
    return arena_copy(arena, slice_of(text));
}

static void describe(struct draft *draft, const struct failure *row, struct digest_entry *out)
{
    *out = (struct digest_entry){
        .recipient = {.address = row->address,
                      .orcpt = row->orcpt,
                      .action = DSN_FAILED,
                      .status = row->status,
                      .remote_mta = row->mx,
                      .diagnostic = row->diagnostic,
                      .reason = row->reason,
                      .last_attempt_utc_ms = row->failed_utc_ms},
        .queue_id = format_id(&draft->arena, row->message),
        .envid = row->envid,
        .message_id = row->message_id,
        .subject = row->subject,
    };
}

static int write_text(struct draft *draft, const struct digest_entry *entries, uint32_t n,
                      struct dsn_facts *facts)
{
    char id[QUEUE_ID_SIZE];
    struct digest digest = {
        .hostname = draft->shard->config->hostname,
        .sender = draft->pile->sender,
        .now_utc_ms = clock_utc_ms(),
        .entries = entries,
        .n_entries = n,
    };

    draft->report->envelope.id = queue_id_new();
    queue_id_format(draft->report->envelope.id, id);
    digest.report_id = slice_of(id);
    draft->report->n_recipients = n;
    return digest_write(&digest, &draft->report->text, facts);
}

static int write_report(struct draft *draft)
{
    const struct failure *rows = spool_collected_rows(&draft->collect);
    uint32_t n = spool_collected(&draft->collect);
    struct digest_entry *entries = arena_alloc(&draft->arena, n * sizeof(*entries));
    struct dsn_facts facts;
    int error;

    draft->report = calloc(1, sizeof(*draft->report));
    if (!entries || !draft->report)
        return FAULT(-ENOMEM);
    for (uint32_t i = 0; i < n; i++)
        describe(draft, &rows[i], &entries[i]);
    error = write_text(draft, entries, n, &facts);
    if (error < 0)
        return error;
    bounce_address(draft->report, draft->shard,
                   &(struct bounce_receiver){rows[0].user_id, rows[0].user, draft->pile->sender},
                   &facts, &draft->append);
    draft->told = (struct failures_told){rows[0].user_id, draft->pile->sender, rows[n - 1].id};
    draft->append.tells = &draft->told;
    draft->append.answer_to = loop_mailbox(draft->shard->loop);
    draft->append.done = on_appended;
    return 0;
}

static void on_collected(struct spool_collect *collect)
{
    struct draft *draft = CONTAINER_OF(collect, struct draft, collect);

    if (collect->result == 0 && spool_collected(collect) == 0)
        settle_pile(draft);
    else if (collect->result < 0 || write_report(draft) < 0 ||
             !spool_append(draft->shard->delivery->spool, &draft->append))
        try_later(draft);
}

/* ---- what is due ---- */

static bool start_draft(struct delivery_shard *shard, struct pile *pile)
{
    struct draft *draft = calloc(1, sizeof(*draft));

    if (!draft)
        return false;
    heap_remove(&shard->digests.by_age, &pile->age);
    list_append(&shard->digests.drafts, &draft->link);
    shard->digests.n_drafts++;
    draft->shard = shard;
    draft->pile = pile;
    draft->n_before = pile->n;
    pile->n = 0;
    arena_init(&draft->arena, 0);
    draft->collect = (struct spool_collect){
        .answer_to = loop_mailbox(shard->loop),
        .done = on_collected,
        .user_id = pile->user_id,
        .sender = pile->sender,
        .most = DIGEST_MOST,
        .most_bytes = DIGEST_MOST_BYTES,
        .arena = &draft->arena,
    };
    spool_collect(shard->delivery->spool, &draft->collect);
    return true;
}

static bool may_start(const struct delivery_shard *shard)
{
    return shard->is_ready && !shard->is_draining && shard->digests.n_drafts < DIGEST_MOST_DRAFTS &&
           spool_accepts(shard->delivery->spool);
}

void digest_run(struct delivery_shard *shard)
{
    int64_t oldest_ms = shard_now_ms(shard) - shard->config->settings.digest_ms;

    while (may_start(shard)) {
        struct heap_node *first = heap_first(&shard->digests.by_age);

        if (!first || first->key > oldest_ms ||
            !start_draft(shard, CONTAINER_OF(first, struct pile, age)))
            return;
    }
}

void digest_desk_fini(struct delivery_shard *shard)
{
    struct digest_desk *desk = &shard->digests;
    struct key_entry *entry;

    for (struct digest_note *note = atomic_load(&desk->notes), *older; note; note = older) {
        older = note->older;
        free(note);
    }
    while (desk->drafts.next && !list_is_empty(&desk->drafts))
        free_draft(CONTAINER_OF(desk->drafts.next, struct draft, link));
    while ((entry = key_table_take_any(&desk->piles)))
        free(CONTAINER_OF(entry, struct pile, entry));
    key_table_fini(&desk->piles);
    heap_fini(&desk->by_age);
}
