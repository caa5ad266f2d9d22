/* The signer as a process: what it survives, what it gives up, what never leaves it, how it ends.
 */
#include "test/support/test_support.h"

#include <dirent.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "relay/net/channel.h"
#include "test/support/signer_fixture.h"

static void when_the_signer_dies_requests_end_and_later_go_on(void **state)
{
    enum { N_REQUESTS = 100 };
    static struct asked all[N_REQUESTS];
    unsigned n_down = 0;

    (void)state;
    make_keys("example.com");
    running.n_awaited = N_REQUESTS;
    halt_signer();
    for (int i = 0; i < N_REQUESTS; i++) {
        prepare_signing(&all[i], "example.com");
        signer_sign(running.client, &all[i].request);
    }
    assert_int_equal(kill(running.signer_pid, SIGKILL), 0);
    while (running.n_awaited)
        loop_run(running.loop);
    for (int i = 0; i < N_REQUESTS; i++)
        n_down += all[i].request.result == SIGN_DOWN;
    assert_int_equal(n_down, N_REQUESTS);
    while (running.n_changes_down == 0)
        loop_run(running.loop);
    assert_int_equal(running.n_changes_down, 1);
    assert_false(signer_client_is_up(running.client));
    assert_int_equal(sign_for("example.com"), SIGN_DOWN);
    assert_int_equal(tell_key(KEY_SHOW, "example.com", "s1", 0, ""), KEY_SIGNER_DOWN);
    wait_for_signer();

    start_signer();
    connect_client();
    assert_int_equal(running.n_changes_up, 2);
    assert_int_equal(sign_for("example.com"), SIGN_OK); /* the keys were on disk */
}

/* What a relay that was taken over may try.  The connection ends, nothing else does. */
static void a_malformed_datagram_ends_only_its_connection(void **state)
{
    static const char *const bad[] = {
        "x",
        "\xff\xff\xff\xff\x02",
        "\x09\x00\x00\x00\x02\x01\x00\x00\x00\x00\x00\x00\x00",         /* sign, no body */
        "\x09\x00\x00\x00\x63\x01\x00\x00\x00\x00\x00\x00\x00",         /* unknown kind */
        "\x0b\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", /* file, no descriptor */
    };
    static const size_t lengths[] = {1, 5, 13, 13, 15};

    (void)state;
    make_keys("example.com");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct channel_message message = {0};
        int fd;

        assert_int_equal(signer_link_add_loop(running.link_fd, &fd), 0);
        assert_int_equal(channel_send(fd, SIGNER_REQUESTS, slice_from(bad[i], lengths[i]), NULL, 0),
                         0);
        assert_int_equal(channel_receive(fd, &message), 0); /* closed */
        close(fd);
    }
    for (int i = 0; i < 2; i++) { /* not even ours; one descriptor too many */
        CLEANUP(buffer) struct buffer records = BUFFER_INIT;
        struct channel_message message = {0};
        int fd;

        assert_int_equal(signer_link_add_loop(running.link_fd, &fd), 0);
        wire_put_key_list(&records, 1, slice_of(""), slice_of(""));
        if (i == 0)
            assert_int_equal(send(fd, "hello", 5, 0), 5);
        else
            assert_int_equal(
                channel_send(fd, SIGNER_REQUESTS, buffer_slice(&records), &running.message_fd, 1),
                0);
        assert_int_equal(channel_receive(fd, &message), 0);
        close(fd);
    }
    assert_int_equal(sign_for("example.com"), SIGN_OK);
}

static int count_descriptors(pid_t pid)
{
    char path[64];
    DIR *dir;
    int n = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void descriptors_do_not_pile_up(void **state)
{
    int before, after;

    (void)state;
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "s", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell_key(KEY_ACTIVATE, "example.com", "s", 0, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_OK);
    before = count_descriptors(running.signer_pid);
    if (before < 0)
        skip(); /* not root: the signer is not dumpable, so its /proc is closed to us */
    for (int i = 0; i < 50; i++) {
        struct asked asked;

        prepare_signing(&asked, "example.com");
        asked.request.once = true;
        ask_signing(&asked);
        assert_int_equal(asked.request.result, SIGN_OK);
    }
    /* The answer leaves before the batch's descriptors are closed. */
    for (int i = 0; i < 2000 && (after = count_descriptors(running.signer_pid)) > before; i++)
        poll(NULL, 0, 1);
    assert_int_equal(after, before);
}

/* Everything the signer ever said to us in this test, searched for what must not be in it. */
static void no_reply_carries_a_private_key(void **state)
{
    CLEANUP(buffer) struct buffer requests = BUFFER_INIT;
    CLEANUP(buffer) struct buffer said = BUFFER_INIT;
    struct wire_key wire = {.domain = SLICE_LITERAL("example.com"), .pem = SLICE_LITERAL("")};
    int fd;

    (void)state;
    assert_int_equal(signer_link_add_loop(running.link_fd, &fd), 0);
    wire.selector = SLICE_LITERAL("s1");
    wire.type = DKIM_KEY_ED25519;
    for (wire.verb = KEY_CREATE; wire.verb <= KEY_DEACTIVATE; wire.verb++)
        wire_put_key(&requests, wire.verb, &wire);
    wire_put_key_list(&requests, 99, slice_of(""), slice_of(""));
    assert_int_equal(channel_send(fd, SIGNER_REQUESTS, buffer_slice(&requests), NULL, 0), 0);
    for (unsigned n_records = 0; n_records < 6;) {
        CLEANUP(channel_message) struct channel_message message = {0};
        struct reader datagram;
        struct signer_record record;

        assert_int_equal(channel_receive(fd, &message), 1);
        assert_int_equal(message.n_fds, 0);
        buffer_append(&said, buffer_slice(&message.bytes));
        datagram = (struct reader){.rest = buffer_slice(&message.bytes)};
        while (signer_record_next(&datagram, &record) == 1)
            n_records++;
    }
    close(fd);
    assert_true(slice_search(buffer_slice(&said), SLICE_LITERAL("PRIVATE")) < 0);
    assert_true(slice_search(buffer_slice(&said), SLICE_LITERAL("MC4CAQAw")) < 0); /* PKCS#8 */
    {
        char path[200], pem[400];
        FILE *file;
        size_t len;

        snprintf(path, sizeof(path), "%s/s1._domainkey.example.com.ed25519.idle", running.folder);
        file = fopen(path, "r");
        assert_non_null(file);
        len = fread(pem, 1, sizeof(pem), file);
        fclose(file);
        assert_true(len > 100);
        /* The second line is the key: its last 40 characters are the secret itself. */
        assert_true(slice_search(buffer_slice(&said), slice_from(strchr(pem, '\n') + 25, 20)) < 0);
    }
}

static void the_parents_end_is_the_end(void **state)
{
    int status;

    (void)state;
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY); /* it runs */
    assert_int_equal(kill(running.signer_pid, SIGTERM), 0); /* from a service manager: not obeyed */
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    status = wait_for_signer();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    while (signer_client_is_up(running.client))
        loop_run(running.loop);
}

static void draining_waits_for_the_relay(void **state)
{
    int status;

    (void)state;
    assert_int_equal(channel_send(running.parent_fd, CHANNEL_DRAIN, SLICE_LITERAL(""), NULL, 0), 0);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY); /* still served */
    close(running.link_fd); /* the relay may do so at any time: its channels count */
    running.link_fd = -1;
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    signer_client_disconnect(running.client);
    while (running.n_changes_down == 0)
        loop_run(running.loop);
    assert_int_equal(waitpid(running.signer_pid, &status, 0), running.signer_pid);
    running.signer_pid = 0;
    close(running.parent_fd);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The number behind a name in /proc/PID/status, or -1. */
static long status_of(pid_t pid, const char *name)
{
    char path[64], line[256];
    long value = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = strtol(line + strlen(name) + 1, NULL, 10);
    fclose(file);
    return value;
}

static void rights_are_dropped_before_a_key_is_made(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    struct stat status;
    char path[128];

    (void)state;
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY); /* it has started */
    assert_int_equal(status_of(running.signer_pid, "NoNewPrivs"), 1);
    if (geteuid() != 0)
        skip(); /* only root can become somebody else */
    signer_client_disconnect(running.client);
    while (running.n_changes_down == 0)
        loop_run(running.loop);
    wait_for_signer();
    assert_int_equal(rmdir(running.folder), 0); /* the signer makes it */
    running.user = "nobody";
    start_signer();
    running.user = NULL;
    connect_client();
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "s1", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(status_of(running.signer_pid, "Uid"), nobody->pw_uid);
    assert_int_equal(status_of(running.signer_pid, "Gid"), nobody->pw_gid);
    assert_int_equal(stat(running.folder, &status), 0);
    assert_int_equal(status.st_uid, nobody->pw_uid);
    assert_int_equal(status.st_mode & 07777, 0700);
    snprintf(path, sizeof(path), "%s/s1._domainkey.example.com.ed25519.idle", running.folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, nobody->pw_uid);
    assert_int_equal(status.st_mode & 07777, 0600);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, signer_set_up, signer_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(when_the_signer_dies_requests_end_and_later_go_on),
        CASE(a_malformed_datagram_ends_only_its_connection),
        CASE(descriptors_do_not_pile_up),
        CASE(no_reply_carries_a_private_key),
        CASE(the_parents_end_is_the_end),
        CASE(draining_waits_for_the_relay),
        CASE(rights_are_dropped_before_a_key_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
