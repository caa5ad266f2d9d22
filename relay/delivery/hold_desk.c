#include "relay/delivery/hold_desk.h"

#include "relay/delivery/outcome.h"
#include "relay/delivery/visit.h"
#include "relay/schedule/select.h"

enum { AGAIN_MS = 10000 }; /* what is being sent, or was accepted by an older list of users */

/* One slice of the walk. */
struct walk {
    struct delivery_shard *shard;
    struct list released, held;
    uint32_t n_changes;
};

static void walk_at(struct delivery_shard *shard, int64_t at_ms)
{
    if (at_ms < shard->holds.next_ms)
        shard->holds.next_ms = at_ms;
}

static const struct user *user_of(const struct directory *directory, uint32_t user_id)
{
    return directory ? directory_user_by_id(directory, user_id) : NULL;
}

static bool is_braked(const struct user *user)
{
    return user && user->braked_utc_ms;
}

static void take(struct walk *walk, struct entry *entry, struct list *list)
{
    schedule_take(walk->shard->schedule, entry);
    list_append(list, &entry->link);
    walk->n_changes++;
}

/* What is held of a user who was deleted waits for an operator: who braked it is not known any
 * more, and a thief's mail must not leave because its user went. */
static void look_at_held(struct walk *walk, struct entry *entry, const struct user *user)
{
    struct delivery_shard *shard = walk->shard;

    if (entry->due_s == ENTRY_UNTIL_RELEASED || !user || is_braked(user))
        return;
    if (entry->due_s == ENTRY_UNTIL_UNBRAKED ||
        entry_is_held_no_more(shard->schedule, entry, shard_now_ms(shard))) {
        entry->clock_epoch--; /* it may be older than mail gets: one attempt it has */
        take(walk, entry, &walk->released);
    } else {
        walk_at(shard, shard->schedule->start_ms + (int64_t)entry->due_s * 1000);
    }
}

static void look_at(void *owner, struct entry *entry)
{
    struct walk *walk = owner;
    const struct user *user = user_of(walk->shard->directory, entry->message->user_id);

    if (entry->state == ENTRY_HELD)
        look_at_held(walk, entry, user);
    else if (!is_braked(user) || entry->message->flags & MESSAGE_REPORT)
        return;
    else if (entry->state == ENTRY_SENDING)
        walk_at(walk->shard, shard_now_ms(walk->shard) + AGAIN_MS);
    else
        take(walk, entry, &walk->held);
}

static void walk_slice(struct later *later)
{
    static const struct judgement released = {.verdict = VERDICT_RELEASED,
                                              .text = SLICE_LITERAL("its time to be held is over")};
    static const struct judgement held = {
        .verdict = VERDICT_HELD,
        .is_braked = true,
        .text = SLICE_LITERAL("the password of its user may be stolen")};
    static const struct selection all = {.is_all = true};
    struct hold_desk *desk = CONTAINER_OF(later, struct hold_desk, later);
    struct delivery_shard *shard = CONTAINER_OF(desk, struct delivery_shard, holds);
    struct walk walk = {.shard = shard};

    list_init(&walk.released);
    list_init(&walk.held);
    /* What is not committed yet is bounded: the walk waits for it. */
    if (shard->n_outcomes <= SHARD_MOST_OUTCOMES / 2)
        desk->is_walking =
            schedule_select(shard->schedule, &all, &desk->cursor, VISIT_CHANGES, look_at, &walk);
    outcome_for_all(shard, &walk.released, &released);
    outcome_for_all(shard, &walk.held, &held);
    if (desk->is_walking)
        later_set(&desk->later);
    if (walk.n_changes)
        delivery_shard_touch(shard);
}

void hold_run(struct delivery_shard *shard)
{
    struct hold_desk *desk = &shard->holds;

    if (desk->is_walking || shard->is_draining || !shard->is_ready || !shard->directory ||
        shard_now_ms(shard) < desk->next_ms)
        return;
    desk->next_ms = INT64_MAX;
    desk->cursor = 0;
    desk->is_walking = true;
    later_set(&desk->later);
}

void hold_note(struct delivery_shard *shard, const struct new_entry *entry)
{
    if (entry->is_braked)
        walk_at(shard, shard_now_ms(shard) + AGAIN_MS);
    else if (entry->is_held && entry->due_ms)
        walk_at(shard, entry->due_ms);
}

uint32_t hold_row_flags(const struct judgement *judgement)
{
    if (judgement->verdict != VERDICT_HELD)
        return 0;
    return (judgement->is_braked ? RECIPIENT_BRAKED : 0U) |
           (judgement->held_until_ms ? RECIPIENT_TIMED : 0U) |
           (judgement->is_by_rule ? RECIPIENT_RULED : 0U);
}

void hold_believe(struct delivery_shard *shard, struct entry *entry,
                  const struct judgement *judgement)
{
    schedule_hold(shard->schedule, entry);
    if (judgement->is_braked) {
        entry->due_s = ENTRY_UNTIL_UNBRAKED;
        if (!is_braked(user_of(shard->directory, entry->message->user_id)))
            walk_at(shard, shard_now_ms(shard));
    } else if (judgement->held_until_ms) {
        entry->is_by_rule = judgement->is_by_rule;
        schedule_hold_until(shard->schedule, entry, judgement->held_until_ms);
        walk_at(shard, judgement->held_until_ms);
    }
}

/* Whoever is braked in one and not in the other. */
static bool differ(const struct directory *one, const struct directory *other)
{
    for (uint32_t i = 0; one && i < one->n_users; i++)
        if (one->users[i].braked_utc_ms && !is_braked(user_of(other, one->users[i].id)))
            return true;
    return false;
}

void hold_directory(struct delivery_shard *shard, const struct directory *next)
{
    if (!shard->directory || differ(shard->directory, next) || differ(next, shard->directory))
        walk_at(shard, shard_now_ms(shard));
}

void hold_desk_init(struct delivery_shard *shard)
{
    shard->holds.next_ms = INT64_MAX;
    later_init(&shard->holds.later, shard->loop, walk_slice);
}

void hold_desk_fini(struct delivery_shard *shard)
{
    later_cancel(&shard->holds.later);
}
