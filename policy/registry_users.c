#include "policy/registry_users.h"

#include <errno.h>

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

enum { MOST_RULES = 1000 };

static void log_user(struct registry_request *request, struct slice name, const char *change)
{
    const struct event_field fields[] = {field_slice("user", name), field_text("change", change)};

    registry_log(request, EVENT_USER_CHANGED, fields, 2);
}

enum registry_result registry_find_user(struct registry *registry, struct registry_request *request,
                                        struct slice name, int64_t *id)
{
    struct statement *find = db_statement(registry->db, STAFFETTA_FIND_USER);
    int result;

    bind_text(find, 1, name);
    result = statement_step(find);
    if (result == STATEMENT_ROW)
        *id = column_number(find, 0);
    statement_reset(find);
    if (result < 0)
        return registry_error(request, result);
    return result == STATEMENT_ROW
               ? REGISTRY_OK
               : refuse(request, REGISTRY_NOT_FOUND, "there is no user \"%.*s\"", TEXT(name));
}

/* ---- senders ---- */

static enum registry_result add_sender(struct registry *registry, struct registry_request *request,
                                       int64_t user_id, struct slice sender)
{
    char rule[SENDER_RULE_SIZE];
    int error;

    if (!sender_rule_normalize(sender, rule))
        return refuse(request, REGISTRY_INVALID_SENDER,
                      "\"%.*s\" is no sender: an address, a domain, or * is", TEXT(sender));
    error = registry_run_number_text(registry, STAFFETTA_ADD_SENDER_RULE, user_id, slice_of(rule));
    return registry_stored(request, error);
}

static enum registry_result add_senders(struct registry *registry, struct registry_request *request,
                                        int64_t user_id, const struct slice *senders,
                                        uint32_t n_senders)
{
    enum registry_result result = REGISTRY_OK;

    if (n_senders > MOST_RULES)
        return refuse(request, REGISTRY_INVALID_SENDER, "a user has at most %d senders",
                      (int)MOST_RULES);
    for (uint32_t i = 0; i < n_senders && result == REGISTRY_OK; i++)
        result = add_sender(registry, request, user_id, senders[i]);
    return result;
}

/* A user named like an address may send as its domain. */
static enum registry_result add_own_domain(struct registry *registry,
                                           struct user_add_request *request)
{
    char domain[IDN_SIZE];
    int error;

    if (!domain_of_user_name(request->name, domain))
        return request->n_senders
                   ? REGISTRY_OK
                   : refuse(&request->request, REGISTRY_NEEDS_SENDER,
                            "user \"%.*s\" is not named like an address: say with --sender as "
                            "whom it may send",
                            TEXT(request->name));
    error = registry_run_number_text(registry, STAFFETTA_ADD_SENDER_RULE, request->user_id,
                                     slice_of(domain));
    return registry_stored(&request->request, error);
}

/* ---- user add ---- */

static enum registry_result insert_user(struct registry *registry, struct user_add_request *request)
{
    struct statement *insert = db_statement(registry->db, STAFFETTA_ADD_USER);
    int error;

    bind_text(insert, 1, request->name);
    bind_number(insert, 2, clock_utc_ms());
    error = statement_run(insert);
    if (error == -EEXIST)
        return refuse(&request->request, REGISTRY_EXISTS, "there is a user \"%.*s\" already",
                      TEXT(request->name));
    request->user_id = (uint32_t)db_last_rowid(registry->db);
    return registry_stored(&request->request, error);
}

static enum registry_result add_networks(struct registry *registry,
                                         struct user_add_request *request)
{
    enum registry_result result = REGISTRY_OK;

    for (uint32_t i = 0; i < request->n_networks && result == REGISTRY_OK; i++)
        result = registry_add_network(registry, &request->request, request->user_id,
                                      request->networks[i]);
    return result;
}

static enum registry_result user_add(struct registry *registry, struct registry_request *base)
{
    struct user_add_request *request = (struct user_add_request *)(void *)base;
    enum registry_result result;

    if (!is_user_name(request->name))
        return refuse(base, REGISTRY_INVALID_NAME,
                      "a user's name has up to 254 printable characters, no blank and no slash; "
                      "what follows an @ is a domain");
    result = insert_user(registry, request);
    if (result == REGISTRY_OK)
        result = add_own_domain(registry, request);
    if (result == REGISTRY_OK)
        result =
            add_senders(registry, base, request->user_id, request->senders, request->n_senders);
    if (result == REGISTRY_OK)
        result = add_networks(registry, request);
    if (result == REGISTRY_OK)
        result = registry_set_password(registry, base, request->user_id, request->name,
                                       &request->password);
    if (result == REGISTRY_OK)
        log_user(base, request->name, "added");
    return result;
}

bool registry_user_add(struct registry *registry, struct user_add_request *request)
{
    return registry_ask(registry, &request->request, user_add, true);
}

/* ---- password, enable, disable, delete ---- */

static enum registry_result user_password(struct registry *registry, struct registry_request *base)
{
    struct user_password_request *request = (struct user_password_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_user(registry, base, request->name, &id);

    if (result == REGISTRY_OK && request->is_reset)
        result =
            registry_stored(base, registry_run_number(registry, STAFFETTA_DELETE_CREDENTIALS, id));
    if (result == REGISTRY_OK)
        result = registry_set_password(registry, base, id, request->name, &request->password);
    if (result == REGISTRY_OK)
        log_user(base, request->name, "password");
    return result;
}

bool registry_user_password(struct registry *registry, struct user_password_request *request)
{
    return registry_ask(registry, &request->request, user_password, true);
}

static enum registry_result set_enabled(struct registry *registry, struct registry_request *base,
                                        bool is_enabled)
{
    struct user_request *request = (struct user_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_user(registry, base, request->name, &id);
    struct statement *change;
    int error;

    if (result != REGISTRY_OK)
        return result;
    change = db_statement(registry->db, STAFFETTA_ENABLE_USER);
    bind_number(change, 1, id);
    bind_number(change, 2, is_enabled);
    error = statement_run(change);
    if (!error && is_enabled) /* whoever enables a user has looked at it */
        error = registry_run_number(registry, STAFFETTA_UNBRAKE_USER, id);
    if (error)
        return registry_error(base, error);
    log_user(base, request->name, is_enabled ? "enabled" : "disabled");
    return REGISTRY_OK;
}

static enum registry_result user_enable(struct registry *registry, struct registry_request *base)
{
    return set_enabled(registry, base, true);
}

static enum registry_result user_disable(struct registry *registry, struct registry_request *base)
{
    return set_enabled(registry, base, false);
}

bool registry_user_enable(struct registry *registry, struct user_request *request)
{
    return registry_ask(registry, &request->request, user_enable, true);
}

bool registry_user_disable(struct registry *registry, struct user_request *request)
{
    return registry_ask(registry, &request->request, user_disable, true);
}

static enum registry_result user_delete(struct registry *registry, struct registry_request *base)
{
    static const enum staffetta_statement all[] = {STAFFETTA_DELETE_SENDER_RULES,
                                                   STAFFETTA_DELETE_USER_LIMITS,
                                                   STAFFETTA_DELETE_CREDENTIALS,
                                                   STAFFETTA_DELETE_NETWORKS_OF,
                                                   STAFFETTA_DELETE_SUPPRESSIONS_OF,
                                                   STAFFETTA_DELETE_COUNTS_OF,
                                                   STAFFETTA_DELETE_LOGIN_NETWORKS_OF,
                                                   STAFFETTA_DELETE_ORDERS_OF,
                                                   STAFFETTA_DELETE_USER};
    struct user_request *request = (struct user_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_user(registry, base, request->name, &id);

    if (result == REGISTRY_OK)
        result = registry_expect_no_suspension(registry, base, request->name, id);
    if (result != REGISTRY_OK)
        return result;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int error = registry_run_number(registry, all[i], id);

        if (error)
            return registry_error(base, error);
    }
    log_user(base, request->name, "deleted");
    return REGISTRY_OK;
}

bool registry_user_delete(struct registry *registry, struct user_request *request)
{
    return registry_ask(registry, &request->request, user_delete, true);
}

/* ---- options ---- */

static bool is_trace(struct slice value)
{
    enum trace_mode ignored;

    return trace_mode_parse(value, &ignored);
}

static bool is_bounces(struct slice value)
{
    enum bounce_mode ignored;

    return bounce_mode_parse(value, &ignored);
}

static bool is_yes(struct slice value)
{
    return slice_equal(value, SLICE_LITERAL("yes"));
}

static bool is_yes_or_no(struct slice value)
{
    return is_yes(value) || slice_equal(value, SLICE_LITERAL("no"));
}

static bool is_class(struct slice value)
{
    return slice_equal(value, SLICE_LITERAL("transactional")) ||
           slice_equal(value, SLICE_LITERAL("bulk"));
}

/* Empty: the user's name again. */
static bool is_contact(struct slice value)
{
    char address[SENDER_RULE_SIZE];

    return value.len == 0 || (slice_find(value, '@') > 0 && sender_rule_normalize(value, address));
}

static const struct option_kind {
    const char *name;
    enum staffetta_statement statement;
    bool is_switch; /* stored as 1 or 0; else as the word itself */
    bool (*is_valid)(struct slice value);
    const char *values;
} option_kinds[] = {
    {"trace",             STAFFETTA_SET_USER_TRACE,         false, is_trace,     "full or no_client"     },
    {"bounces",           STAFFETTA_SET_USER_BOUNCES,       false, is_bounces,   "dsn, digest or none"   },
    {"class",             STAFFETTA_SET_USER_CLASS,         true,  is_yes_or_no, "yes or no"             },
    {"must_sign",         STAFFETTA_SET_USER_MUST_SIGN,     true,  is_yes_or_no, "yes or no"             },
    {"refuse_over_quota", STAFFETTA_SET_USER_REFUSAL,       true,  is_yes_or_no, "yes or no"             },
    {"brake",             STAFFETTA_SET_USER_BRAKE,         true,  is_yes_or_no, "yes or no"             },
    {"default_class",     STAFFETTA_SET_USER_DEFAULT_CLASS, false, is_class,     "transactional or bulk" },
    {"contact",           STAFFETTA_SET_USER_CONTACT,       false, is_contact,   "an address, or nothing"},
};

static const struct option_kind *find_option(struct slice name)
{
    for (size_t i = 0; i < sizeof(option_kinds) / sizeof(option_kinds[0]); i++)
        if (slice_equal(name, slice_of(option_kinds[i].name)))
            return &option_kinds[i];
    return NULL;
}

static int store_option(struct registry *registry, int64_t id, const struct option_kind *kind,
                        struct slice value)
{
    struct statement *change = db_statement(registry->db, kind->statement);

    bind_number(change, 1, id);
    if (kind->is_switch)
        bind_number(change, 2, is_yes(value));
    else
        bind_text(change, 2, value);
    return statement_run(change);
}

static bool parse_limit(enum user_limit limit, struct slice text, int64_t *out)
{
    uint64_t number;

    if ((unsigned)limit >= USER_LIMIT_FIRST_QUOTA && slice_equal(text, SLICE_LITERAL("none"))) {
        *out = USER_LIMIT_NONE;
        return true;
    }
    if (!slice_to_number(text, limit == USER_LIMIT_WEIGHT ? USER_WEIGHT_MOST : UINT32_MAX, &number))
        return false;
    *out = (int64_t)number;
    return true;
}

static enum registry_result set_limit(struct registry *registry, struct registry_request *base,
                                      int64_t id, const struct user_option *option)
{
    struct statement *change;
    enum user_limit limit;
    int64_t value;

    if (!user_limit_parse(option->name, &limit))
        return refuse(base, REGISTRY_INVALID_VALUE, "there is no option \"%.*s\"",
                      TEXT(option->name));
    if (!parse_limit(limit, option->value, &value))
        return refuse(base, REGISTRY_INVALID_VALUE,
                      "%s is a number%s, 0 for the service's own limit%s", user_limit_name(limit),
                      limit == USER_LIMIT_WEIGHT ? " up to 100" : "",
                      (unsigned)limit >= USER_LIMIT_FIRST_QUOTA ? ", or none" : "");
    change = db_statement(registry->db, STAFFETTA_SET_USER_LIMIT);
    bind_number(change, 1, id);
    bind_text(change, 2, option->name);
    bind_number(change, 3, value);
    return registry_stored(base, statement_run(change));
}

static enum registry_result set_option(struct registry *registry, struct registry_request *base,
                                       int64_t id, const struct user_option *option)
{
    const struct option_kind *kind = find_option(option->name);

    if (!kind)
        return set_limit(registry, base, id, option);
    if (!kind->is_valid(option->value))
        return refuse(base, REGISTRY_INVALID_VALUE, "%s is %s", kind->name, kind->values);
    return registry_stored(base, store_option(registry, id, kind, option->value));
}

static enum registry_result replace_senders(struct registry *registry,
                                            struct user_options_request *request, int64_t id)
{
    int error;

    if (!request->senders)
        return REGISTRY_OK;
    if (!request->n_senders)
        return refuse(&request->request, REGISTRY_NEEDS_SENDER, "a user needs at least one sender");
    error = registry_run_number(registry, STAFFETTA_DELETE_SENDER_RULES, id);
    if (error)
        return registry_error(&request->request, error);
    return add_senders(registry, &request->request, id, request->senders, request->n_senders);
}

static enum registry_result user_options(struct registry *registry, struct registry_request *base)
{
    struct user_options_request *request = (struct user_options_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_user(registry, base, request->name, &id);

    for (uint32_t i = 0; i < request->n_options && result == REGISTRY_OK; i++)
        result = set_option(registry, base, id, &request->options[i]);
    if (result == REGISTRY_OK)
        result = replace_senders(registry, request, id);
    if (result == REGISTRY_OK)
        log_user(base, request->name, "options");
    return result;
}

bool registry_user_options(struct registry *registry, struct user_options_request *request)
{
    return registry_ask(registry, &request->request, user_options, true);
}
