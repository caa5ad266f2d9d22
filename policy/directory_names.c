/* The words in which the settings of a user and the type of a key are stored and shown. */
#include "policy/directory.h"

static const char *const trace_modes[] = {[TRACE_NO_CLIENT] = "no_client", [TRACE_FULL] = "full"};
static const char *const bounce_modes[] = {
    [BOUNCES_DSN] = "dsn", [BOUNCES_DIGEST] = "digest", [BOUNCES_NONE] = "none"};
static const char *const user_limits[] = {
    [USER_LIMIT_SESSIONS] = "sessions",
    [USER_LIMIT_RECIPIENTS] = "recipients",
    [USER_LIMIT_MESSAGE_SIZE] = "message_size",
    [USER_LIMIT_WEIGHT] = "weight",
    [USER_LIMIT_MESSAGES_PER_MINUTE] = "messages_per_minute",
    [USER_LIMIT_RECIPIENTS_PER_MINUTE] = "recipients_per_minute",
    [USER_LIMIT_MESSAGES_PER_HOUR] = "messages_per_hour",
    [USER_LIMIT_MESSAGES_PER_DAY] = "messages_per_day",
    [USER_LIMIT_MESSAGES_PER_MONTH] = "messages_per_month",
    [USER_LIMIT_RECIPIENTS_PER_HOUR] = "recipients_per_hour",
    [USER_LIMIT_RECIPIENTS_PER_DAY] = "recipients_per_day",
    [USER_LIMIT_RECIPIENTS_PER_MONTH] = "recipients_per_month",
    [USER_LIMIT_TRANSACTIONAL_PER_HOUR] = "transactional_per_hour"};
static const char *const key_types[] = {[DOMAIN_KEY_RSA] = "rsa", [DOMAIN_KEY_ED25519] = "ed25519"};

/* The index of the name, or -1. */
static int find_name(struct slice name, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (slice_equal(name, slice_of(names[i])))
            return (int)i;
    return -1;
}
#define FIND_NAME(name, names) find_name((name), (names), sizeof(names) / sizeof((names)[0]))

const char *trace_mode_name(enum trace_mode mode)
{
    return trace_modes[mode];
}

const char *bounce_mode_name(enum bounce_mode mode)
{
    return bounce_modes[mode];
}

const char *user_limit_name(enum user_limit limit)
{
    return user_limits[limit];
}

const char *domain_key_type_name(enum domain_key_type type)
{
    return key_types[type];
}

bool trace_mode_parse(struct slice name, enum trace_mode *out)
{
    int found = FIND_NAME(name, trace_modes);

    if (found >= 0)
        *out = (enum trace_mode)found;
    return found >= 0;
}

bool bounce_mode_parse(struct slice name, enum bounce_mode *out)
{
    int found = FIND_NAME(name, bounce_modes);

    if (found >= 0)
        *out = (enum bounce_mode)found;
    return found >= 0;
}

bool user_limit_parse(struct slice name, enum user_limit *out)
{
    int found = FIND_NAME(name, user_limits);

    if (found >= 0)
        *out = (enum user_limit)found;
    return found >= 0;
}

bool domain_key_type_parse(struct slice name, enum domain_key_type *out)
{
    int found = FIND_NAME(name, key_types);

    if (found >= 0)
        *out = (enum domain_key_type)found;
    return found >= 0;
}
