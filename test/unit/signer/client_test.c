/* What the relay asks of a signer that runs: signatures and keys. */
#include "test/support/test_support.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include "relay/base/crc32c.h"
#include "test/support/signer_fixture.h"

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
    prepare_signing(&asked, "Example.COM");
    ask_signing(&asked);
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
    prepare_signing(&asked, "news.shop.example.co.uk");
    ask_signing(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_string_equal(asked.domain, "example.co.uk");
    assert_int_equal(sign_for("other.co.uk"), SIGN_NO_KEY);
    assert_int_equal(sign_for("co.uk"), SIGN_NO_KEY);
}

static void an_idle_key_signs_only_when_named(void **state)
{
    struct asked asked;

    (void)state;
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "new", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    prepare_signing(&asked, "example.com");
    asked.request.selector = SLICE_LITERAL("new");
    ask_signing(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_string_equal(asked.selectors, "new");
    asked.request.selector = SLICE_LITERAL("old");
    asked.is_done = false;
    ask_signing(&asked);
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
    prepare_signing(&asked, "example.com");
    asked.request.crc ^= 1;
    ask_signing(&asked);
    assert_int_equal(asked.request.result, SIGN_DAMAGED);
    assert_string_equal(asked.header, "");

    prepare_signing(&asked, "example.com");
    asked.request.length += 1000; /* beyond the end of the file */
    ask_signing(&asked);
    assert_int_equal(asked.request.result, SIGN_DAMAGED);

    prepare_signing(&asked, "example.com");
    asked.request.fd = running.parent_fd; /* a socket: pread() fails */
    asked.request.once = true;
    ask_signing(&asked);
    assert_int_equal(asked.request.result, SIGN_FAILED);
}

static void many_requests_of_many_files_are_all_answered(void **state)
{
    enum { N_REQUESTS = 300, N_FILES = SIGNER_FILE_SLOTS + 10 };
    static struct asked all[N_REQUESTS];
    int fds[N_FILES];

    (void)state;
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "s", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell_key(KEY_ACTIVATE, "example.com", "s", 0, ""), KEY_OK);
    for (int i = 0; i < N_FILES; i++) { /* each has its own text, so a mix-up shows in the CRC */
        fds[i] = memfd_create("segment", MFD_CLOEXEC);
        assert_true(dprintf(fds[i], "From: a@example.com\r\nX: %d\r\n\r\nbody\r\n", i) > 0);
    }
    running.n_awaited = N_REQUESTS;
    for (int i = 0; i < N_REQUESTS; i++) {
        int file = (i * 7) % N_FILES;
        char text[100];
        int len =
            snprintf(text, sizeof(text), "From: a@example.com\r\nX: %d\r\n\r\nbody\r\n", file);

        prepare_signing(&all[i], "example.com");
        all[i].request.fd = fds[file];
        all[i].request.once = i % 5 == 0;
        all[i].request.length = (uint64_t)len;
        all[i].request.crc = crc32c(0, slice_from(text, (size_t)len));
        signer_sign(running.client, &all[i].request);
    }
    loop_run(running.loop);
    for (int i = 0; i < N_REQUESTS; i++)
        assert_int_equal(all[i].request.result, SIGN_OK);
    for (int i = 0; i < N_FILES; i++)
        close(fds[i]);
}

static void wake_signer(struct timer *timer)
{
    (void)timer;
    assert_int_equal(kill(running.signer_pid, SIGCONT), 0);
}

/* Full prefixes: more than a socket holds, so sending has to pause and go on. */
static void large_requests_wait_for_room(void **state)
{
    enum { N_REQUESTS = 120 };
    static struct asked all[N_REQUESTS];
    struct timer wake;
    CLEANUP(buffer) struct buffer prefix = BUFFER_INIT;

    (void)state;
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "s", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell_key(KEY_ACTIVATE, "example.com", "s", 0, ""), KEY_OK);
    while (prefix.len < SIGNER_PREFIX_MAX - 100)
        buffer_append_text(&prefix, "X-Campaign: words and words and words\r\n");
    running.n_awaited = N_REQUESTS;
    halt_signer();
    for (int i = 0; i < N_REQUESTS; i++) {
        prepare_signing(&all[i], "example.com");
        all[i].request.prefix = buffer_slice(&prefix);
        signer_sign(running.client, &all[i].request);
    }
    timer_init(&wake, running.loop, wake_signer);
    timer_set(&wake, 20); /* by then the socket is full */
    loop_run(running.loop);
    for (int i = 0; i < N_REQUESTS; i++)
        assert_int_equal(all[i].request.result, SIGN_OK);
    prepare_signing(&all[0], "example.com");
    buffer_append_text(&prefix, "X: and now it is above what a request may have; refused here ");
    while (prefix.len <= SIGNER_PREFIX_MAX)
        buffer_append_byte(&prefix, 'x');
    all[0].request.prefix = buffer_slice(&prefix);
    ask_signing(&all[0]);
    assert_int_equal(all[0].request.result, SIGN_FAILED);
}

static void a_forgotten_request_is_never_answered(void **state)
{
    struct asked kept, forgotten, unsent;

    (void)state;
    make_keys("example.com");
    prepare_signing(&forgotten, "example.com");
    prepare_signing(&unsent, "example.com");
    prepare_signing(&kept, "example.com");
    signer_sign(running.client, &unsent.request);
    signer_forget(&unsent.request.base);
    halt_signer();
    signer_sign(running.client, &forgotten.request);
    loop_stop(running.loop);
    loop_run(running.loop); /* one turn: it is on its way */
    assert_int_not_equal(forgotten.request.base.id, 0);
    signer_forget(&forgotten.request.base);
    memset(&forgotten, 0x55, sizeof(forgotten));
    assert_int_equal(kill(running.signer_pid, SIGCONT), 0);
    ask_signing(&kept);
    assert_int_equal(kept.request.result, SIGN_OK);
    assert_int_equal(forgotten.header[0], 0x55); /* untouched */
    assert_false(unsent.is_done);
}

static void keys_are_managed_with_exact_answers(void **state)
{
    (void)state;
    assert_int_equal(tell_key(KEY_SHOW, "example.com", "s1", 0, ""), KEY_UNKNOWN);
    assert_string_equal(running.key.why, "there is no key of that name");
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "s1", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(running.key.type, DKIM_KEY_ED25519);
    assert_int_equal(strlen(running.key.public_half), 44);
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "s1", DKIM_KEY_ED25519, ""), KEY_EXISTS);
    assert_int_equal(tell_key(KEY_CREATE, "example.com", "a/b", DKIM_KEY_ED25519, ""), KEY_REFUSED);
    assert_non_null(strstr(running.key.why, "the selector may have letters"));
    assert_int_equal(tell_key(KEY_IMPORT, "example.com", "s2", 0, "rubbish"), KEY_REFUSED);
    assert_string_equal(running.key.why, "this is not PEM: there is no -----BEGIN line");
    assert_int_equal(tell_key(KEY_ACTIVATE, "example.com", "s1", 0, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_OK);
    assert_int_equal(tell_key(KEY_DEACTIVATE, "example.com", "s1", 0, ""), KEY_OK);
    assert_false(running.key.is_active);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
    assert_int_equal(tell_key(KEY_DELETE, "example.com", "s1", 0, ""), KEY_OK);
    assert_int_equal(tell_key(KEY_DELETE, "example.com", "s1", 0, ""), KEY_UNKNOWN);
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

        snprintf(path, sizeof(path), "%s/s._domainkey.d%04d.example.com.rsa.idle", running.folder,
                 i);
        file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    signer_client_disconnect(running.client);
    loop_run(running.loop);
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
        running.n_awaited = 1;
        signer_key_list(running.client, &request);
        loop_run(running.loop);
    }
    assert_int_equal(listed.n_keys, N_KEYS);
    assert_int_equal(listed.n_pages, 2);
    assert_string_equal(listed.last_domain, "d1199.example.com");
}

static void the_opendkim_engine_signs_with_rsa_only(void **state)
{
    struct asked asked;

    (void)state;
    make_keys("example.com");
    prepare_signing(&asked, "example.com");
    ask_signing(&asked);
    assert_int_equal(asked.request.result, SIGN_OK);
    assert_string_equal(asked.selectors, "s1");
    assert_int_equal(count(asked.header, "DKIM-Signature: "), 1);
    assert_int_equal(tell_key(KEY_DELETE, "example.com", "s1", 0, ""), KEY_OK);
    assert_int_equal(sign_for("example.com"), SIGN_NO_KEY);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, signer_set_up, signer_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_message_gets_both_signatures),
        CASE(a_subdomain_is_signed_for_by_its_organisation),
        CASE(an_idle_key_signs_only_when_named),
        CASE(odd_domains_have_no_key),
        CASE(damaged_or_missing_bytes_are_told_apart_from_failure),
        CASE(many_requests_of_many_files_are_all_answered),
        CASE(large_requests_wait_for_room),
        CASE(a_forgotten_request_is_never_answered),
        CASE(keys_are_managed_with_exact_answers),
        CASE(long_lists_come_in_pages),
        cmocka_unit_test_setup_teardown(the_opendkim_engine_signs_with_rsa_only,
                                        signer_set_up_opendkim, signer_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
