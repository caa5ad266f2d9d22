#include "webui/repeats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "webui/exchange.h"

struct repeat {
    struct list link;
    char key[REPEAT_KEY_MOST + 1];
    char account[288];
    uint8_t request[DIGEST_BYTES]; /* method, path and body */
    int64_t began_ms;              /* monotonic */
    unsigned status;               /* of the answer; 0: still to come */
    bool has_secret;
    const char *content_type; /* constant */
    char *text;
    size_t text_len;
};

void repeats_init(struct repeats *repeats)
{
    *repeats = (struct repeats){.n_kept = 0};
    list_init(&repeats->kept);
}

static void forget(struct repeats *repeats, struct repeat *repeat)
{
    list_remove(&repeat->link);
    repeats->n_kept--;
    free(repeat->text);
    free(repeat);
}

void repeats_fini(struct repeats *repeats)
{
    LIST_FOR_EACH(link, &repeats->kept)
    {
        forget(repeats, CONTAINER_OF(link, struct repeat, link));
    }
}

static void name_account(const struct exchange *exchange, char out[288])
{
    (void)snprintf(out, 288, "%s %s", account_kind_name(exchange->caller.account.kind),
                   exchange->by);
}

static void digest_request(const struct exchange *exchange, uint8_t out[DIGEST_BYTES])
{
    CLEANUP(buffer) struct buffer bytes = BUFFER_INIT;

    buffer_append_counted(&bytes, slice_of(exchange->path));
    buffer_append(&bytes, buffer_slice(&exchange->upload));
    plain_digest(out, buffer_slice(&bytes));
    if (bytes.data)
        secret_wipe(bytes.data, bytes.capacity); /* bodies hold passwords */
}

static unsigned n_of(const struct repeats *repeats, const char *account)
{
    unsigned n = 0;

    LIST_FOR_EACH(link, &repeats->kept)
    n += strcmp(CONTAINER_OF(link, struct repeat, link)->account, account) == 0;
    return n;
}

/* The oldest answered one of an account; NULL: all are still to be answered. */
static struct repeat *oldest_of(const struct repeats *repeats, const char *account)
{
    LIST_FOR_EACH(link, &repeats->kept)
    {
        struct repeat *repeat = CONTAINER_OF(link, struct repeat, link);

        if (repeat->status && strcmp(repeat->account, account) == 0)
            return repeat;
    }
    return NULL;
}

/* That of whoever keeps most, so that nobody pushes out what others may ask for once more. */
static struct repeat *most_dispensable(const struct repeats *repeats)
{
    struct repeat *found = NULL;
    unsigned most = 0;

    LIST_FOR_EACH(link, &repeats->kept)
    {
        struct repeat *repeat = CONTAINER_OF(link, struct repeat, link);
        unsigned n = 0;

        if (!repeat->status || (found && strcmp(repeat->account, found->account) == 0))
            continue;
        n = n_of(repeats, repeat->account);
        if (n > most) {
            most = n;
            found = repeat;
        }
    }
    return found;
}

static void forget_past(struct repeats *repeats)
{
    int64_t now_ms = clock_monotonic_ms();

    LIST_FOR_EACH(link, &repeats->kept)
    {
        struct repeat *repeat = CONTAINER_OF(link, struct repeat, link);

        if (repeat->status && now_ms - repeat->began_ms >= REPEAT_KEPT_MS)
            forget(repeats, repeat);
    }
}

static void make_room(struct repeats *repeats, const char *account)
{
    struct repeat *repeat = NULL;

    if (n_of(repeats, account) >= REPEATS_OF_ONE)
        repeat = oldest_of(repeats, account);
    else if (repeats->n_kept >= REPEATS_MOST)
        repeat = most_dispensable(repeats);
    if (repeat)
        forget(repeats, repeat);
}

static struct repeat *find(const struct exchange *exchange, const char *account)
{
    LIST_FOR_EACH(link, &exchange->webui->repeats.kept)
    {
        struct repeat *repeat = CONTAINER_OF(link, struct repeat, link);

        if (strcmp(repeat->key, exchange->fields.idempotency_key) == 0 &&
            strcmp(repeat->account, account) == 0)
            return repeat;
    }
    return NULL;
}

static void answer_again(struct exchange *exchange, const struct repeat *repeat)
{
    uint8_t request[DIGEST_BYTES];

    digest_request(exchange, request);
    if (memcmp(request, repeat->request, sizeof(request)) != 0)
        exchange_problem(exchange, 422, "key_reused",
                         "This Idempotency-Key was used for another request.");
    else if (!repeat->status)
        exchange_problem(exchange, 409, "still_running", "The first of these is not answered yet.");
    else if (repeat->has_secret)
        exchange_problem(exchange, 409, "done_before",
                         "It is done; its answer held a secret and was not kept.");
    else
        exchange_answer_kept(exchange, repeat->status, repeat->content_type,
                             slice_from(repeat->text, repeat->text_len));
}

static bool is_key(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    return len > 0 && len <= REPEAT_KEY_MOST;
}

bool repeats_begin(struct exchange *exchange)
{
    struct repeats *repeats = &exchange->webui->repeats;
    char account[288];
    struct repeat *repeat;

    if (exchange->method != HTTP_POST || !exchange->fields.idempotency_key ||
        !exchange->caller.is_signed_in)
        return true;
    if (!is_key(exchange->fields.idempotency_key)) {
        exchange_problem(exchange, 422, "bad_key",
                         "An Idempotency-Key is 1 to 128 printable characters.");
        return false;
    }
    name_account(exchange, account);
    forget_past(repeats);
    repeat = find(exchange, account);
    if (repeat) {
        answer_again(exchange, repeat);
        return false;
    }
    make_room(repeats, account);
    repeat = repeats->n_kept < REPEATS_MOST ? calloc(1, sizeof(*repeat)) : NULL;
    if (!repeat) {
        exchange_busy(exchange);
        return false;
    }
    (void)snprintf(repeat->key, sizeof(repeat->key), "%s", exchange->fields.idempotency_key);
    (void)snprintf(repeat->account, sizeof(repeat->account), "%s", account);
    digest_request(exchange, repeat->request);
    repeat->began_ms = clock_monotonic_ms();
    list_append(&repeats->kept, &repeat->link);
    repeats->n_kept++;
    exchange->repeat = repeat;
    return true;
}

static bool holds_secret(const struct exchange *exchange)
{
    static const char *const members[] = {"\"password\"", "\"secret\"", "\"recovery_codes\"",
                                          "\"code\""};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (exchange->text &&
            slice_search(slice_from(exchange->text, exchange->text_len), slice_of(members[i])) >= 0)
            return true;
    return *exchange->set_cookie != '\0';
}

/* What was refused was not done, and may be asked anew. */
void repeats_answered(struct exchange *exchange)
{
    struct repeat *repeat = exchange->repeat;
    bool is_kept = exchange->status < 300 && exchange->text_len <= REPEAT_ANSWER_MOST;

    if (!repeat)
        return;
    exchange->repeat = NULL;
    repeat->has_secret = is_kept && holds_secret(exchange);
    if (is_kept && !repeat->has_secret && exchange->text)
        repeat->text = slice_to_string(slice_from(exchange->text, exchange->text_len));
    if (!is_kept || (!repeat->has_secret && exchange->text && !repeat->text)) {
        forget(&exchange->webui->repeats, repeat);
        return;
    }
    repeat->status = exchange->status;
    repeat->content_type = exchange->content_type;
    repeat->text_len = repeat->text ? exchange->text_len : 0;
}

void repeats_end(struct exchange *exchange)
{
    if (exchange->repeat)
        forget(&exchange->webui->repeats, exchange->repeat);
    exchange->repeat = NULL;
}
