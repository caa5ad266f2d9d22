#include "test/support/test_support.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "relay/net/supervised_child.h"
#include "relay/net/supervisor.h"

enum { N_ASKS = 60 }; /* of a child that asks without end */

/* The parent under test runs in a process of its own.  It and its children report what happens as
 * lines to this datagram socket, whose path they inherit as a name. */
static char folder[] = "/tmp/staffetta-supervisor-XXXXXX";
static char report_path[64], settings_path[64], link_path[64];
static int report_fd;
static pid_t parent;

static void report(const char *format, ...) PRINTF_LIKE(1, 2);

static void report(const char *format, ...)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char line[256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", report_path);
    sendto(fd, line, strlen(line), 0, (struct sockaddr *)&address, sizeof(address));
    close(fd);
}

/* The next report, or a failure after ten seconds. */
static const char *next_report(void)
{
    static char line[256];
    struct pollfd poll_fd = {report_fd, POLLIN, 0};
    ssize_t n;

    if (poll(&poll_fd, 1, 10000) != 1)
        fail_msg("nothing happened for 10 s");
    n = recv(report_fd, line, sizeof(line) - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    return line;
}

static bool begins(const char *line, const char *start)
{
    return strncmp(line, start, strlen(start)) == 0;
}

/* Waits for a report that starts with start; returns what follows.  Others before it are dropped.
 */
static const char *wait_for(const char *start)
{
    for (int n_dropped = 0; n_dropped < 100; n_dropped++) { /* ten seconds of WATCHDOG=1 */
        const char *line = next_report();

        if (begins(line, start))
            return line + strlen(start);
    }
    fail_msg("waited in vain for %s", start);
    return "";
}

/* For reports of two processes, which come in any order. */
static void wait_for_both(const char *one, const char *other)
{
    bool has_one = false, has_other = false;

    while (!has_one || !has_other) {
        const char *line = next_report();

        has_one = has_one || begins(line, one);
        has_other = has_other || begins(line, other);
    }
}

/* ---- the roles ---- */

static void on_peer(const char *name, struct channel_message *message)
{
    int fd = channel_take_fd(message, 0);
    char byte = name[0], other = '?';

    /* What one role writes the other reads: the pair is fresh and theirs. */
    if (write(fd, &byte, 1) != 1 || read(fd, &other, 1) != 1)
        other = '!';
    report("%s peer %c", name, other);
    close(fd);
}

/* What the settings may order. */
static bool ask_for_peers(int channel_fd, struct slice order)
{
    int n = slice_equal(order, SLICE_LITERAL("peer lost"))           ? 1
            : slice_equal(order, SLICE_LITERAL("peers without end")) ? N_ASKS
                                                                     : 0;

    for (int i = 0; i < n; i++)
        if (channel_send(channel_fd, CHANNEL_PEER_LOST, (struct slice){0}, NULL, 0) < 0)
            return false;
    return true;
}

static int serve(const char *name, int channel_fd)
{
    struct channel_message message = {0};

    for (;;) {
        int result = channel_receive(channel_fd, &message);

        if (result <= 0)
            return 1;
        switch (message.kind) {
        case CHANNEL_START:
            report("%s start %.*s fds %zu pid %d", name, (int)message.bytes.len, message.bytes.data,
                   message.n_fds, getpid());
            if (channel_send(channel_fd, CHANNEL_READY, (struct slice){0}, NULL, 0) < 0)
                return 1;
            break;
        case CHANNEL_RELOAD:
            report("%s reload %.*s", name, (int)message.bytes.len, message.bytes.data);
            if (!ask_for_peers(channel_fd, buffer_slice(&message.bytes)))
                return 1;
            break;
        case CHANNEL_PEER:
            on_peer(name, &message);
            break;
        case CHANNEL_DRAIN:
            report("%s drain", name);
            channel_message_fini(&message);
            return 0;
        default:
            return 1;
        }
    }
}

static int run_relay(void *owner, int channel_fd)
{
    (void)owner;
    return serve("relay", channel_fd);
}

static int run_signer(void *owner, int channel_fd)
{
    (void)owner;
    return serve("signer", channel_fd);
}

static int run_stubborn(void *owner, int channel_fd)
{
    (void)owner;
    report("stubborn pid %d", getpid());
    for (;;)
        pause();
    return channel_fd;
}

static int run_hopeless(void *owner, int channel_fd)
{
    (void)owner;
    (void)channel_fd;
    return SUPERVISOR_HOPELESS;
}

static int run_crashing(void *owner, int channel_fd)
{
    (void)owner;
    (void)channel_fd;
    report("crash");
    return 3;
}

/* The settings are the contents of a file. */
static char settings[64] = "first";

static int fill(void *owner, struct channel_message *message)
{
    (void)owner;
    buffer_append_text(&message->bytes, settings);
    return supervisor_add_fd(message, 0);
}

static int reload(void *owner, char why[SUPERVISOR_WHY_SIZE])
{
    FILE *file = fopen(settings_path, "re");
    char line[64] = "";

    (void)owner;
    if (file) {
        if (!fgets(line, sizeof(line), file))
            line[0] = '\0';
        fclose(file);
    }
    if (strcmp(line, "bad") == 0 || !line[0]) {
        snprintf(why, SUPERVISOR_WHY_SIZE, "line 1: bad");
        report("reload refused");
        return -EINVAL;
    }
    snprintf(settings, sizeof(settings), "%s", line);
    return 0;
}

static size_t watched(void *owner, const char *paths[SUPERVISOR_MAX_WATCHED])
{
    (void)owner;
    paths[0] = link_path;
    return 1;
}

static void write_settings(const char *name, const char *text)
{
    char path[80];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void start_parent(const struct supervisor_plan *plan)
{
    parent = fork();
    if (parent == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(9);
        _exit(supervisor_run(plan));
    }
}

static int end_parent(int signal_number)
{
    int status = -1;

    if (signal_number)
        kill(parent, signal_number);
    waitpid(parent, &status, 0);
    parent = 0;
    return status;
}

static const struct supervisor_role roles[] = {
    {"relay",  run_relay,  fill},
    {"signer", run_signer, NULL}
};
static const struct supervisor_plan usual = {
    .roles = roles, .n_roles = 2, .reload = reload, .watched = watched};

static int set_up(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(report_path, sizeof(report_path), "%s/report", folder);
    snprintf(settings_path, sizeof(settings_path), "%s/settings", folder);
    snprintf(link_path, sizeof(link_path), "%s/link", folder);
    report_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", report_path);
    if (bind(report_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    setenv("NOTIFY_SOCKET", report_path, 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    write_settings("settings", "first");
    return symlink(settings_path, link_path);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    if (parent > 0)
        end_parent(SIGKILL);
    close(report_fd);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* ---- the tests ---- */

static void children_start_with_what_they_need_and_a_pair_between_them(void **state)
{
    bool has[6] = {false};

    (void)state;
    start_parent(&usual);
    for (int n = 0; n < 6;) {
        const char *line = next_report();
        static const char *const expected[] = {"relay start first fds 1",
                                               "signer start  fds 0",
                                               "relay peer s",
                                               "signer peer r",
                                               "READY=1",
                                               "WATCHDOG=1"};

        for (int i = 0; i < 6; i++)
            if (!has[i] && strncmp(line, expected[i], strlen(expected[i])) == 0)
                has[i] = true, n++;
    }
    assert_int_equal(end_parent(SIGTERM), 0);
}

static void the_first_role_drains_before_the_second(void **state)
{
    (void)state;
    start_parent(&usual);
    wait_for("READY=1");
    kill(parent, SIGTERM);
    wait_for("STOPPING=1");
    wait_for("relay drain");
    wait_for("signer drain");
    assert_int_equal(end_parent(0), 0);
}

/* The peer lives and has to learn of it too: each gets an end. */
static void a_child_that_lost_its_peer_gets_a_fresh_pair(void **state)
{
    (void)state;
    start_parent(&usual);
    wait_for_both("relay peer s", "signer peer r");
    write_settings("settings", "peer lost");
    kill(parent, SIGHUP);
    wait_for("relay reload peer lost");
    wait_for_both("relay peer s", "signer peer r");
    assert_int_equal(end_parent(SIGTERM), 0);
}

static void a_child_that_asks_without_end_gets_one_pair_a_second(void **state)
{
    int n_pairs = 0;

    (void)state;
    start_parent(&usual);
    wait_for_both("relay peer s", "signer peer r");
    write_settings("settings", "peers without end");
    kill(parent, SIGHUP);
    wait_for("relay reload peers without end");
    wait_for_both("relay peer s", "signer peer r");
    kill(parent, SIGTERM);
    for (const char *line = ""; !begins(line, "relay drain"); line = next_report())
        n_pairs += begins(line, "relay peer");
    assert_true(n_pairs < N_ASKS / 6);
    assert_int_equal(end_parent(0), 0);
}

static pid_t pid_of(const char *role_start)
{
    const char *pid = strstr(wait_for(role_start), "pid ");

    assert_non_null(pid);
    return (pid_t)strtol(pid + 4, NULL, 10);
}

static void a_child_that_dies_is_started_again_with_a_fresh_pair(void **state)
{
    (void)state;
    start_parent(&usual);
    for (int i = 0; i < 3; i++) {
        pid_t signer = pid_of("signer start");

        wait_for("signer peer r");
        kill(signer, SIGKILL);
    }
    pid_of("signer start");
    wait_for("signer peer r"); /* and so the relay got its end, or this would hang */
    assert_int_equal(end_parent(SIGTERM), 0);
}

static void signals_to_the_group_do_not_end_children(void **state)
{
    pid_t relay;

    (void)state;
    start_parent(&usual);
    relay = pid_of("relay start");
    wait_for("READY=1");
    kill(relay, SIGTERM);
    kill(relay, SIGINT);
    kill(relay, SIGHUP);
    kill(parent, SIGTERM);
    wait_for("relay drain"); /* still there to be drained */
    assert_int_equal(end_parent(0), 0);
}

static void hup_reloads_and_a_bad_file_keeps_the_old_settings(void **state)
{
    (void)state;
    start_parent(&usual);
    wait_for("READY=1");
    write_settings("settings", "bad");
    kill(parent, SIGHUP);
    wait_for("RELOADING=1");
    wait_for("reload refused");
    wait_for("READY=1");
    write_settings("settings", "second");
    kill(parent, SIGHUP);
    assert_string_equal(wait_for("relay reload "), "second");
    assert_int_equal(end_parent(SIGTERM), 0);
}

static void a_renewed_link_and_a_rewritten_file_reload(void **state)
{
    char renewed[80];

    (void)state;
    start_parent(&usual);
    wait_for("READY=1");
    write_settings("settings", "rewritten");
    wait_for_both("relay reload rewritten", "READY=1");
    /* What certbot does: a new file, the link turned to it. */
    snprintf(renewed, sizeof(renewed), "%s/link.new", folder);
    write_settings("settings", "renewed");
    assert_int_equal(symlink(settings_path, renewed), 0);
    assert_int_equal(rename(renewed, link_path), 0);
    assert_string_equal(wait_for("relay reload "), "renewed");
    assert_int_equal(end_parent(SIGTERM), 0);
}

static void a_child_that_does_not_drain_is_killed_in_time(void **state)
{
    static const struct supervisor_role stubborn[] = {
        {"stubborn", run_stubborn, NULL}
    };
    static const struct supervisor_plan plan = {.roles = stubborn, .n_roles = 1, .drain_ms = 50};

    (void)state;
    start_parent(&plan);
    wait_for("stubborn pid ");
    assert_int_equal(end_parent(SIGTERM), 0);
}

static void children_die_with_the_parent(void **state)
{
    static const struct supervisor_role stubborn[] = {
        {"stubborn", run_stubborn, NULL}
    };
    static const struct supervisor_plan plan = {.roles = stubborn, .n_roles = 1};
    pid_t child;

    (void)state;
    start_parent(&plan);
    child = (pid_t)strtol(wait_for("stubborn pid "), NULL, 10);
    end_parent(SIGKILL);
    /* Its end cannot be waited for by a process that is not its parent: look until it is gone. */
    for (int i = 0; i < 2000 && kill(child, 0) == 0; i++) {
        char state_letter = '?', path[64];
        FILE *stat_file;

        snprintf(path, sizeof(path), "/proc/%d/stat", child);
        stat_file = fopen(path, "re");
        if (!stat_file || fscanf(stat_file, "%*d %*s %c", &state_letter) != 1 ||
            state_letter == 'Z')
            i = 2000;
        if (stat_file)
            fclose(stat_file);
        poll(NULL, 0, 5);
        assert_int_not_equal(i, 1999);
    }
}

static void a_hopeless_child_ends_it_all(void **state)
{
    static const struct supervisor_role hopeless[] = {
        {"hopeless", run_hopeless, NULL},
        {"signer",   run_signer,   NULL}
    };
    static const struct supervisor_plan plan = {.roles = hopeless, .n_roles = 2};
    int status;

    (void)state;
    start_parent(&plan);
    status = end_parent(0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SUPERVISOR_HOPELESS);
}

static void restarts_slow_down(void **state)
{
    static const struct supervisor_role crashing[] = {
        {"crashing", run_crashing, NULL}
    };
    static const struct supervisor_plan plan = {
        .roles = crashing, .n_roles = 1, .first_backoff_ms = 40, .longest_backoff_ms = 160};
    struct timespec start, end;
    double secs;

    (void)state;
    start_parent(&plan);
    wait_for("crash");
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 5; i++)
        wait_for("crash"); /* after 0, 40, 80, 160, 160 ms */
    clock_gettime(CLOCK_MONOTONIC, &end);
    secs = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    assert_true(secs >= 0.44);
    end_parent(SIGTERM);
}

static int64_t wait_after(unsigned n_failures, bool has_served)
{
    const struct supervisor_plan plan = {.first_backoff_ms = 100, .longest_backoff_ms = 10000};
    struct supervised_child child = {.started_ms = 5000, .channel_fd = -1, .is_ready = has_served};

    child.n_failures = n_failures;
    supervised_child_forget(&child);
    supervised_child_plan_restart(&child, &plan, 5100);
    return child.start_at_ms - 5100;
}

static void who_served_waits_a_second_at_most(void **state)
{
    (void)state;
    assert_int_equal(wait_after(0, true), 0);
    assert_int_equal(wait_after(3, true), 400);
    assert_int_equal(wait_after(12, true), 1000);
    assert_int_equal(wait_after(12, false), 10000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(children_start_with_what_they_need_and_a_pair_between_them),
        TEST(the_first_role_drains_before_the_second),
        TEST(a_child_that_dies_is_started_again_with_a_fresh_pair),
        TEST(a_child_that_lost_its_peer_gets_a_fresh_pair),
        TEST(a_child_that_asks_without_end_gets_one_pair_a_second),
        cmocka_unit_test(who_served_waits_a_second_at_most),
        TEST(signals_to_the_group_do_not_end_children),
        TEST(hup_reloads_and_a_bad_file_keeps_the_old_settings),
        TEST(a_renewed_link_and_a_rewritten_file_reload),
        TEST(a_child_that_does_not_drain_is_killed_in_time),
        TEST(children_die_with_the_parent),
        TEST(a_hopeless_child_ends_it_all),
        TEST(restarts_slow_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
