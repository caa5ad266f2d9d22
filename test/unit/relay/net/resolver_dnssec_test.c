/* Validation against knot, which signs a zone of its own (scripts/setup installs it). */
#include "test/support/test_support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/base/event.h"
#include "relay/base/secret.h"
#include "relay/net/resolver.h"

static char folder[] = "/tmp/staffetta-dnssec-XXXXXX";
static struct socket_address server;
static pid_t knot;
static struct loop *loop;
static struct resolver *resolver;
static struct timer guard;
static bool is_done;
static unsigned n_unvalidated;

static void path_in_folder(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    path_in_folder(path, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void run(const char *format, ...) PRINTF_LIKE(1, 2);

static void run(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command) != 0) /* NOLINT(cert-env33-c): a test's own tools */
        fail_msg("%s", command);
}

static void pick_port(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(socket_address_parse(SLICE_LITERAL("127.0.0.1:0"), -1, &server));
    assert_int_equal(bind(fd, &server.any, server.len), 0);
    assert_int_equal(getsockname(fd, &server.any, &server.len), 0);
    close(fd);
}

static void write_configuration(void)
{
    char text[1024];

    pick_port();
    snprintf(text, sizeof(text),
             "server:\n  listen: 127.0.0.1@%u\n  rundir: %s\n  pidfile: knot.pid\n"
             "log:\n  - target: stderr\n    any: critical\n"
             "database:\n  storage: %s\n"
             "policy:\n  - id: manual\n    manual: on\n    single-type-signing: on\n"
             "zone:\n  - domain: ex.test\n    storage: %s\n    file: zone\n"
             "    dnssec-signing: on\n    dnssec-policy: manual\n    zonefile-sync: -1\n"
             "    zonefile-load: difference\n    journal-content: all\n",
             socket_address_port(&server), folder, folder, folder);
    write_file("knot.conf", text);
    write_file("zone", "$ORIGIN ex.test.\n$TTL 60\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\n"
                       "ns A 127.0.0.1\n@ MX 10 mx\nmx A 192.0.2.25\n");
}

/* Waits until it answers: the resolver's own retries would take longer. */
static bool knot_answers(void)
{
    char command[1024];

    snprintf(
        command, sizeof(command),
        "i=0; until knotc -c %s/knot.conf zone-status ex.test >/dev/null 2>&1 && "
        "kdig @127.0.0.1 -p %u ex.test SOA +dnssec +time=1 +retry=0 2>/dev/null | grep -q RRSIG; "
        "do i=$((i + 1)); [ $i -lt 100 ] || exit 1; done",
        folder, socket_address_port(&server));
    return system(command) == 0; /* NOLINT(cert-env33-c): a test's own tools */
}

static void make_keys(void)
{
    run("keymgr -c %s/knot.conf ex.test generate algorithm=ECDSAP256SHA256 ksk=yes zsk=yes "
        ">/dev/null 2>&1",
        folder);
    run("keymgr -c %s/knot.conf ex.test ds 2>/dev/null | grep ' 13 2 ' >%s/anchor", folder, folder);
    run("sed 's/....$/0000/' %s/anchor >%s/wrong-anchor", folder, folder);
}

static void stop_knot(void)
{
    kill(knot, SIGTERM);
    waitpid(knot, NULL, 0);
    knot = 0;
}

/* False: another program has the port by now. */
static bool start_knot(void)
{
    char path[128];

    write_configuration();
    path_in_folder(path, "knot.conf");
    knot = fork();
    if (knot == 0) {
        execlp("knotd", "knotd", "-c", path, (char *)NULL);
        _exit(127);
    }
    if (knot_answers())
        return true;
    stop_knot();
    return false;
}

static void on_event(void *owner, const struct event *event)
{
    (void)owner;
    n_unvalidated += event->kind == EVENT_DNS_UNVALIDATED;
}

static void on_guard(struct timer *timer)
{
    (void)timer;
    fail_msg("waited 30 s in vain");
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    write_configuration();
    make_keys();
    for (int i = 0; i < 5 && !start_knot(); i++)
        continue;
    assert_true(knot > 0);
    event_set_sink(on_event, NULL);
    return secret_start();
}

static int tear_down(void **state)
{
    (void)state;
    if (knot > 0)
        stop_knot();
    run("rm -r %s", folder);
    return 0;
}

static void open_resolver(const char *anchor)
{
    char path[128];
    struct resolver_settings settings = {.mode = RESOLVER_FORWARD,
                                         .forwarders = &server,
                                         .n_forwarders = 1,
                                         .trust_anchor_file = path};

    path_in_folder(path, anchor);
    assert_int_equal(loop_new(&loop, 0, 8), 0);
    timer_init(&guard, loop, on_guard);
    timer_set(&guard, 30000);
    assert_int_equal(resolver_new(&resolver, loop, &settings), 0);
}

static void close_resolver(void)
{
    resolver = resolver_free(resolver);
    timer_fini(&guard);
    loop = loop_free(loop);
}

static void on_mx(struct mx_query *query)
{
    (void)query;
    is_done = true;
    loop_stop(loop);
}

static struct mx_query ask_mx(void)
{
    static struct mx_query query;

    query = (struct mx_query){.done = on_mx, .domain = "ex.test"};
    is_done = false;
    mx_lookup(resolver, &query);
    while (!is_done)
        loop_run(loop);
    return query;
}

static void signed_answers_are_secure(void **state)
{
    struct mx_query query;

    (void)state;
    open_resolver("anchor");
    query = ask_mx();
    assert_int_equal(query.status, MX_OK);
    assert_true(query.is_secure);
    assert_string_equal(query.hosts[0].name, "mx.ex.test");
    assert_true(resolver_validates(resolver));
    assert_int_equal(n_unvalidated, 0);
    close_resolver();
}

static void bogus_answers_are_temporary(void **state)
{
    struct mx_query query;

    (void)state;
    open_resolver("wrong-anchor");
    query = ask_mx();
    assert_int_equal(query.status, MX_TEMPORARY);
    assert_false(query.is_secure);
    assert_non_null(strstr(query.why, "DNSSEC validation failed"));
    close_resolver();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_answers_are_secure),
        cmocka_unit_test(bogus_answers_are_temporary),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
