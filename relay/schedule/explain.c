/* "Why is it waiting?", answered by the functions that decide. */
#include "relay/schedule/places.h"

static struct why decide_site(const struct schedule *schedule, const struct site *site,
                              enum message_class message_class, int64_t now_ms)
{
    struct why why = site_decide(site, message_class, now_ms);

    /* Its links are in a list, no time is set, and it may act: only a permit can be missing. */
    if (why.kind == WHY_NEXT && site->n_idle == 0 && schedule_wants_permits(schedule))
        LIST_FOR_EACH(link, &schedule->permit_waiters)
    if (link == &site->ready_link)
        return (struct why){WHY_PERMITS, -1, NULL};
    return why;
}

struct why schedule_why_site(const struct schedule *schedule, const struct site *site,
                             int64_t now_ms)
{
    enum message_class message_class =
        site->n_ready[CLASS_TRANSACTIONAL] ? CLASS_TRANSACTIONAL : CLASS_BULK;
    struct why why = decide_site(schedule, site, message_class, now_ms);

    if (why.kind == WHY_SUSPENDED || why.kind == WHY_UNREACHABLE || site_n_ready(site) > 0)
        return why;
    if (site->n_sending > 0)
        return (struct why){WHY_SENDING, -1, NULL};
    if (site->n_waiting > 0)
        return (struct why){WHY_RETRY, -1, NULL};
    return (struct why){site->n_held ? WHY_HELD : WHY_NOTHING, -1, NULL};
}

static struct why why_ready(struct schedule *schedule, const struct entry *entry, int64_t now_ms)
{
    struct flow *flow = entry_flow(schedule, entry);
    struct site *site = flow->share->site;
    enum message_class message_class = flow->share->message_class;
    struct why why = decide_site(schedule, site, message_class, now_ms);

    if (flow->is_signed && schedule->has_no_signer)
        return (struct why){WHY_SIGNER, -1, NULL};
    if (why.kind == WHY_NEXT && flow->ready.next != &entry->link)
        why.kind = WHY_BEHIND;
    return why;
}

struct why schedule_why_entry(struct schedule *schedule, const struct entry *entry, int64_t now_ms)
{
    switch ((enum entry_state)entry->state) {
    case ENTRY_READY:
        return why_ready(schedule, entry, now_ms);
    case ENTRY_WAITING:
        return (struct why){WHY_RETRY, schedule->start_ms + (int64_t)entry->due_s * 1000, NULL};
    case ENTRY_SENDING:
        return (struct why){WHY_SENDING, -1, NULL};
    case ENTRY_HELD:
        return (struct why){WHY_HELD, -1, NULL};
    case ENTRY_UNROUTED:
        return (struct why){WHY_RESOLVING, -1, NULL};
    case ENTRY_FREE:
    case N_ENTRY_STATES:
        break;
    }
    return (struct why){WHY_NOTHING, -1, NULL};
}

const char *entry_state_name(enum entry_state state)
{
    static const char *const names[N_ENTRY_STATES] = {
        [ENTRY_FREE] = "free",        [ENTRY_UNROUTED] = "queued", [ENTRY_READY] = "queued",
        [ENTRY_WAITING] = "deferred", [ENTRY_SENDING] = "sending", [ENTRY_HELD] = "held",
    };

    return names[state];
}
