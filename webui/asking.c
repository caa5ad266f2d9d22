#include "webui/asking.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

bool asking_filter(struct exchange *exchange, const char *text, struct filter_words *out)
{
    struct slice whole = slice_of(text ? text : "");
    struct filter_problem problem;
    json_t *params;

    if (filter_words_parse(whole, out, &problem))
        return true;
    params = json_pack("{s:I, s:I, s:o}", "at", (json_int_t)problem.at, "length",
                       (json_int_t)problem.length, "word",
                       json_slice(slice_head(slice_skip(whole, problem.at), problem.length)));
    exchange_problem_with(exchange, 422, "bad_filter", problem.detail, params);
    return false;
}

static bool is_like(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return true;
}

/* 2026-11-22T16:25:03Z, with or without a fraction. */
static bool parse_timestamp(const char *text, int64_t *out)
{
    struct tm date = {0};
    const char *rest = text + 19;
    int64_t ms = 0, unit = 100;

    if (!is_like(text, "0000-00-00T00:00:00") ||
        /* Digits, and counted already. NOLINTNEXTLINE(cert-err34-c) */
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &date.tm_year, &date.tm_mon, &date.tm_mday,
               &date.tm_hour, &date.tm_min, &date.tm_sec) != 6)
        return false;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            ms += (*rest - '0') * unit;
    if (strcmp(rest, "Z") != 0)
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    *out = (int64_t)timegm(&date) * 1000 + ms;
    return *out > 0;
}

bool asking_time(struct exchange *exchange, const char *name, int64_t *out)
{
    const char *text = exchange_query(exchange, name);
    uint64_t seconds;

    if (!text)
        return true;
    if (slice_to_number(slice_of(text), 1LL << 40, &seconds) && seconds) {
        *out = (int64_t)seconds * 1000;
        return true;
    }
    if (parse_timestamp(text, out))
        return true;
    exchange_problem(exchange, 422, "bad_time",
                     "Times are like 2026-11-22T16:25:03Z, or seconds since 1970.");
    return false;
}

bool asking_until(struct exchange *exchange, int64_t *until_utc_ms)
{
    int64_t until = 0;

    if (!asking_time(exchange, "to", &until))
        return false;
    if (until && (*until_utc_ms == 0 || until < *until_utc_ms))
        *until_utc_ms = until;
    return true;
}

bool asking_limit(struct exchange *exchange, uint32_t usual, uint32_t most, uint32_t *out)
{
    const char *text = exchange_query(exchange, "limit");
    char detail[64];
    uint64_t number;

    *out = usual;
    if (!text)
        return true;
    if (slice_to_number(slice_of(text), most, &number) && number) {
        *out = (uint32_t)number;
        return true;
    }
    snprintf(detail, sizeof(detail), "The limit is a number from 1 to %u.", most);
    exchange_problem(exchange, 422, "bad_limit", detail);
    return false;
}
