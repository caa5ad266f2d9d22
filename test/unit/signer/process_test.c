#include "test/support/test_support.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "relay/base/crc32c.h"
#include "relay/net/channel.h"
#include "signer/client.h"
#include "signer/process.h"
#include "test/support/dkim_samples.h"

/* What the parent and the relay hold in the real service. */
static char folder[64];
static pid_t signer_pid;
static int parent_fd, link_fd, message_fd;
static struct loop *loop;
static struct signer_client *client;
static int n_changes_up, n_changes_down;
static enum signer_engine engine;
static const char *user;

static void on_change(void *owner, bool is_up)
{
    (void)owner;
    if (is_up)
        n_changes_up++;
    else
        n_changes_down++;
    loop_stop(loop);
}

/* The signer, and a link to it. */
static void start_signer(void)
{
    struct signer_settings settings = {
        .key_dir = folder, .user = user, .engine = engine, .n_workers = 2};
    int supervision[2], ends[2];

    assert_int_equal(channel_pair(supervision), 0);
    assert_int_equal(channel_pair(ends), 0);
    signer_pid = fork();
    assert_true(signer_pid >= 0);
    if (signer_pid == 0) {
        close(supervision[0]);
        close(ends[0]);
        close(ends[1]);
        _exit(signer_serve(supervision[1], &settings));
    }
    close(supervision[1]);
    parent_fd = supervision[0];
    link_fd = ends[0];
    assert_int_equal(channel_send(parent_fd, CHANNEL_PEER, SLICE_LITERAL(""), &ends[1], 1), 0);
    close(ends[1]);
}

static int wait_for_signer(void)
{
    int status;

    close_fd_cleanup(&parent_fd);
    close_fd_cleanup(&link_fd);
    parent_fd = link_fd = -1;
    assert_int_equal(waitpid(signer_pid, &status, 0), signer_pid);
    signer_pid = 0;
    return status;
}

static void connect_client(void)
{
    int fd;

    assert_int_equal(signer_link_add_loop(link_fd, &fd), 0);
    assert_int_equal(signer_client_connect(client, fd), 0);
    loop_run(loop); /* until on_change */
    assert_true(signer_client_is_up(client));
}

static int set_up_for(enum signer_engine wanted)
{
    engine = wanted;
    n_changes_up = n_changes_down = 0;
    snprintf(folder, sizeof(folder), "/tmp/staffetta-signer-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    message_fd = memfd_create("segment", MFD_CLOEXEC);
    if (write(message_fd, dkim_sample, sizeof(dkim_sample) - 1) < 0)
        return -1;
    if (loop_new(&loop, 0, 16) || signer_client_new(&client, loop, on_change, NULL))
        return -1;
    start_signer();
    connect_client();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_for(SIGNER_NATIVE);
}

static int set_up_opendkim(void **state)
{
    (void)state;
    return set_up_for(SIGNER_OPENDKIM);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    if (signer_client_is_up(client)) {
        signer_client_disconnect(client);
        loop_run(loop);
    }
    client = signer_client_free(client);
    loop = loop_free(loop);
    close(message_fd);
    if (signer_pid)
        wait_for_signer();
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

/* A request and a copy of its answer. */
struct asked {
    struct sign_request request;
    char header[4096], domain[64], selectors[64];
    bool is_done;
};

static unsigned n_awaited;

static void count_answer(void)
{
    if (--n_awaited == 0)
        loop_stop(loop);
}

static void on_signed(struct sign_request *request)
{
    struct asked *asked = CONTAINER_OF(request, struct asked, request);

    assert_false(asked->is_done);
    assert_true(slice_copy_to(request->header, asked->header, sizeof(asked->header)));
    assert_true(slice_copy_to(request->signed_domain, asked->domain, sizeof(asked->domain)));
    assert_true(slice_copy_to(request->selectors, asked->selectors, sizeof(asked->selectors)));
    asked->is_done = true;
    count_answer();
}

static void prepare(struct asked *asked, const char *domain)
{
    struct slice message = SLICE_LITERAL(dkim_sample);

    *asked = (struct asked){
        .request = {.done = on_signed,
                    .fd = message_fd,
                    .length = message.len,
                    .crc = crc32c(0, message),
                    .prefix = SLICE_LITERAL(""),
                    .domain = slice_of(domain),
                    .selector = SLICE_LITERAL("")}
    };
}

static void ask(struct asked *asked)
{
    n_awaited = 1;
    signer_sign(client, &asked->request);
    assert_false(asked->is_done); /* never inside the call */
    loop_run(loop);
    assert_true(asked->is_done);
}

static enum sign_result sign_for(const char *domain)
{
    static struct asked asked;

    prepare(&asked, domain);
    ask(&asked);
    return asked.request.result;
}

/* A key request and a copy of its answer. */
static struct {
    enum key_result result;
    enum dkim_key_type type;
    unsigned bits;
    bool is_active;
    char why[200], public_half[1200];
} key;

static void on_key(struct key_request *request)
{
    key.result = request->result;
    key.type = request->found_type;
    key.bits = request->bits;
    key.is_active = request->is_active;
    assert_true(slice_copy_to(request->why, key.why, sizeof(key.why)));
    assert_true(slice_copy_to(request->public_half, key.public_half, sizeof(key.public_half)));
    count_answer();
}

static enum key_result tell(enum key_verb verb, const char *domain, const char *selector,
                            enum dkim_key_type type, const char *pem)
{
    struct key_request request = {.done = on_key,
                                  .verb = verb,
                                  .type = type,
                                  .domain = slice_of(domain),
                                  .selector = slice_of(selector),
                                  .pem = slice_of(pem)};

    n_awaited = 1;
    signer_key(client, &request);
    loop_run(loop);
    return key.result;
}

static void make_keys(const char *domain)
{
    assert_int_equal(tell(KEY_CREATE, domain, "s1", DKIM_KEY_RSA, ""), KEY_OK);
    assert_int_equal(key.bits, 2048);
    assert_false(key.is_active);
    assert_int_equal(tell(KEY_CREATE, domain, "s1-ed", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell(KEY_ACTIVATE, domain, "s1", 0, ""), KEY_OK);
    assert_true(key.is_active);
    assert_int_equal(tell(KEY_ACTIVATE, domain, "s1-ed", 0, ""), KEY_OK);
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part))) {
        n++;
        text++;
    }
    return n;
}

static void a_message_gets_both_signatures(void **state)
{
    struct asked asked;

    (void)state;
    make_keys("example.com");
    prepare(&asked, "Example.COM");
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_int_equal(asked.request.n_signatures, 2);
    assert_string_equal(asked.domain, "example.com");
    assert_string_equal(asked.selectors, "s1,s1-ed");
    assert_int_equal(count(asked.header, "DKIM-Signature: "), 2);
    assert_int_equal(count(asked.header, "a=rsa-sha256"), 1);
    assert_int_equal(count(asked.header, "a=ed25519-sha256"), 1);
}

static void a_subdomain_is_signed_for_by_its_organisation(void **state)
{
    struct asked asked;

    (void)state;
    make_keys("example.co.uk");
    prepare(&asked, "news.shop.example.co.uk");
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_string_equal(asked.domain, "example.co.uk");
    assert_int_equal(sign_for("other.co.uk"), SIGN_NO_KEY);
    assert_int_equal(sign_for("co.uk"), SIGN_NO_KEY);
}

static void an_idle_key_signs_only_when_named(void **state)
{
    struct asked asked;

    (void)state;
    assert_int_equal(tell(KEY_CREATE, "example.com", "new", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    prepare(&asked, "example.com");
    asked.request.selector = SLICE_LITERAL("new");
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_string_equal(asked.selectors, "new");
    asked.request.selector = SLICE_LITERAL("old");
    asked.is_done = false;
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_NO_KEY);
}

static void odd_domains_have_no_key(void **state)
{
    static char long_domain[400];

    (void)state;
    memset(long_domain, 'a', sizeof(long_domain) - 1);
    assert_int_equal(sign_for(""), SIGN_NO_KEY);
    assert_int_equal(sign_for(long_domain), SIGN_NO_KEY);
    assert_int_equal(sign_for("../../etc"), SIGN_NO_KEY);
    assert_int_equal(sign_for("b\xc3\xbc"
                              "cher.example"),
                     SIGN_NO_KEY);
}

static void damaged_or_missing_bytes_are_told_apart_from_failure(void **state)
{
    struct asked asked;

    (void)state;
    make_keys("example.com");
    prepare(&asked, "example.com");
    asked.request.crc ^= 1;
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_DAMAGED);
    assert_string_equal(asked.header, "");

    prepare(&asked, "example.com");
    asked.request.length += 1000; /* beyond the end of the file */
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_DAMAGED);

    prepare(&asked, "example.com");
    asked.request.fd = parent_fd; /* a socket: pread() fails */
    asked.request.once = true;
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_FAILED);
}

static void many_requests_of_many_files_are_all_answered(void **state)
{
    enum { N_REQUESTS = 300, N_FILES = SIGNER_FILE_SLOTS + 10 };
    static struct asked all[N_REQUESTS];
    int fds[N_FILES];

    (void)state;
    assert_int_equal(tell(KEY_CREATE, "example.com", "s", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell(KEY_ACTIVATE, "example.com", "s", 0, ""), KEY_OK);
    for (int i = 0; i < N_FILES; i++) { /* each has its own text, so a mix-up shows in the CRC */
        fds[i] = memfd_create("segment", MFD_CLOEXEC);
        assert_true(dprintf(fds[i], "From: a@example.com\r\nX: %d\r\n\r\nbody\r\n", i) > 0);
    }
    n_awaited = N_REQUESTS;
    for (int i = 0; i < N_REQUESTS; i++) {
        int file = (i * 7) % N_FILES;
        char text[100];
        int len =
            snprintf(text, sizeof(text), "From: a@example.com\r\nX: %d\r\n\r\nbody\r\n", file);

        prepare(&all[i], "example.com");
        all[i].request.fd = fds[file];
        all[i].request.once = i % 5 == 0;
        all[i].request.length = (uint64_t)len;
        all[i].request.crc = crc32c(0, slice_from(text, (size_t)len));
        signer_sign(client, &all[i].request);
    }
    loop_run(loop);
    for (int i = 0; i < N_REQUESTS; i++)
        assert_int_equal(all[i].request.result, SIGN_OK);
    for (int i = 0; i < N_FILES; i++)
        close(fds[i]);
}

static void wake_signer(struct timer *timer)
{
    (void)timer;
    assert_int_equal(kill(signer_pid, SIGCONT), 0);
}

/* Full prefixes: more than a socket holds, so sending has to pause and go on. */
static void large_requests_wait_for_room(void **state)
{
    enum { N_REQUESTS = 120 };
    static struct asked all[N_REQUESTS];
    struct timer wake;
    CLEANUP(buffer) struct buffer prefix = BUFFER_INIT;

    (void)state;
    assert_int_equal(tell(KEY_CREATE, "example.com", "s", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell(KEY_ACTIVATE, "example.com", "s", 0, ""), KEY_OK);
    while (prefix.len < SIGNER_PREFIX_MAX - 100)
        buffer_append_text(&prefix, "X-Campaign: words and words and words\r\n");
    n_awaited = N_REQUESTS;
    assert_int_equal(kill(signer_pid, SIGSTOP), 0);
    for (int i = 0; i < N_REQUESTS; i++) {
        prepare(&all[i], "example.com");
        all[i].request.prefix = buffer_slice(&prefix);
        signer_sign(client, &all[i].request);
    }
    timer_init(&wake, loop, wake_signer);
    timer_set(&wake, 20); /* by then the socket is full */
    loop_run(loop);
    for (int i = 0; i < N_REQUESTS; i++)
        assert_int_equal(all[i].request.result, SIGN_OK);
    prepare(&all[0], "example.com");
    buffer_append_text(&prefix, "X: and now it is above what a request may have; refused here ");
    while (prefix.len <= SIGNER_PREFIX_MAX)
        buffer_append_byte(&prefix, 'x');
    all[0].request.prefix = buffer_slice(&prefix);
    ask(&all[0]);
    assert_int_equal(all[0].request.result, SIGN_FAILED);
}

static void a_forgotten_request_is_never_answered(void **state)
{
    struct asked kept, forgotten, unsent;

    (void)state;
    make_keys("example.com");
    prepare(&forgotten, "example.com");
    prepare(&unsent, "example.com");
    prepare(&kept, "example.com");
    signer_sign(client, &unsent.request);
    signer_forget(&unsent.request.base);
    assert_int_equal(kill(signer_pid, SIGSTOP), 0);
    signer_sign(client, &forgotten.request);
    loop_stop(loop);
    loop_run(loop); /* one turn: it is on its way */
    assert_int_not_equal(forgotten.request.base.id, 0);
    signer_forget(&forgotten.request.base);
    memset(&forgotten, 0x55, sizeof(forgotten));
    assert_int_equal(kill(signer_pid, SIGCONT), 0);
    ask(&kept);
    assert_int_equal(kept.request.result, SIGN_OK);
    assert_int_equal(forgotten.header[0], 0x55); /* untouched */
    assert_false(unsent.is_done);
}

static void when_the_signer_dies_requests_end_and_later_go_on(void **state)
{
    enum { N_REQUESTS = 100 };
    static struct asked all[N_REQUESTS];
    unsigned n_down = 0;

    (void)state;
    make_keys("example.com");
    n_awaited = N_REQUESTS;
    assert_int_equal(kill(signer_pid, SIGSTOP), 0);
    for (int i = 0; i < N_REQUESTS; i++) {
        prepare(&all[i], "example.com");
        signer_sign(client, &all[i].request);
    }
    assert_int_equal(kill(signer_pid, SIGKILL), 0);
    while (n_awaited)
        loop_run(loop);
    for (int i = 0; i < N_REQUESTS; i++)
        n_down += all[i].request.result == SIGN_DOWN;
    assert_int_equal(n_down, N_REQUESTS);
    while (n_changes_down == 0)
        loop_run(loop);
    assert_int_equal(n_changes_down, 1);
    assert_false(signer_client_is_up(client));
    assert_int_equal(sign_for("example.com"), SIGN_DOWN);
    assert_int_equal(tell(KEY_SHOW, "example.com", "s1", 0, ""), KEY_SIGNER_DOWN);
    wait_for_signer();

    start_signer();
    connect_client();
    assert_int_equal(n_changes_up, 2);
    assert_int_equal(sign_for("example.com"), SIGN_OK); /* the keys were on disk */
}

static void keys_are_managed_with_exact_answers(void **state)
{
    (void)state;
    assert_int_equal(tell(KEY_SHOW, "example.com", "s1", 0, ""), KEY_UNKNOWN);
    assert_string_equal(key.why, "there is no key of that name");
    assert_int_equal(tell(KEY_CREATE, "example.com", "s1", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(key.type, DKIM_KEY_ED25519);
    assert_int_equal(strlen(key.public_half), 44);
    assert_int_equal(tell(KEY_CREATE, "example.com", "s1", DKIM_KEY_ED25519, ""), KEY_EXISTS);
    assert_int_equal(tell(KEY_CREATE, "example.com", "a/b", DKIM_KEY_ED25519, ""), KEY_REFUSED);
    assert_non_null(strstr(key.why, "the selector may have letters"));
    assert_int_equal(tell(KEY_IMPORT, "example.com", "s2", 0, "rubbish"), KEY_REFUSED);
    assert_string_equal(key.why, "this is not PEM: there is no -----BEGIN line");
    assert_int_equal(tell(KEY_ACTIVATE, "example.com", "s1", 0, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_OK);
    assert_int_equal(tell(KEY_DEACTIVATE, "example.com", "s1", 0, ""), KEY_OK);
    assert_false(key.is_active);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    assert_int_equal(tell(KEY_DELETE, "example.com", "s1", 0, ""), KEY_OK);
    assert_int_equal(tell(KEY_DELETE, "example.com", "s1", 0, ""), KEY_UNKNOWN);
}

static struct {
    unsigned n_keys, n_pages;
    char last_domain[64], last_selector[64];
    bool has_more;
} listed;

static void on_list(struct key_list_request *request)
{
    struct wire_key_item item;

    assert_int_equal(request->result, KEY_OK);
    while (wire_get_key_item(&request->keys, &item)) {
        listed.n_keys++;
        slice_copy_to(item.domain, listed.last_domain, sizeof(listed.last_domain));
        slice_copy_to(item.selector, listed.last_selector, sizeof(listed.last_selector));
    }
    assert_false(request->keys.failed);
    listed.has_more = request->has_more;
    listed.n_pages++;
    count_answer();
}

static void long_lists_come_in_pages(void **state)
{
    enum { N_KEYS = 1200 };

    (void)state;
    for (int i = 0; i < N_KEYS; i++) { /* straight into the folder: names are read at start */
        char path[200];
        FILE *file;

        snprintf(path, sizeof(path), "%s/s._domainkey.d%04d.example.com.rsa.idle", folder, i);
        file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    signer_client_disconnect(client);
    loop_run(loop);
    wait_for_signer();
    start_signer();
    connect_client();
    listed.has_more = true;
    while (listed.has_more) {
        char domain[64], selector[64];
        struct key_list_request request = {.done = on_list};

        strcpy(domain, listed.last_domain);
        strcpy(selector, listed.last_selector);
        request.after_domain = slice_of(domain);
        request.after_selector = slice_of(selector);
        n_awaited = 1;
        signer_key_list(client, &request);
        loop_run(loop);
    }
    assert_int_equal(listed.n_keys, N_KEYS);
    assert_int_equal(listed.n_pages, 2);
    assert_string_equal(listed.last_domain, "d1199.example.com");
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

        assert_int_equal(signer_link_add_loop(link_fd, &fd), 0);
        assert_int_equal(channel_send(fd, SIGNER_REQUESTS, slice_from(bad[i], lengths[i]), NULL, 0),
                         0);
        assert_int_equal(channel_receive(fd, &message), 0); /* closed */
        close(fd);
    }
    for (int i = 0; i < 2; i++) { /* not even ours; one descriptor too many */
        CLEANUP(buffer) struct buffer records = BUFFER_INIT;
        struct channel_message message = {0};
        int fd;

        assert_int_equal(signer_link_add_loop(link_fd, &fd), 0);
        wire_put_key_list(&records, 1, slice_of(""), slice_of(""));
        if (i == 0)
            assert_int_equal(send(fd, "hello", 5, 0), 5);
        else
            assert_int_equal(
                channel_send(fd, SIGNER_REQUESTS, buffer_slice(&records), &message_fd, 1), 0);
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
    assert_int_equal(tell(KEY_CREATE, "example.com", "s", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell(KEY_ACTIVATE, "example.com", "s", 0, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_OK);
    before = count_descriptors(signer_pid);
    if (before < 0)
        skip(); /* not root: the signer is not dumpable, so its /proc is closed to us */
    for (int i = 0; i < 50; i++) {
        struct asked asked;

        prepare(&asked, "example.com");
        asked.request.once = true;
        ask(&asked);
        assert_int_equal(asked.request.result, SIGN_OK);
    }
    /* The answer leaves before the batch's descriptors are closed. */
    for (int i = 0; i < 2000 && (after = count_descriptors(signer_pid)) > before; i++)
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
    assert_int_equal(signer_link_add_loop(link_fd, &fd), 0);
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

        snprintf(path, sizeof(path), "%s/s1._domainkey.example.com.ed25519.idle", folder);
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
    assert_int_equal(kill(signer_pid, SIGTERM), 0);         /* from a service manager: not obeyed */
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    status = wait_for_signer();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    while (signer_client_is_up(client))
        loop_run(loop);
}

static void draining_waits_for_the_relay(void **state)
{
    int status;

    (void)state;
    assert_int_equal(channel_send(parent_fd, CHANNEL_DRAIN, SLICE_LITERAL(""), NULL, 0), 0);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY); /* still served */
    close(link_fd); /* the relay may do so at any time: its channels count */
    link_fd = -1;
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    signer_client_disconnect(client);
    while (n_changes_down == 0)
        loop_run(loop);
    assert_int_equal(waitpid(signer_pid, &status, 0), signer_pid);
    signer_pid = 0;
    close(parent_fd);
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
    assert_int_equal(status_of(signer_pid, "NoNewPrivs"), 1);
    if (geteuid() != 0)
        skip();
    signer_client_disconnect(client);
    while (n_changes_down == 0)
        loop_run(loop);
    wait_for_signer();
    assert_int_equal(rmdir(folder), 0); /* the signer makes it */
    user = "nobody";
    start_signer();
    user = NULL;
    connect_client();
    assert_int_equal(tell(KEY_CREATE, "example.com", "s1", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(status_of(signer_pid, "Uid"), nobody->pw_uid);
    assert_int_equal(status_of(signer_pid, "Gid"), nobody->pw_gid);
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_uid, nobody->pw_uid);
    assert_int_equal(status.st_mode & 07777, 0700);
    snprintf(path, sizeof(path), "%s/s1._domainkey.example.com.ed25519.idle", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, nobody->pw_uid);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void the_opendkim_engine_signs_with_rsa_only(void **state)
{
    struct asked asked;

    (void)state;
    make_keys("example.com");
    prepare(&asked, "example.com");
    ask(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_string_equal(asked.selectors, "s1");
    assert_int_equal(count(asked.header, "DKIM-Signature: "), 1);
    assert_int_equal(tell(KEY_DELETE, "example.com", "s1", 0, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_message_gets_both_signatures),
        CASE(a_subdomain_is_signed_for_by_its_organisation),
        CASE(an_idle_key_signs_only_when_named),
        CASE(odd_domains_have_no_key),
        CASE(damaged_or_missing_bytes_are_told_apart_from_failure),
        CASE(many_requests_of_many_files_are_all_answered),
        CASE(large_requests_wait_for_room),
        CASE(a_forgotten_request_is_never_answered),
        CASE(when_the_signer_dies_requests_end_and_later_go_on),
        CASE(keys_are_managed_with_exact_answers),
        CASE(long_lists_come_in_pages),
        CASE(a_malformed_datagram_ends_only_its_connection),
        CASE(descriptors_do_not_pile_up),
        CASE(no_reply_carries_a_private_key),
        CASE(the_parents_end_is_the_end),
        CASE(draining_waits_for_the_relay),
        CASE(rights_are_dropped_before_a_key_is_made),
        cmocka_unit_test_setup_teardown(the_opendkim_engine_signs_with_rsa_only, set_up_opendkim,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
