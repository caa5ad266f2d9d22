/* "Why does it wait?", asked of each loop and answered by the schedule's own decision. */
#include "relay/delivery/operate.h"

#include <stdio.h>

#include "relay/delivery/reply_memory.h"
#include "relay/delivery/visit.h"
#include "relay/schedule/provider.h"

static int64_t utc_of(const struct delivery_shard *shard, int64_t at_ms)
{
    return at_ms < 0 ? -1 : shard_utc_of(shard, at_ms);
}

/* The schedule knows a campaign by its hash, the order that concerns it by its name: the user's own
 * order, or one for everybody's. */
static struct slice campaign_name(const struct delivery_shard *shard, uint32_t campaign,
                                  uint32_t user_id)
{
    struct slice found = {NULL, 0}, user, name;

    for (uint32_t i = 0; shard->directory && i < shard->directory->n_orders; i++) {
        const struct order *order = &shard->directory->orders[i];

        if (order->scope != ORDER_OF_CAMPAIGN)
            continue;
        (void)order_campaign_split(order->name, &user, &name);
        if (stored_hash(name) != campaign)
            continue;
        if (order->user_id == user_id)
            return order->name;
        if (!order->user_id)
            found = order->name;
    }
    return found;
}

static struct slice user_name(const struct delivery_shard *shard, const struct entry *entry)
{
    const struct user *user =
        shard->directory ? directory_user_by_id(shard->directory, entry->message->user_id) : NULL;

    return user ? user->name : (struct slice){NULL, 0};
}

static struct slice name_of(const struct delivery_shard *shard, enum why_kind kind,
                            const struct site *site, const struct entry *entry,
                            enum order_scope *scope)
{
    switch ((int)kind) {
    case WHY_SUSPENDED:
    case WHY_RESTS:
        *scope = ORDER_OF_DESTINATION;
        return slice_of(site ? site->name : NULL);
    case WHY_PROVIDER_SUSPENDED:
    case WHY_PROVIDER_RESTS:
    case WHY_PROVIDER_PACE:
        *scope = ORDER_OF_PROVIDER;
        return slice_of(site && site->provider ? site->provider->name : NULL);
    case WHY_USER_SUSPENDED:
    case WHY_USER_PACE:
    case WHY_BRAKED:
        *scope = ORDER_OF_USER;
        return entry ? user_name(shard, entry) : (struct slice){NULL, 0};
    case WHY_CAMPAIGN_SUSPENDED:
    case WHY_CAMPAIGN_PACE:
        *scope = ORDER_OF_CAMPAIGN;
        return entry ? campaign_name(shard, entry_campaign(shard->schedule, entry),
                                     entry->message->user_id)
                     : (struct slice){NULL, 0};
    default: /* it is about nobody whom an order could name */
        return (struct slice){NULL, 0};
    }
}

static void name_subject(struct delivery_visit *visit, const struct site *site,
                         const struct entry *entry, struct why_view *view)
{
    char subject[ORDER_SUBJECT_SIZE];
    enum order_scope scope = ORDER_OF_DESTINATION;
    struct slice name = name_of(visit->shard, view->kind, site, entry, &scope);

    if (name.len)
        slice_copy_to(slice_of(order_subject_print(scope, name, subject)), view->about,
                      sizeof(view->about));
}

static void view_why(struct delivery_visit *visit, struct why why, const struct site *site,
                     const char *domain, const struct entry *entry)
{
    struct delivery_shard *shard = visit->shard;
    struct delivery_why *request = visit->request;
    struct why_view view = {
        .id = entry ? entry->message->id : 0,
        .n = entry ? entry->n : 0,
        .entry_state = entry ? (enum entry_state)entry->state : ENTRY_FREE,
        .kind = why.kind,
        .is_doubtful = entry && entry->flags & ENTRY_DOUBTFUL,
        .since_utc_ms = utc_of(shard, why.since_ms),
        .until_utc_ms = utc_of(shard, why.until_ms),
        .last_utc_ms = site ? utc_of(shard, schedule_last_ms(site, why, shard_now_ms(shard))) : -1,
    };

    slice_copy_to(slice_of(site ? site->name : domain), view.site, sizeof(view.site));
    slice_copy_to(slice_of(why.reason), view.reason, sizeof(view.reason));
    name_subject(visit, site, entry, &view);
    buffer_append(&request->views, slice_from(&view, sizeof(view)));
}

static void note_why(void *owner, struct entry *entry)
{
    struct delivery_visit *visit = owner;
    struct schedule *schedule = visit->shard->schedule;
    struct flow *flow = entry_flow(schedule, entry);
    struct why why = schedule_why_entry(schedule, entry, shard_now_ms(visit->shard));

    if (!why.reason && (why.kind == WHY_RETRY || why.kind == WHY_HELD || why.kind == WHY_QUOTA ||
                        why.kind == WHY_BRAKED))
        why.reason = reply_memory_find(&visit->shard->replies, entry->message->id, entry->n);
    view_why(visit, why, flow ? flow->share->site : NULL, entry_domain(schedule, entry)->name,
             entry);
}

static void why_destination(struct delivery_visit *visit)
{
    struct delivery_why *request = visit->request;
    struct schedule *schedule = visit->shard->schedule;
    struct domain *domain = schedule_domain(schedule, request->name);
    struct site *site = schedule_site(schedule, request->name);

    if (domain && domain->site)
        site = domain->site;
    if (site)
        view_why(visit, schedule_why_site(schedule, site, shard_now_ms(visit->shard)), site, NULL,
                 NULL);
    else if (domain)
        view_why(visit, WHY_SIMPLY(WHY_RESOLVING), NULL, domain->name, NULL);
}

static bool why_slice(struct delivery_visit *visit)
{
    struct delivery_why *request = visit->request;
    struct selection selection = {.ids = &request->id, .n_ids = 1};

    if (request->id)
        return delivery_visit_entries(visit, &selection, note_why);
    why_destination(visit);
    return false;
}

static void why_done(struct task *task)
{
    struct delivery_why *request = CONTAINER_OF(task, struct delivery_why, task);

    request->done(request);
}

bool delivery_why(struct delivery *delivery, struct delivery_why *request)
{
    request->views = BUFFER_INIT;
    return delivery_visit(delivery, why_slice, request, &request->task, why_done,
                          request->answer_to);
}
