#include "webui/job_count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/crc32c.h"

enum { BY_USER, BY_DESTINATION, MOST_SHOWN = 100 };

/* Where the number of that share stands, or would stand: loops that send mail ask for it, twice for
 * each recipient. */
static uint16_t *share_place(struct job *job, unsigned by, uint32_t user_id, const char *name)
{
    uint32_t at = name ? crc32c(by, slice_of(name)) : user_id;

    for (;; at++) {
        uint16_t *place = &job->share_index[by][at % JOB_SHARE_SLOTS];
        const struct job_share *share = *place ? &job->shares[by][*place - 1] : NULL;

        if (!share || (name ? strcmp(share->name, name) == 0 : share->user_id == user_id))
            return place;
    }
}

enum { MOST_SHARES = JOB_SHARE_SLOTS / 2 }; /* what comes beyond is in the sums alone */

/* False without memory. */
static bool has_room(struct job *job, unsigned by)
{
    struct job_share *more;

    if (job->n_shares[by] < job->capacity[by])
        return true;
    more = reallocarray(job->shares[by], job->capacity[by] + 64, sizeof(*more));
    if (!more)
        return false;
    job->shares[by] = more;
    job->capacity[by] += 64;
    return true;
}

static void add_share(struct job *job, unsigned by, uint32_t user_id, const char *name)
{
    uint16_t *place = share_place(job, by, user_id, name);
    struct job_share *share;

    if (*place) {
        job->shares[by][*place - 1].n++;
        return;
    }
    if (job->n_shares[by] == MOST_SHARES || !has_room(job, by))
        return;
    share = &job->shares[by][job->n_shares[by]];
    *share = (struct job_share){.name = name ? strdup(name) : NULL, .user_id = user_id, .n = 1};
    if (!name || share->name)
        *place = (uint16_t)++job->n_shares[by];
}

void job_note(struct job *job, const struct entry *entry, const char *destination)
{
    struct chosen chosen =
        chosen_of(entry->message->id, entry->n, entry->state == ENTRY_HELD ? JOB_BINNED : 0);

    add_share(job, BY_USER, entry->message->user_id, NULL);
    add_share(job, BY_DESTINATION, 0, destination);
    buffer_append(&job->chosen, slice_from(&chosen, sizeof(chosen)));
}

void job_note_work(struct job *job, const struct entry *entry)
{
    struct chosen *chosen =
        chosen_find((const struct chosen *)(const void *)job->chosen.data,
                    job->chosen.len / sizeof(*chosen), entry->message->id, entry->n);
    bool is_counted = true;

    if (chosen && job->phase == JOB_WORKING) {
        chosen->bits |= JOB_BINNED | JOB_OURS;
        chosen->held_until_s = job->command.held_until_s;
    } else if (chosen && job->phase == JOB_UNDOING) {
        is_counted = !(chosen->bits & JOB_TOLD) && !atomic_load(&job->is_cancelled);
        chosen->bits |= JOB_TOLD;
        if (entry->state == ENTRY_HELD) {
            chosen->bits &= (uint8_t)~JOB_OURS; /* whoever holds it from here on is not us */
            job->command.given_back_until_s = chosen->held_until_s;
        }
    }
    if (is_counted)
        atomic_fetch_add(&job->n_done, 1);
}

int job_settle(struct job *job)
{
    struct chosen *all = (struct chosen *)(void *)job->chosen.data;
    size_t n = job->chosen.len / sizeof(*all), n_kept = 0;

    if (buffer_error(&job->chosen) < 0)
        return buffer_error(&job->chosen);
    if (n)
        qsort(all, n, sizeof(*all), chosen_compare);
    job->n_messages = 0;
    for (size_t i = 0; i < n; i++) {
        const struct chosen *last = n_kept ? &all[n_kept - 1] : NULL;

        if (last && chosen_compare(last, &all[i]) == 0)
            continue;
        job->n_messages +=
            !last || last->id_high != all[i].id_high || last->id_low != all[i].id_low;
        all[n_kept++] = all[i];
    }
    job->chosen.len = n_kept * sizeof(*all);
    return 0;
}

static int compare_shares(const void *a, const void *b)
{
    uint64_t left = ((const struct job_share *)a)->n, right = ((const struct job_share *)b)->n;

    return (left < right) - (left > right);
}

static struct slice user_name(const struct job *job, uint32_t id)
{
    const struct directory *directory = job->webui->directory;

    for (uint32_t i = 0; directory && i < directory->n_users; i++)
        if (directory->users[i].id == id)
            return directory->users[i].name;
    return slice_of("");
}

static json_t *shares_json(const struct job *job, unsigned by)
{
    json_t *items = json_array();

    /* Nothing is noted after this: the index does not know the new order. */
    if (job->n_shares[by])
        qsort(job->shares[by], job->n_shares[by], sizeof(struct job_share), compare_shares);
    for (size_t i = 0; i < job->n_shares[by] && i < MOST_SHOWN; i++) {
        const struct job_share *share = &job->shares[by][i];
        struct slice name = share->name ? slice_of(share->name) : user_name(job, share->user_id);

        json_array_append_new(items, json_pack("{s:o, s:I}", "name", json_slice(name), "recipients",
                                               (json_int_t)share->n));
    }
    return items;
}

json_t *job_count_json(const struct job *job)
{
    return json_pack("{s:I, s:I, s:o, s:o}", "messages", (json_int_t)job->n_messages, "recipients",
                     (json_int_t)job->n_total, "users", shares_json(job, BY_USER), "destinations",
                     shares_json(job, BY_DESTINATION));
}

void job_forget_count(struct job *job)
{
    for (unsigned by = 0; by < 2; by++) {
        for (size_t i = 0; i < job->n_shares[by]; i++)
            free(job->shares[by][i].name);
        free(job->shares[by]);
        job->shares[by] = NULL;
        job->n_shares[by] = job->capacity[by] = 0;
    }
    memset(job->share_index, 0, sizeof(job->share_index));
}

/* ---- how far it is ---- */

static const char *state_of(const struct job *job)
{
    if (job->is_failed)
        return "failed";
    if (job->phase < JOB_IN_BIN || job->phase == JOB_UNDOING)
        return "running";
    return atomic_load(&job->is_cancelled) ? "cancelled" : "done";
}

static json_t *undo_until(const struct job *job)
{
    if (job->phase != JOB_IN_BIN)
        return json_null();
    return json_time(clock_utc_ms() + job->undo_ms - clock_monotonic_ms());
}

json_t *job_json(const struct job *job)
{
    char id[24];

    snprintf(id, sizeof(id), "%llu", (unsigned long long)job->number);
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:o, s:o, s:b}", "id", id, "state", state_of(job), "verb",
        job->verb->name, "done", (json_int_t)atomic_load(&job->n_done), "total",
        job->phase > JOB_COUNTING ? json_integer((json_int_t)job->n_total) : json_null(),
        "undo_until", undo_until(job), "undone", job->is_undone);
}
