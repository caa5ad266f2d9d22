/* A conversation with the API, over every route: requests parted by byte 0xFF, each `method path?
 * query LF body`.  Each gets one answer that is JSON, a refusal names a stable code, and nothing
 * the client says is our fault (500).  The registry is the real one on a database in memory files,
 * run on this thread; the loops, the signer and the price of a password hash are stood in for. */
#include "test/fuzz/fuzz.h"

#include <ftw.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "policy/registry_domains.h"
#include "policy/registry_internal.h"
#include "policy/registry_suppressions.h"
#include "policy/registry_users.h"
#include "relay/base/secret.h"
#include "relay/control/config.h"
#include "relay/control/key_desk.h"
#include "webui/framing.h"
#include "webui/history_desk.h"
#include "webui/jobs.h"
#include "webui/queue_desk.h"
#include "webui/routes.h"
#include "webui/server.h"
#include "webui/turns.h"

static char folder[64];
static struct webui webui;
static struct registry *registry;

/* ---- who else would answer ---- */

int crypto_pwhash_str(char out[crypto_pwhash_STRBYTES], const char *const password,
                      unsigned long long len, unsigned long long ops, size_t memory)
{
    (void)password, (void)len, (void)ops, (void)memory;
    memset(out, 0, crypto_pwhash_STRBYTES);
    (void)snprintf(out, crypto_pwhash_STRBYTES, "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA");
    return 0;
}

static void answer_key_order(struct task *task)
{
    struct key_order *order = CONTAINER_OF(task, struct key_order, task);

    order->done(order);
}

bool key_desk_order(struct key_desk *desk, struct key_order *order)
{
    (void)desk;
    order->code = "signer_down";
    (void)snprintf(order->sentence, sizeof(order->sentence), "The signer does not answer.");
    order->task.run = answer_key_order;
    mailbox_answer(order->answer_to, &order->task);
    return true;
}

bool key_desk_is_up(const struct key_desk *desk)
{
    (void)desk;
    return true;
}

bool key_desk_ask_txt(struct key_desk *desk, struct txt_order *order)
{
    (void)desk, (void)order;
    return false;
}

/* No queue: its rows are the spool's own tests. */
bool queue_desk_ask(struct queue_desk *desk, struct queue_job *job)
{
    (void)desk, (void)job;
    return false;
}

bool history_desk_ask(struct history_desk *desk, struct history_job *job)
{
    (void)desk, (void)job;
    return false;
}

bool events_ask(struct events *events, struct events_question *question)
{
    (void)events, (void)question;
    return false;
}

void events_note_depth(struct events *events, int64_t n_queued)
{
    (void)events, (void)n_queued;
}

void server_wake_stream(const struct live_stream *stream)
{
    (void)stream;
}

void server_end_stream(const struct live_stream *stream)
{
    (void)stream;
}

bool server_stream_is_left(const struct live_stream *stream)
{
    (void)stream;
    return false;
}

void server_answered(struct exchange *exchange)
{
    PROMISE(exchange->status >= 200 && exchange->status <= 599);
}

#define ANSWER_LATER(name, type)                                                                   \
    static void run_##name(struct task *task)                                                      \
    {                                                                                              \
        struct type *request = CONTAINER_OF(task, struct type, task);                              \
                                                                                                   \
        request->done(request);                                                                    \
    }                                                                                              \
                                                                                                   \
    static bool ask_##name(void *owner, struct type *request)                                      \
    {                                                                                              \
        (void)owner;                                                                               \
        request->task.run = run_##name;                                                            \
        mailbox_answer(request->answer_to, &request->task);                                        \
        return true;                                                                               \
    }
ANSWER_LATER(command, delivery_command)
ANSWER_LATER(sending, delivery_sending)
ANSWER_LATER(destinations, delivery_destinations)
ANSWER_LATER(domains, delivery_domains)
ANSWER_LATER(lift, delivery_lift)
ANSWER_LATER(why, delivery_why)
ANSWER_LATER(path, delivery_path)

static const struct operations operations = {.command = ask_command,
                                             .sending = ask_sending,
                                             .destinations = ask_destinations,
                                             .domains = ask_domains,
                                             .lift = ask_lift,
                                             .why = ask_why,
                                             .path = ask_path};

static void tell_status(void *owner, struct service_status *out)
{
    (void)owner;
    *out = (struct service_status){.is_ready = true, .queue_is_healthy = true};
}

static void take_directory(struct directory_subscriber *subscriber, struct directory *directory)
{
    (void)subscriber;
    directory_unref(webui.directory);
    webui.directory = directory;
}

/* ---- one thread does it all ---- */

static void run_all(void)
{
    for (int turn = 0; turn < 4; turn++) {
        registry_turn(registry);
        mailbox_run(webui.mailbox);
    }
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)about, (void)kind, (void)position;
    return remove(path);
}

static void clean_up(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void start(void)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;

    (void)snprintf(folder, sizeof(folder), "%s/staffetta-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    PROMISE(secret_start() == 0 && mkdtemp(folder) && atexit(clean_up) == 0);
    PROMISE(registry_open(&registry, folder) == 0);
    PROMISE(access_open(&webui.access, registry) == 0);
    PROMISE(mailbox_new(&webui.mailbox, 64) == 0);
    webui.subscriber =
        (struct directory_subscriber){.mailbox = webui.mailbox, .receive = take_directory};
    registry_subscribe(registry, &webui.subscriber);
    thread_own(&registry->owner);
    webui.parts = (struct webui_parts){
        .registry = registry,
        .operations = &operations,
        .spool_dir = folder,
        .status = tell_status,
    };
    pulse_init(&webui.pulse, &webui);
    webui.pulse.view.seen_ms = INT64_MAX / 2; /* the last look never ages */
    live_init(&webui.live, &webui);
    jobs_init(&webui.jobs, &webui);
    path_jobs_init(&webui.paths, &webui);
    past_init(&webui.past, &webui);
    turns_init(&webui);
    list_init(&webui.changes);
    repeats_init(&webui.repeats);
    PROMISE(config_parse(&webui.settings, "t", slice_of(""), &problem) == 0);
    run_all();
    PROMISE(webui.directory);
}

/* ---- a request ---- */

static void cut_query(struct exchange *exchange, char *query)
{
    char *pair;

    exchange->queries =
        arena_alloc(&exchange->arena, EXCHANGE_MAX_QUERIES * sizeof(*exchange->queries));
    while (query && exchange->n_queries < EXCHANGE_MAX_QUERIES && (pair = strsep(&query, "&"))) {
        char *value = strchr(pair, '=');

        if (value)
            *value++ = '\0';
        framing_unescape(pair);
        if (value)
            framing_unescape(value);
        exchange->queries[exchange->n_queries++] = (struct query_value){pair, value ? value : ""};
    }
}

static void check_answer(const struct exchange *exchange)
{
    json_t *said;

    PROMISE(exchange->status != 0 && exchange->status != 500);
    if (exchange->stream)
        return; /* an answer without an end */
    if (exchange->status == 204) {
        PROMISE(!exchange->text);
        return;
    }
    PROMISE(exchange->text && strlen(exchange->text) == exchange->text_len);
    said = json_loads(exchange->text, 0, NULL);
    PROMISE(json_is_object(said));
    if (exchange->status >= 400)
        PROMISE(json_string_length(json_object_get(said, "code")) > 0);
    json_decref(said);
}

/* line: "METHOD path?query", NUL-terminated, this function's to change. */
static void serve(char *line, struct slice body)
{
    static const char *const words[N_HTTP_METHODS] = {"GET", "POST", "DELETE"};
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    char *method = strsep(&line, " "), *path = strsep(&line, "?");

    PROMISE(exchange);
    exchange->webui = &webui;
    for (unsigned i = 0; i < N_HTTP_METHODS; i++)
        if (strcmp(words[i], method) == 0)
            exchange->method = (enum http_method)i;
    if (path)
        framing_unescape(path);
    exchange->path = path ? path : "";
    exchange->is_local = true;
    (void)snprintf(exchange->by, sizeof(exchange->by), "uid 0");
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    buffer_init(&exchange->upload, EXCHANGE_MAX_BODY);
    buffer_append(&exchange->upload, body);
    cut_query(exchange, line);
    if (exchange_read_body(exchange))
        routes_dispatch(exchange);
    run_all();
    check_answer(exchange);
    exchange_free(exchange);
}

/* ---- the next input finds nothing of this one ---- */

static void order(const char *start, struct slice name, const char *end)
{
    CLEANUP(buffer) struct buffer line = BUFFER_INIT;

    buffer_append_text(&line, start);
    for (size_t i = 0; i < name.len; i++)
        buffer_printf(&line, "%%%02x", (unsigned)(unsigned char)name.data[i]);
    buffer_append_text(&line, end);
    buffer_append_byte(&line, '\0');
    serve(line.data, SLICE_LITERAL(""));
}

static void forget_all(void)
{
    const struct directory *const *now = (const struct directory *const *)&webui.directory;

    while (webui.n_waiting) /* jobs go on behind their answers */
        run_all();
    jobs_fini(&webui.jobs);
    path_jobs_fini(&webui.paths);
    past_fini(&webui.past);
    for (int most = 1000; (*now)->n_users && most; most--)
        order("DELETE /api/v1/users/", (*now)->users[0].name, "");
    for (int most = 1000; (*now)->n_domains && most; most--)
        order("DELETE /api/v1/domains/", (*now)->domains[0].name, "");
    for (int most = 1000; (*now)->n_orders && most; most--) {
        char subject[ORDER_SUBJECT_SIZE];

        order_subject_print((*now)->orders[0].scope, (*now)->orders[0].name, subject);
        order("DELETE /api/v1/suspensions/", slice_of(subject), "");
    }
    for (int most = 1000; webui.access.book->n_tokens && most; most--) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%u", (unsigned)webui.access.book->tokens[0].id);
        order("DELETE /api/v1/tokens/", slice_of(id), "");
    }
    PROMISE(webui.access.book->n_tokens == 0);
    PROMISE((*now)->n_users + (*now)->n_networks + (*now)->n_domains + (*now)->n_orders == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_from(data, size);

    if (!registry)
        start();
    for (int n = 0; rest.len && n < 8; n++) {
        ptrdiff_t end = slice_find(rest, '\xff');
        struct slice request = slice_head(rest, end < 0 ? rest.len : (size_t)end);
        ptrdiff_t lf = slice_find(request, '\n');
        size_t line_len = lf < 0 ? request.len : (size_t)lf;
        char *line = slice_to_string(slice_head(request, line_len));

        PROMISE(line);
        serve(line, slice_skip(request, line_len + 1));
        free(line);
        rest = slice_skip(rest, request.len + 1);
    }
    forget_all();
    return 0;
}
