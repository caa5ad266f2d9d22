#include "test/unit/webui/serving.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "webui/server.h"

static int listen_there(struct sockaddr_un *address)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof(address->sun_path), "%s/live.sock", folder);
    assert_int_equal(bind(listener, (struct sockaddr *)address, sizeof(*address)), 0);
    assert_int_equal(listen(listener, 4), 0);
    return listener;
}

static int ask_for_jobs(const struct sockaddr_un *address)
{
    static const char request[] =
        "GET /api/v1/events?topics=jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    int client = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(connect(client, (const struct sockaddr *)address, sizeof(*address)), 0);
    assert_int_equal(write(client, request, sizeof(request) - 1), sizeof(request) - 1);
    return client;
}

static const struct live_stream *first_stream(void)
{
    return CONTAINER_OF(webui->live.streams.next, struct live_stream, link);
}

static void do_nothing(struct task *task)
{
    (void)task;
}

/* One that does not wait. */
static void turn(void)
{
    static struct task task = {.run = do_nothing};

    mailbox_answer(webui->mailbox, &task);
    server_turn(webui);
}

/* Until the client's socket is full, and so is the connection's memory. */
static void fill(void)
{
    static char text[16384];
    unsigned n_idle = 0;

    memset(text, 'x', sizeof(text) - 1);
    while (n_idle < 8) {
        size_t len = first_stream()->pending.len;

        if (len == 0)
            live_tell(webui, LIVE_JOBS, json_pack("{s:s}", "text", text));
        turn();
        n_idle = len && first_stream()->pending.len == len ? n_idle + 1 : 0;
    }
}

/* The library itself would wait for a minute. */
static void a_stop_does_not_wait_for_who_does_not_read(void **state)
{
    struct sockaddr_un address;
    int listener = listen_there(&address), client = ask_for_jobs(&address);
    int64_t begun_ms = clock_monotonic_ms();

    (void)state;
    webui->pulse.begun_ms = begun_ms; /* no look is due */
    assert_int_equal(server_open(webui, listener, true, NULL), 0);
    while (webui->live.n_streams == 0)
        server_turn(webui);
    fill();
    webui->is_stopping = true;
    begun_ms = clock_monotonic_ms();
    live_end_all(&webui->live);
    while (webui->live.n_streams)
        server_turn(webui);
    assert_in_range(clock_monotonic_ms() - begun_ms, 0, 30000);
    server_close_all(webui);
    webui->is_stopping = false;
    close(client);
    close(listener);
}

/* A stream of jobs and overviews that saw `last` before; free it with exchange_free(). */
static struct exchange *listen_again(const char *last)
{
    static struct query_value topics = {"topics", "jobs,overview"};
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    assert_non_null(exchange);
    exchange->webui = webui;
    exchange->is_local = true;
    exchange->caller.account.kind = ACCOUNT_ADMIN;
    exchange->queries = &topics;
    exchange->n_queries = 1;
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    snprintf(exchange->last_event, sizeof(exchange->last_event), "%s", last);
    exchange->stream = live_stream_new(exchange);
    assert_non_null(exchange->stream);
    return exchange;
}

/* A page that comes back hears how the job ended that it asked for. */
static void what_became_of_jobs_is_kept_for_who_comes_back(void **state)
{
    struct exchange *exchange;
    char last[24];

    (void)state;
    snprintf(last, sizeof(last), "%llu", (unsigned long long)webui->live.next_number - 1);
    live_tell(webui, LIVE_JOBS, json_pack("{s:s}", "state", "done"));
    live_tell(webui, LIVE_OVERVIEW, json_pack("{s:b}", "changed", 1));
    exchange = listen_again(last);
    assert_true(slice_search(buffer_slice(&exchange->stream->pending),
                             SLICE_LITERAL("{\"state\":\"done\"}")) > 0);
    assert_true(slice_search(buffer_slice(&exchange->stream->pending),
                             SLICE_LITERAL("event: overview")) < 0);
    exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_does_not_wait_for_who_does_not_read),
        cmocka_unit_test(what_became_of_jobs_is_kept_for_who_comes_back),
    };

    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
