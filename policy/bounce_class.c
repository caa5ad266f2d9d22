#include "policy/bounce_class.h"

static const struct {
    const char *name;
    bool is_about_recipient;
} rows[N_BOUNCE_CLASSES] = {
    [BOUNCE_OTHER] = {"other",           false},
    [BOUNCE_BAD_MAILBOX] = {"bad_mailbox",     true },
    [BOUNCE_BAD_DOMAIN] = {"bad_domain",      true },
    [BOUNCE_MAILBOX_FULL] = {"mailbox_full",    true },
    [BOUNCE_MAILBOX_CLOSED] = {"mailbox_closed",  true },
    [BOUNCE_BLOCKED_ADDRESS] = {"blocked_address", false},
    [BOUNCE_BLOCKED_CONTENT] = {"blocked_content", false},
    [BOUNCE_AUTHENTICATION] = {"authentication",  false},
    [BOUNCE_POLICY] = {"policy",          false},
    [BOUNCE_SLOW_DOWN] = {"slow_down",       false},
    [BOUNCE_TOO_BIG] = {"too_big",         false},
    [BOUNCE_PROTOCOL] = {"protocol",        false},
    [BOUNCE_NETWORK] = {"network",         false},
    [BOUNCE_SERVER] = {"server",          false},
    [BOUNCE_EXPIRED] = {"expired",         false},
};

const char *bounce_class_name(enum bounce_class bounce_class)
{
    return rows[bounce_class].name;
}

bool bounce_class_is_about_recipient(enum bounce_class bounce_class)
{
    return rows[bounce_class].is_about_recipient;
}
