/* staffetta.db, read whole into one arena.  Children come in the order of their parents (the
 * queries see to it), so one walk gives each parent its run of children. */
#include "policy/directory_internal.h"

#include <errno.h>

#include "sql/staffetta_schema.h"

/* Under construction; the arrays are the snapshot's own, still writable. */
struct load {
    struct full_directory *full;
    struct db *db;
    struct user *users;
    struct sender_rule *rules;
    struct credential *credentials;
    struct network_rule *networks;
    struct signing_domain *domains;
    struct domain_key *keys;
    struct order *orders;
    uint32_t n_rules, n_credentials, n_keys;
    uint32_t parent; /* where the walk over the parents stands */
    bool is_out_of_memory;
};

static void *take_room(struct load *load, size_t n, size_t size)
{
    void *room = arena_alloc(&load->full->arena, (n + 1) * size);

    load->is_out_of_memory |= !room;
    return room;
}

static struct slice copy_column(struct load *load, struct statement *row, int column)
{
    struct slice copy = arena_copy(&load->full->arena, column_text(row, column));

    load->is_out_of_memory |= !copy.data;
    return copy;
}

static int make_room(struct load *load)
{
    struct statement *row = db_statement(load->db, STAFFETTA_COUNT_ROWS);
    int result = statement_step(row);

    if (result != STATEMENT_ROW)
        return result < 0 ? result : FAULT(-EIO);
    load->users = take_room(load, (size_t)column_number(row, 0), sizeof(struct user));
    load->rules = take_room(load, (size_t)column_number(row, 1), sizeof(struct sender_rule));
    load->credentials = take_room(load, (size_t)column_number(row, 2), sizeof(struct credential));
    load->networks = take_room(load, (size_t)column_number(row, 3), sizeof(struct network_rule));
    load->domains = take_room(load, (size_t)column_number(row, 4), sizeof(struct signing_domain));
    load->keys = take_room(load, (size_t)column_number(row, 5), sizeof(struct domain_key));
    load->orders = take_room(load, (size_t)column_number(row, 6), sizeof(struct order));
    statement_reset(row);
    return load->is_out_of_memory ? FAULT(-ENOMEM) : 0;
}

static void load_user(struct load *load, struct statement *row)
{
    struct user *user = &load->users[load->full->shown.n_users++];

    user->id = (uint32_t)column_number(row, 0);
    user->name = copy_column(load, row, 1);
    user->is_enabled = column_number(row, 2);
    trace_mode_parse(column_text(row, 3), &user->trace);
    bounce_mode_parse(column_text(row, 4), &user->bounces);
    user->may_use_class = column_number(row, 5);
    user->must_sign = column_number(row, 6);
    user->refuse_over_quota = column_number(row, 7);
    user->created_utc_ms = column_number(row, 8);
    user->has_brake = column_number(row, 9);
    user->braked_utc_ms = column_number(row, 10);
    user->braked_reason = copy_column(load, row, 11);
    user->is_transactional = slice_equal(column_text(row, 12), SLICE_LITERAL("transactional"));
    user->contact = copy_column(load, row, 13);
}

/* The parent that a child's first column names.  Every child has one: the queries join. */
static struct user *user_of_row(struct load *load, struct statement *row)
{
    uint32_t id = (uint32_t)column_number(row, 0);

    while (load->users[load->parent].id != id)
        load->parent++;
    return &load->users[load->parent];
}

static void load_limit(struct load *load, struct statement *row)
{
    struct user *user = user_of_row(load, row);
    enum user_limit limit;

    if (user_limit_parse(column_text(row, 1), &limit))
        user->limits[limit] = column_number(row, 2);
}

static void load_rule(struct load *load, struct statement *row)
{
    struct user *user = user_of_row(load, row);
    struct sender_rule *rule = &load->rules[load->n_rules++];

    *rule = sender_rule_of(copy_column(load, row, 1));
    if (!user->n_senders++)
        user->senders = rule;
}

/* CIDR, separated by blanks. */
static void load_credential_networks(struct load *load, struct credential *credential,
                                     struct slice text)
{
    struct network *networks = take_room(load, text.len / 2 + 1, sizeof(*networks));

    credential->networks = networks;
    while (networks && text.len) {
        ptrdiff_t blank = slice_find(text, ' ');
        struct slice one = slice_head(text, blank < 0 ? text.len : (size_t)blank);

        text = slice_skip(text, one.len + 1);
        if (network_parse(one, &networks[credential->n_networks]))
            credential->n_networks++;
    }
}

static void load_credential(struct load *load, struct statement *row)
{
    struct user *user = user_of_row(load, row);
    struct credential *credential = &load->credentials[load->n_credentials++];

    credential->id = (uint32_t)column_number(row, 1);
    credential->hash = copy_column(load, row, 2);
    if (!column_is_null(row, 3))
        load_credential_networks(load, credential, column_text(row, 3));
    credential->is_app = slice_equal(column_text(row, 4), SLICE_LITERAL("app"));
    if (!user->n_credentials++)
        user->credentials = credential;
}

static void load_network(struct load *load, struct statement *row)
{
    struct network_rule *rule = &load->networks[load->full->shown.n_networks];

    if (!network_parse(column_text(row, 0), &rule->network))
        return;
    rule->user_id = (uint32_t)column_number(row, 1);
    load->full->shown.n_networks++;
}

static void load_domain(struct load *load, struct statement *row)
{
    struct signing_domain *domain = &load->domains[load->full->shown.n_domains++];

    domain->id = (uint32_t)column_number(row, 0);
    domain->name = copy_column(load, row, 1);
    domain->requires_signing = column_number(row, 2);
    domain->created_utc_ms = column_number(row, 3);
}

static void load_key(struct load *load, struct statement *row)
{
    struct domain_key *key = &load->keys[load->n_keys++];
    uint32_t domain_id = (uint32_t)column_number(row, 0);
    struct signing_domain *domain;

    while (load->domains[load->parent].id != domain_id)
        load->parent++;
    domain = &load->domains[load->parent];
    key->id = (uint32_t)column_number(row, 1);
    key->selector = copy_column(load, row, 2);
    domain_key_type_parse(column_text(row, 3), &key->type);
    key->public_key = copy_column(load, row, 4);
    key->is_judged = column_number(row, 5);
    key->is_active = column_number(row, 6);
    key->created_utc_ms = column_number(row, 7);
    if (!domain->n_keys++)
        domain->keys = key;
}

static void load_order(struct load *load, struct statement *row)
{
    struct order *order = &load->orders[load->full->shown.n_orders];

    if (!order_scope_parse(column_text(row, 0), &order->scope) ||
        !order_action_parse(column_text(row, 2), &order->action))
        return;
    load->full->shown.n_orders++;
    order->name = copy_column(load, row, 1);
    order->limits = (struct order_limits){
        .connections = (uint32_t)column_number(row, 3),
        .messages_per_second = (uint32_t)column_number(row, 4),
        .messages_per_minute = (uint32_t)column_number(row, 5),
        .messages_per_hour = (uint32_t)column_number(row, 6),
        .messages_per_day = (uint32_t)column_number(row, 7),
    };
    order->via = copy_column(load, row, 8);
    order->reason = copy_column(load, row, 9);
    order->by = copy_column(load, row, 10);
    order->since_utc_ms = column_number(row, 11);
    order->until_utc_ms = column_number(row, 12);
}

/* An order names its user; who acts on it knows the number. */
static struct slice user_of(const struct order *order)
{
    struct slice user, ignored;

    if (order->scope == ORDER_OF_USER)
        return order->name;
    if (order->scope != ORDER_OF_CAMPAIGN)
        return (struct slice){NULL, 0};
    (void)order_campaign_split(order->name, &user, &ignored);
    return user;
}

static void find_users(struct load *load)
{
    struct directory *shown = &load->full->shown;

    for (uint32_t i = 0; i < shown->n_orders; i++) {
        struct order *order = &load->orders[i];
        struct slice name = user_of(order);
        const struct user *user = name.len ? directory_user(shown, name) : NULL;

        order->user_id = user ? user->id : 0;
    }
}

/* Parents before their children. */
static const struct step {
    enum staffetta_statement statement;
    void (*load_row)(struct load *load, struct statement *row);
} steps[] = {
    {STAFFETTA_ALL_USERS,        load_user      },
    {STAFFETTA_ALL_USER_LIMITS,  load_limit     },
    {STAFFETTA_ALL_SENDER_RULES, load_rule      },
    {STAFFETTA_ALL_CREDENTIALS,  load_credential},
    {STAFFETTA_ALL_NETWORKS,     load_network   },
    {STAFFETTA_ALL_DOMAINS,      load_domain    },
    {STAFFETTA_ALL_KEYS,         load_key       },
    {STAFFETTA_ALL_ORDERS,       load_order     },
};

static int run_step(struct load *load, const struct step *step)
{
    struct statement *row = db_statement(load->db, step->statement);
    int result;

    load->parent = 0;
    while ((result = statement_step(row)) == STATEMENT_ROW) {
        step->load_row(load, row);
        if (load->is_out_of_memory) {
            statement_reset(row);
            return FAULT(-ENOMEM);
        }
    }
    return result;
}

static int load_all(struct load *load)
{
    struct directory *shown = &load->full->shown;
    int error = make_room(load);

    for (size_t i = 0; !error && i < sizeof(steps) / sizeof(steps[0]); i++)
        error = run_step(load, &steps[i]);
    if (error)
        return error;
    shown->users = load->users;
    shown->networks = load->networks;
    shown->domains = load->domains;
    shown->orders = load->orders;
    error = directory_index(load->full);
    if (!error)
        find_users(load);
    return error;
}

int directory_load(struct directory **out, struct db *db, uint64_t version)
{
    struct full_directory *full = calloc(1, sizeof(*full));
    struct load load = {.full = full, .db = db};
    int error;

    if (!full)
        return FAULT(-ENOMEM);
    arena_init(&full->arena, 0);
    atomic_init(&full->n_references, 1);
    full->shown.version = version;
    error = load_all(&load);
    if (error) {
        directory_unref(&full->shown);
        return error;
    }
    *out = &full->shown;
    return 0;
}
