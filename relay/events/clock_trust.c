#include "relay/events/clock_trust.h"

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

void clock_trust_init(struct clock_trust *trust, int64_t now_ms, int64_t utc_ms)
{
    *trust = (struct clock_trust){
        .offset_ms = utc_ms - now_ms, .steady_ms = now_ms, .patience_ms = HOUR_MS};
}

void clock_trust_past(struct clock_trust *trust, int64_t stored_utc_ms, int64_t utc_ms)
{
    trust->knows_past = true;
    if (utc_ms - stored_utc_ms > DAY_MS || stored_utc_ms - utc_ms > DAY_MS)
        trust->patience_ms = DAY_MS;
}

bool clock_trust_look(struct clock_trust *trust, int64_t now_ms, int64_t utc_ms)
{
    int64_t moved_ms = utc_ms - now_ms - trust->offset_ms;

    trust->offset_ms += moved_ms;
    if (moved_ms > HOUR_MS || moved_ms < -HOUR_MS) {
        trust->steady_ms = now_ms;
        trust->patience_ms = DAY_MS;
    }
    return trust->knows_past && now_ms - trust->steady_ms >= trust->patience_ms;
}
