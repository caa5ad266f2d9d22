#include "relay/schedule/site.h"

#include <assert.h>
#include <string.h>

#include "relay/schedule/schedule.h"

uint32_t site_n_ready(const struct site *site)
{
    return site->n_ready[CLASS_TRANSACTIONAL] + site->n_ready[CLASS_BULK];
}

uint32_t site_n_busy(const struct site *site)
{
    return site->n_busy[CLASS_TRANSACTIONAL] + site->n_busy[CLASS_BULK];
}

uint32_t site_n_entries(const struct site *site)
{
    return site_n_ready(site) + site->n_waiting + site->n_sending + site->n_held;
}

bool site_is_unused(const struct site *site)
{
    return site_n_entries(site) == 0 && site->n_flows == 0 && site->n_open == 0 &&
           site->n_domains == 0 && site->suspended_until_ms == 0;
}

/* How many transactions may go on at once.  What is urgent may exceed the slow start by one, never
 * the limit; a site that failed gets one probe. */
static uint32_t transactions_allowed(const struct site *site, enum message_class message_class)
{
    uint32_t window = site->window;

    if (site->n_failures > 0)
        return 1;
    if (message_class == CLASS_TRANSACTIONAL)
        window++;
    return window < site->limits.connections ? window : site->limits.connections;
}

static bool connections_are_busy(const struct site *site, enum message_class message_class)
{
    if (site_n_busy(site) >= transactions_allowed(site, message_class))
        return true;
    if (message_class == CLASS_BULK &&
        site->n_busy[CLASS_BULK] >= limits_bulk_share(site->limits.connections))
        return true;
    return site->n_idle == 0 && site->n_open >= site->limits.connections;
}

static struct why wait_until(enum why_kind kind, int64_t until_ms, const char *reason)
{
    return (struct why){kind, until_ms, reason};
}

static struct why decide_pace(const struct site *site, enum message_class message_class,
                              int64_t now_ms)
{
    int64_t at_ms = paces_message_ms(&site->paces, &site->limits, message_class);

    if (at_ms > now_ms)
        return wait_until(WHY_MESSAGE_PACE, at_ms, NULL);
    if (site->n_idle == 0) {
        at_ms = paces_connection_ms(&site->paces, &site->limits, message_class);
        if (at_ms > now_ms)
            return wait_until(WHY_CONNECTION_PACE, at_ms, NULL);
    }
    return wait_until(WHY_NEXT, now_ms, NULL);
}

struct why site_decide(const struct site *site, enum message_class message_class, int64_t now_ms)
{
    if (site->schedule->is_paused)
        return wait_until(WHY_PAUSED, -1, NULL);
    if (site->suspended_until_ms > now_ms)
        return wait_until(WHY_SUSPENDED,
                          site->suspended_until_ms == INT64_MAX ? -1 : site->suspended_until_ms,
                          site->suspended_because);
    if (site->reachable_ms > now_ms)
        return wait_until(WHY_UNREACHABLE, site->reachable_ms, site->trouble);
    if (connections_are_busy(site, message_class))
        return wait_until(WHY_CONNECTIONS, -1, NULL);
    return decide_pace(site, message_class, now_ms);
}

void site_greeted(struct site *site)
{
    site->n_greeted++;
    site->n_failures = 0;
    site->reachable_ms = 0;
    free(TAKE(site->trouble));
    schedule_touch(site->schedule, site);
}

void site_idle_ends(struct site *site)
{
    assert(site->n_idle > 0);
    site->n_idle--;
}

void site_closed(struct site *site, bool was_greeted, int64_t now_ms)
{
    assert(site->n_open > 0);
    site->n_open--;
    if (was_greeted)
        site->n_greeted--;
    site->last_used_ms = now_ms;
    schedule_put_permit(site->schedule);
    schedule_touch(site->schedule, site);
}

void site_next_host(struct site *site, enum message_class message_class, int64_t now_ms)
{
    paces_use_connection(&site->paces, &site->limits, message_class, now_ms);
}

void site_unreachable(struct site *site, const char *why, const struct retry *retry, uint32_t dice,
                      int64_t now_ms)
{
    site_slow_down(site);
    /* What was tried together fails together: that is one failure. */
    if (site->n_greeted > 0 || site->reachable_ms > now_ms)
        return;
    site->n_failures++;
    site->reachable_ms = now_ms + retry_site_wait_ms(retry, site->n_failures, dice);
    free(site->trouble);
    site->trouble = why ? strdup(why) : NULL;
    schedule_touch(site->schedule, site);
}

void site_transaction_ended(struct site *site, enum message_class message_class, bool is_kept)
{
    assert(site->n_busy[message_class] > 0);
    site->n_busy[message_class]--;
    if (is_kept)
        site->n_idle++;
    schedule_touch(site->schedule, site);
}

void site_went_well(struct site *site)
{
    if (site->window < site->limits.connections)
        site->window++;
}

void site_slow_down(struct site *site)
{
    site->window = site->window > 1 ? site->window / 2 : 1;
}

void site_suspend(struct site *site, const char *reason, int64_t until_ms)
{
    free(site->suspended_because);
    site->suspended_because = reason ? strdup(reason) : NULL;
    site->suspended_until_ms = until_ms;
    schedule_touch(site->schedule, site);
}

void site_resume(struct site *site)
{
    free(TAKE(site->suspended_because));
    site->suspended_until_ms = 0;
    site_try_now(site);
}

void site_try_now(struct site *site)
{
    site->n_failures = 0;
    site->reachable_ms = 0;
    free(TAKE(site->trouble));
    schedule_touch(site->schedule, site);
}

void site_set_limits(struct site *site, const struct site_limits *limits)
{
    site->limits = *limits;
    if (site->window > limits->connections)
        site->window = limits->connections;
    schedule_touch(site->schedule, site);
}
