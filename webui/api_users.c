/* SMTP users: who may log in, as whom they send, and their passwords. */
#include <string.h>

#include "policy/registry_users.h"
#include "relay/base/secret.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/state.h"
#include "webui/user_json.h"

/* ---- showing ---- */

json_t *user_senders_json(const struct user *user)
{
    json_t *senders = json_array();

    for (uint32_t i = 0; i < user->n_senders; i++) {
        const struct sender_rule *rule = &user->senders[i];
        CLEANUP(buffer) struct buffer text = BUFFER_INIT;

        if (rule->scope == SENDER_ANYTHING)
            buffer_append_byte(&text, '*');
        if (rule->scope == SENDER_ADDRESS) {
            buffer_append(&text, rule->local);
            buffer_append_byte(&text, '@');
        }
        buffer_append(&text, rule->domain);
        json_array_append_new(senders, json_slice(buffer_slice(&text)));
    }
    return senders;
}

static json_t *networks_of(const struct directory *directory, uint32_t user_id)
{
    json_t *networks = json_array();

    for (uint32_t i = 0; i < directory->n_networks; i++) {
        char text[SOCKET_TEXT_SIZE];

        if (directory->networks[i].user_id == user_id)
            json_array_append_new(
                networks, json_string(network_print(&directory->networks[i].network, text)));
    }
    return networks;
}

json_t *user_limits_json(const struct user *user)
{
    json_t *limits = json_object();

    for (unsigned i = 0; i < N_USER_LIMITS; i++)
        json_object_set_new(limits, user_limit_name((enum user_limit)i),
                            user->limits[i] == USER_LIMIT_NONE ? json_string("none")
                                                               : json_integer(user->limits[i]));
    return limits;
}

static void add_quota_settings(json_t *body, const struct user *user)
{
    json_object_set_new(body, "default_class",
                        json_string(user->is_transactional ? "transactional" : "bulk"));
    json_object_set_new(body, "refuse_over_quota", json_boolean(user->refuse_over_quota));
    json_object_set_new(body, "brake", json_boolean(user->has_brake));
    json_object_set_new(body, "braked", json_time(user->braked_utc_ms));
    json_object_set_new(body, "braked_reason", json_slice(user->braked_reason));
    json_object_set_new(body, "contact", json_slice(user->contact));
}

json_t *user_json(const struct directory *directory, const struct user *user)
{
    json_t *body = json_pack(
        "{s:o, s:b, s:o, s:o, s:o, s:s, s:s, s:b, s:b, s:i, s:o}", "name", json_slice(user->name),
        "enabled", user->is_enabled, "senders", user_senders_json(user), "networks",
        networks_of(directory, user->id), "limits", user_limits_json(user), "trace",
        trace_mode_name(user->trace), "bounces", bounce_mode_name(user->bounces), "class",
        user->may_use_class, "must_sign", user->must_sign, "credentials", (int)user->n_credentials,
        "created", json_time(user->created_utc_ms));

    add_quota_settings(body, user);
    return body;
}

static void answer_user(struct exchange *exchange, unsigned status, struct slice name,
                        const char *password)
{
    const struct directory *directory = exchange->webui->directory;
    const struct user *user = directory ? directory_user(directory, name) : NULL;
    json_t *body;

    if (!user) {
        exchange_problem(exchange, 404, "not_found", "There is no such user.");
        return;
    }
    body = user_json(directory, user);
    if (password)
        json_object_set_new(body, "password", json_string(password));
    exchange_answer(exchange, status, body);
}

json_t *audit_user(struct exchange *exchange, struct slice name)
{
    const struct directory *directory = exchange->webui->directory;
    const struct user *user = directory ? directory_user(directory, name) : NULL;

    return user ? user_json(directory, user) : NULL;
}

static void answer_use(struct registry_request *request)
{
    const struct user_use_request *use = (const struct user_use_request *)(const void *)request;
    struct exchange *exchange = registry_call_exchange(request);
    const struct directory *directory = exchange->webui->directory;
    const struct user *user;
    json_t *body;

    if (!registry_call_went_well(request))
        return;
    user = directory ? directory_user(directory, use->name) : NULL;
    if (!user) {
        exchange_problem(exchange, 404, "not_found", "There is no such user.");
        return;
    }
    body = user_json(directory, user);
    state_tag_answer(exchange, body);
    json_object_set_new(body, "last_used", json_time(use->last_used_utc_ms));
    json_object_set_new(body, "imported_hash", json_boolean(use->is_imported));
    user_answer_with_use(exchange, user, body);
}

void api_user_show(struct exchange *exchange)
{
    struct user_use_request *use = registry_call_memory(exchange, sizeof(*use));

    if (!use)
        return;
    registry_call_begin(exchange, &use->request, answer_use);
    use->name = exchange->argument;
    if (!registry_user_use(exchange->webui->parts.registry, use))
        exchange_busy(exchange);
}

/* ---- passwords ---- */

/* "password", "hash", or "generate": true; false after answering. */
static bool read_password(struct exchange *exchange, bool may_be_absent, struct new_password *out)
{
    const char *password = exchange_text(exchange, "password");
    const char *hash = exchange_text(exchange, "hash");
    bool generate = exchange_flag(exchange, "generate");
    int n_given = !!password + !!hash + generate;

    if (n_given == 0 && may_be_absent) {
        out->source = PASSWORD_NONE;
        return true;
    }
    if (n_given != 1) {
        exchange_problem(exchange, 422, "bad_password",
                         "Give one of \"password\", \"hash\" and \"generate\": true.");
        return false;
    }
    out->source = password ? PASSWORD_GIVEN : hash ? PASSWORD_HASHED : PASSWORD_GENERATED;
    out->text = slice_of(password ? password : hash);
    return true;
}

static void on_added(struct registry_request *request)
{
    struct user_add_request *add = (struct user_add_request *)(void *)request;
    struct exchange *exchange = registry_call_exchange(request);

    if (registry_call_went_well(request))
        answer_user(exchange, 201, add->name,
                    add->password.source == PASSWORD_GENERATED ? add->password.generated : NULL);
    secret_wipe(add->password.generated, sizeof(add->password.generated));
}

void api_users_add(struct exchange *exchange)
{
    const char *name = exchange_expect_text(exchange, "name");
    struct user_add_request *add;
    int n_senders, n_networks;

    add = name ? registry_call_memory(exchange, sizeof(*add)) : NULL;
    if (!add || !read_password(exchange, true, &add->password))
        return;
    registry_call_begin(exchange, &add->request, on_added);
    add->name = slice_of(name);
    n_senders = exchange_texts(exchange, "senders", &add->senders);
    n_networks = n_senders < 0 ? -1 : exchange_texts(exchange, "networks", &add->networks);
    if (n_networks < 0)
        return;
    add->n_senders = (uint32_t)n_senders;
    add->n_networks = (uint32_t)n_networks;
    if (!registry_user_add(exchange->webui->parts.registry, add))
        exchange_busy(exchange);
}

/* Whoever is in the panel by what was taken away is out. */
static void end_sessions(struct exchange *exchange, struct slice name)
{
    const struct user *user = directory_user(exchange->webui->directory, name);

    if (user)
        access_end_sessions_of(exchange->webui, (struct account){ACCOUNT_USER, user->id}, 0);
}

static void on_password(struct registry_request *request)
{
    struct user_password_request *change = (struct user_password_request *)(void *)request;
    struct exchange *exchange = registry_call_exchange(request);

    if (registry_call_went_well(request)) {
        end_sessions(exchange, change->name);
        answer_user(exchange, 200, change->name,
                    change->password.source == PASSWORD_GENERATED ? change->password.generated
                                                                  : NULL);
    }
    secret_wipe(change->password.generated, sizeof(change->password.generated));
}

void api_user_password(struct exchange *exchange)
{
    struct user_password_request *change = registry_call_memory(exchange, sizeof(*change));

    if (!change || !read_password(exchange, false, &change->password))
        return;
    registry_call_begin(exchange, &change->request, on_password);
    change->name = exchange->argument;
    change->is_reset = true;
    if (!registry_user_password(exchange->webui->parts.registry, change))
        exchange_busy(exchange);
}

/* ---- the rest ---- */

static void ask_user(struct exchange *exchange,
                     bool (*verb)(struct registry *registry, struct user_request *request),
                     void (*done)(struct registry_request *request))
{
    struct user_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, done);
    request->name = exchange->argument;
    if (!verb(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_user_enable(struct exchange *exchange)
{
    ask_user(exchange, registry_user_enable, registry_call_done);
}

static void on_disabled(struct registry_request *request)
{
    if (request->result == REGISTRY_OK)
        end_sessions(registry_call_exchange(request), ((struct user_request *)request)->name);
    registry_call_done(request);
}

void api_user_disable(struct exchange *exchange)
{
    ask_user(exchange, registry_user_disable, on_disabled);
}

void api_user_delete(struct exchange *exchange)
{
    ask_user(exchange, registry_user_delete, registry_call_done);
}

static bool read_options(struct exchange *exchange, struct user_options_request *request)
{
    json_t *object = json_object_get(exchange->body, "options");
    struct user_option *options =
        exchange_memory(exchange, (json_object_size(object) + 1) * sizeof(*options));
    const char *name;
    json_t *value;

    if (!options)
        return false;
    request->options = options;
    json_object_foreach(object, name, value)
    {
        if (!json_is_string(value)) {
            exchange_problem(exchange, 422, "bad_field", "The values of \"options\" are texts.");
            return false;
        }
        options[request->n_options++] =
            (struct user_option){slice_of(name), slice_of(json_string_value(value))};
    }
    return true;
}

void api_user_options(struct exchange *exchange)
{
    struct user_options_request *request = registry_call_memory(exchange, sizeof(*request));
    int n_senders = 0;

    if (!request || !read_options(exchange, request))
        return;
    if (!request->n_options && !json_object_get(exchange->body, "senders")) {
        exchange_problem(exchange, 422, "missing_field", "Give \"options\" or \"senders\".");
        return;
    }
    registry_call_begin(exchange, &request->request, registry_call_done);
    request->name = exchange->argument;
    if (json_object_get(exchange->body, "senders"))
        n_senders = exchange_texts(exchange, "senders", &request->senders);
    if (n_senders < 0)
        return;
    request->n_senders = (uint32_t)n_senders;
    if (!registry_user_options(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}
