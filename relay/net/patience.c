#include "relay/net/patience.h"

struct patience patience_of(int64_t first_ms, int64_t longest_ms)
{
    return (struct patience){.first_ms = first_ms,
                             .longest_ms = longest_ms,
                             .ask_at_ms = INT64_MAX,
                             .pause_ms = first_ms};
}

void patience_broken(struct patience *patience, int64_t now_ms)
{
    if (patience->ask_at_ms != INT64_MAX)
        return;
    if (now_ms - patience->whole_since_ms >= patience->longest_ms)
        patience->pause_ms = patience->first_ms;
    patience->ask_at_ms = now_ms + patience->pause_ms;
}

void patience_whole(struct patience *patience, int64_t now_ms)
{
    if (patience->ask_at_ms == INT64_MAX)
        return;
    patience->ask_at_ms = INT64_MAX;
    patience->whole_since_ms = now_ms;
}

bool patience_ends(struct patience *patience, int64_t now_ms)
{
    if (now_ms < patience->ask_at_ms)
        return false;
    patience->pause_ms *= 2;
    if (patience->pause_ms > patience->longest_ms)
        patience->pause_ms = patience->longest_ms;
    patience->ask_at_ms = now_ms + patience->pause_ms;
    return true;
}
