/* When the last of what waits for a site will have left, if all goes on as it does. */
#include "relay/schedule/places.h"

enum { SPAN_MS = 10000 }; /* as bound_pick() counts */

/* Milliseconds a message takes at the pace of these limits; 0: none of them says. */
static int64_t message_ms(const struct site_limits *limits)
{
    int64_t ms = limits->messages_per_second ? 1000 / limits->messages_per_second : 0;
    int64_t minute_ms = limits->messages_per_minute ? 60000 / limits->messages_per_minute : 0;
    int64_t hour_ms = limits->messages_per_hour ? 3600000 / limits->messages_per_hour : 0;
    int64_t day_ms = limits->messages_per_day ? 86400000 / limits->messages_per_day : 0;

    ms = ms > minute_ms ? ms : minute_ms;
    ms = ms > hour_ms ? ms : hour_ms;
    return ms > day_ms ? ms : day_ms;
}

/* As its limits say, or slower when it was slower just now. */
static int64_t slowest_ms(const struct bound *bound)
{
    uint32_t n = bound->n_before > bound->n_lately ? bound->n_before : bound->n_lately;
    int64_t limited_ms = message_ms(&bound->limits), measured_ms = n ? SPAN_MS / n : 0;

    return limited_ms > measured_ms ? limited_ms : measured_ms;
}

int64_t schedule_last_ms(const struct site *site, struct why why, int64_t now_ms)
{
    int64_t start_ms = why.until_ms > now_ms ? why.until_ms : now_ms;
    int64_t each_ms = slowest_ms(&site->bound);

    if (why.until_ms < 0 && why_stands_without_mail(why.kind))
        return -1; /* it has no end */
    if (site->provider && message_ms(&site->provider->bound.limits) > each_ms)
        each_ms = message_ms(&site->provider->bound.limits);
    if (site_n_ready(site) == 0 || each_ms == 0)
        return -1;
    return start_ms + (int64_t)site_n_ready(site) * each_ms;
}
