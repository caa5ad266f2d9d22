#include "test/unit/relay/net/stream_support.h"

#include <openssl/ssl.h>

#include "relay/base/clock.h"
#include "relay/net/stream_private.h"
#include "relay/net/tls_tickets.h"

static struct tls_tickets *tickets;
static struct tls_pem pems[2]; /* mail.example.org, other.example.net */
static struct tls_context *server;
static struct tls_client *may, *verify;
static char why[TLS_WHY_SIZE];

static struct tls_context *make_server(void)
{
    const struct tls_identity identities[] = {
        {"default",      slice_of(pems[0].certificate), slice_of(pems[0].key)},
        {"by-its-names", slice_of(pems[1].certificate), slice_of(pems[1].key)},
    };
    struct tls_context *context = NULL;

    assert_int_equal(tls_server_context_new(&context, identities, 2, tickets, why), 0);
    return context;
}

static int set_up(void **state)
{
    if (open_loop(state) < 0 || tls_tickets_new(&tickets) < 0 ||
        tls_make_self_signed("mail.example.org", &pems[0]) < 0 ||
        tls_make_self_signed("other.example.net", &pems[1]) < 0)
        return -1;
    server = make_server();
    if (tls_client_new(&may, TLS_CLIENT_MAY, (struct slice){0}, why) < 0)
        return -1;
    return tls_client_new(&verify, TLS_CLIENT_VERIFY, slice_of(pems[0].certificate), why);
}

static int tear_down(void **state)
{
    close_loop(state);
    server = tls_context_unref(server);
    may = tls_client_free(may);
    verify = tls_client_free(verify);
    tickets = tls_tickets_unref(tickets);
    tls_pem_fini(&pems[0]);
    tls_pem_fini(&pems[1]);
    return 0;
}

/* left is the client, right the server. */
static void shake_hands(struct tls_context *context, struct tls_client *client, const char *name)
{
    open_both();
    assert_int_equal(stream_start_tls_server(right.stream, context), 0);
    assert_int_equal(stream_start_tls_client(left.stream, client, name), 0);
    RUN_UNTIL((left.n_secured || left.n_ends) && (right.n_secured || right.n_ends));
}

static void close_streams(void)
{
    left.stream = stream_free(left.stream);
    right.stream = stream_free(right.stream);
    left.n_secured = right.n_secured = left.n_ends = right.n_ends = 0;
    buffer_clear(&left.received);
    buffer_clear(&right.received);
}

/* One message each way, so that the tickets behind the handshake are read too. */
static void exchange(void)
{
    write_text(&right, "220 hello\r\n");
    write_text(&left, "EHLO x\r\n");
    RUN_UNTIL(left.received.len == 11 && right.received.len == 8);
}

static void a_handshake_gives_version_and_cipher(void **state)
{
    (void)state;
    shake_hands(server, may, "mail.example.org");
    assert_int_equal(left.n_secured, 1);
    assert_int_equal(strncmp(stream_describe_tls(left.stream), "TLSv1.3 TLS_", 12), 0);
    assert_string_equal(stream_describe_tls(left.stream), stream_describe_tls(right.stream));
    assert_false(stream_tls_is_verified(left.stream));
    assert_false(stream_tls_was_resumed(left.stream));
    exchange();
    assert_slice_is(buffer_slice(&left.received), "220 hello\r\n");
    assert_slice_is(buffer_slice(&right.received), "EHLO x\r\n");
}

static void a_verifying_client_wants_chain_and_name(void **state)
{
    (void)state;
    shake_hands(server, verify, "mail.example.org.");
    assert_int_equal(left.n_secured, 1);
    assert_true(stream_tls_is_verified(left.stream));
    close_streams();

    shake_hands(server, verify, "wrong.example.org");
    assert_int_equal(left.n_secured, 0);
    assert_int_equal(left.end, STREAM_TLS_FAILED);
    assert_string_equal(left.detail, "certificate refused: hostname mismatch");
    close_streams();

    shake_hands(server, verify, "other.example.net"); /* the right name, an unknown authority */
    assert_int_equal(left.end, STREAM_TLS_FAILED);
    assert_non_null(strstr(left.detail, "self-signed certificate"));
}

static void sni_chooses_the_certificate(void **state)
{
    struct tls_client *other;

    (void)state;
    assert_int_equal(tls_client_new(&other, TLS_CLIENT_VERIFY, slice_of(pems[1].certificate), why),
                     0);
    shake_hands(server, other, "OTHER.example.net");
    assert_int_equal(left.n_secured, 1);
    assert_true(stream_tls_is_verified(left.stream));
    close_streams();
    shake_hands(server, verify, "mail.example.org");
    assert_int_equal(left.n_secured, 1);
    close_streams();
    shake_hands(server, may, "unknown.example"); /* gets the default one, and does not mind */
    assert_int_equal(left.n_secured, 1);
    close_streams();
    tls_client_free(other);
}

static bool connect_again(struct tls_context *context, struct tls_client *client)
{
    bool was_resumed;

    shake_hands(context, client, "mail.example.org");
    assert_int_equal(left.n_secured, 1);
    exchange();
    was_resumed = stream_tls_was_resumed(left.stream);
    assert_int_equal(was_resumed, stream_tls_was_resumed(right.stream));
    close_streams();
    return was_resumed;
}

static void sessions_resume_also_under_another_context_of_the_same_tickets(void **state)
{
    struct tls_context *reloaded = make_server();
    struct tls_context *elsewhere;
    struct tls_tickets *own = tickets;
    int n_resumed = 0;

    (void)state;
    assert_false(connect_again(server, may));
    assert_int_equal(tls_client_n_sessions(may), 1);
    for (int i = 0; i < 5; i++)
        n_resumed += connect_again(i % 2 ? reloaded : server, may);
    assert_int_equal(n_resumed, 5);
    assert_false(connect_again(server, verify)); /* never a session of another policy */
    assert_true(connect_again(reloaded, verify));

    assert_int_equal(tls_tickets_new(&tickets), 0);
    elsewhere = make_server();
    assert_false(connect_again(elsewhere, may)); /* keys it does not know: a full handshake */
    tls_context_unref(elsewhere);
    tls_context_unref(reloaded);
    tls_tickets_unref(tickets);
    tickets = own;
}

static void ticket_keys_change_every_hour_and_are_forgotten(void **state)
{
    const int64_t hour_ms = TICKET_PERIOD_MS;
    int64_t now_ms = clock_monotonic_ms();
    struct ticket_key first, second, found;
    bool is_current;

    (void)state;
    tls_tickets_current(tickets, now_ms, &first);
    assert_true(tls_tickets_find(tickets, now_ms, first.name, &found, &is_current));
    assert_true(is_current);
    tls_tickets_current(tickets, now_ms + hour_ms, &second);
    assert_memory_not_equal(&first, &second, sizeof(first));
    assert_true(tls_tickets_find(tickets, now_ms + 2 * hour_ms, first.name, &found, &is_current));
    assert_memory_equal(&first, &found, sizeof(first));
    assert_false(is_current);
    assert_false(tls_tickets_find(tickets, now_ms + 3 * hour_ms, first.name, &found, &is_current));
    assert_true(tls_tickets_find(tickets, now_ms + 3 * hour_ms, second.name, &found, &is_current));
    assert_false(
        tls_tickets_find(tickets, now_ms + 900 * hour_ms, second.name, &found, &is_current));
}

static void text_before_the_handshake_is_never_text_inside(void **state)
{
    int fd;
    char reply[32] = "";

    (void)state;
    open_left(&fd);
    left.keeps_input = true;
    assert_int_equal(write(fd, "STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n", 40), 40);
    RUN_UNTIL(left.n_inputs);
    stream_consume(left.stream, 10);
    write_text(&left, "220 go ahead\r\n");
    assert_int_equal(stream_start_tls_server(left.stream, server), 0);
    assert_int_equal(stream_input(left.stream).len, 0);
    while (read(fd, reply, sizeof(reply)) < 0) { /* the reply leaves in clear, before TLS */
        loop_stop(loop);
        loop_run(loop);
    }
    assert_string_equal(reply, "220 go ahead\r\n");
    assert_int_equal(stream_new(&right.stream, loop, fd, &peer_handlers, &right), 0);
    assert_int_equal(stream_start_tls_client(right.stream, may, NULL), 0);
    RUN_UNTIL(left.n_secured && right.n_secured);
    left.keeps_input = false;
    write_text(&right, "EHLO x\r\n");
    RUN_UNTIL(left.received.len);
    assert_slice_is(buffer_slice(&left.received), "EHLO x\r\n");
}

/* Injected text that is still in the kernel when TLS starts breaks the handshake. */
static void text_in_the_kernel_breaks_the_handshake(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    assert_int_equal(stream_start_tls_server(left.stream, server), 0);
    assert_int_equal(write(fd, "MAIL FROM:<evil@example.org>\r\n", 30), 30);
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_TLS_FAILED);
    assert_non_null(strstr(left.detail, "TLS handshake: "));
    close(fd);
}

static void a_peer_that_goes_away_in_the_handshake_is_told_so(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    assert_int_equal(stream_start_tls_server(left.stream, server), 0);
    close(fd);
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_TLS_FAILED);
}

/* A client with OpenSSL's own settings, to offer what ours never would. */
static void handshake_with(const char *ciphers, int version, bool is_accepted)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    int fd;

    SSL_CTX_set_cipher_list(context, ciphers);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, version);
    ssl = SSL_new(context);
    SSL_set_security_level(ssl, 0);
    open_left(&fd);
    SSL_set_fd(ssl, fd);
    assert_int_equal(stream_start_tls_server(left.stream, server), 0);
    while (!left.n_secured && !left.n_ends) {
        SSL_connect(ssl);
        loop_stop(loop);
        loop_run(loop);
    }
    assert_int_equal(left.n_secured, is_accepted);
    if (!is_accepted)
        assert_int_equal(left.end, STREAM_TLS_FAILED);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    left.n_secured = left.n_ends = 0;
    left.stream = stream_free(left.stream);
}

static void only_modern_versions_and_ciphers_are_spoken(void **state)
{
    (void)state;
    handshake_with("ALL:@SECLEVEL=0", TLS1_1_VERSION, false);
    handshake_with("ALL:@SECLEVEL=0", TLS1_2_VERSION, true);
    handshake_with("ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION, true);
    handshake_with("ECDHE-ECDSA-CHACHA20-POLY1305", TLS1_2_VERSION, true);
    handshake_with("ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", TLS1_2_VERSION, false);
    handshake_with("ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0", TLS1_2_VERSION, false);
    handshake_with("AECDH-AES256-SHA:aNULL:@SECLEVEL=0", TLS1_2_VERSION, false);
    handshake_with("DHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:@SECLEVEL=0", TLS1_2_VERSION,
                   false);
}

static void large_messages_pass_through_tls_in_order(void **state)
{
    enum { TOTAL = 1500000 };
    static char bytes[TOTAL];
    size_t written = 0;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (char)(i * 13 >> 4);
    shake_hands(server, may, NULL);
    while (right.received.len < TOTAL) {
        size_t room = stream_output_room(left.stream);
        struct slice next = slice_head(slice_from(bytes + written, TOTAL - written), room);

        assert_int_equal(stream_write(left.stream, next), 0);
        written += next.len;
        loop_run(loop);
    }
    assert_memory_equal(right.received.data, bytes, TOTAL);
    stream_close_when_written(left.stream);
    RUN_UNTIL(right.n_ends);
    assert_int_equal(right.end, STREAM_PEER_CLOSED);
    right.stream = stream_free(right.stream);
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_CLOSED);
}

/* The owner reads little: what OpenSSL has decrypted already must not be forgotten. */
static void take_ten(struct peer *peer)
{
    buffer_append(&peer->received, slice_head(stream_input(peer->stream), 10));
    stream_consume(peer->stream,
                   stream_input(peer->stream).len < 10 ? stream_input(peer->stream).len : 10);
    stream_pause(peer->stream);
}

static void a_reader_that_pauses_gets_every_octet(void **state)
{
    static char bytes[300];

    (void)state;
    memset(bytes, 'q', sizeof(bytes));
    shake_hands(server, may, NULL);
    right.keeps_input = true;
    right.then = take_ten;
    assert_int_equal(stream_write(left.stream, slice_from(bytes, sizeof(bytes))), 0);
    while (right.received.len < sizeof(bytes)) {
        loop_run(loop);
        stream_resume(right.stream);
    }
    assert_int_equal(right.received.len, sizeof(bytes));
}

/* However many records came meanwhile, the socket is read once. */
static void records_that_came_together_are_offered_together(void **state)
{
    enum { N_RECORDS = 5 };

    (void)state;
    shake_hands(server, may, NULL);
    exchange();
    buffer_clear(&right.received);
    right.n_inputs = 0;
    for (int i = 0; i < N_RECORDS; i++)
        assert_int_equal(SSL_write(left.stream->ssl, &"abcde"[i], 1), 1);
    RUN_UNTIL(right.received.len);
    assert_slice_is(buffer_slice(&right.received), "abcde");
    assert_int_equal(right.n_inputs, 1);
}

/* What is left of a turn's records when the input is full waits, sealed, and loses its place to
 * nobody. */
static void input_inside_tls_is_bounded_and_goes_on_when_consumed(void **state)
{
    enum { TOTAL = 4 * STREAM_INPUT_BYTES, STEP = 1000 };
    static char bytes[TOTAL];
    size_t n_written = 0;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (char)(i * 7 >> 3);
    shake_hands(server, may, NULL);
    right.keeps_input = true;
    while (right.received.len < TOTAL) {
        struct slice rest = slice_from(bytes + n_written, TOTAL - n_written);
        struct slice next = slice_head(rest, stream_output_room(left.stream)), input;

        assert_int_equal(stream_write(left.stream, next), 0);
        n_written += next.len;
        loop_stop(loop);
        loop_run(loop);
        input = stream_input(right.stream);
        assert_true(input.len <= STREAM_INPUT_BYTES);
        input = slice_head(input, STEP);
        buffer_append(&right.received, input);
        stream_consume(right.stream, input.len);
    }
    assert_memory_equal(right.received.data, bytes, TOTAL);
}

static unsigned n_turns_of_others;

static void on_turn_of_others(struct timer *timer)
{
    n_turns_of_others++;
    timer_set(timer, 0);
}

/* Records that carry nothing (key updates, as many as the peer likes) are read one a turn. */
static void records_without_data_starve_nobody(void **state)
{
    enum { N_RECORDS = 200 };
    struct timer others;

    (void)state;
    shake_hands(server, may, NULL);
    exchange();
    buffer_clear(&right.received);
    for (int i = 0; i < N_RECORDS; i++) {
        assert_int_equal(SSL_key_update(left.stream->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(left.stream->ssl), 1);
    }
    n_turns_of_others = 0;
    timer_init(&others, loop, on_turn_of_others);
    timer_set(&others, 0);
    write_text(&left, "NOOP\r\n");
    RUN_UNTIL(right.received.len == 6);
    timer_fini(&others);
    assert_true(n_turns_of_others >= N_RECORDS / 2);
}

/* Where our write broke, the peer's last words may lie behind a ticket or a key update. */
static void the_last_reply_is_read_behind_records_without_data(void **state)
{
    static const char reply[] = "421 4.3.2 going\r\n";
    int len = (int)sizeof(reply) - 1;

    (void)state;
    shake_hands(server, may, NULL);
    exchange();
    buffer_clear(&left.received);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(right.stream->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(right.stream->ssl), 1);
    }
    assert_int_equal(SSL_write(right.stream->ssl, reply, len), len);
    assert_int_equal(shutdown(right.stream->fd, SHUT_RD), 0);
    write_text(&left, "NOOP\r\n");
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_RESET);
    assert_slice_is(buffer_slice(&left.received), reply);
}

static void bad_certificates_are_refused_with_a_sentence(void **state)
{
    const struct tls_identity cases[] = {
        {"mail", SLICE_LITERAL("no pem"),       slice_of(pems[0].key)  },
        {"mail", slice_of(pems[0].certificate), SLICE_LITERAL("no pem")},
        {"mail", slice_of(pems[0].certificate), slice_of(pems[1].key)  },
    };
    static const char *const starts[] = {"certificate of tls \"mail\": ", "key of tls \"mail\": ",
                                         "key of tls \"mail\": key values mismatch"};
    int64_t expiry_ms;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tls_context *context;

        assert_true(tls_server_context_new(&context, &cases[i], 1, tickets, why) < 0);
        assert_int_equal(strncmp(why, starts[i], strlen(starts[i])), 0);
    }
    assert_int_equal(tls_certificate_expiry(slice_of(pems[0].certificate), &expiry_ms), 0);
    assert_true(expiry_ms > clock_utc_ms() + (int64_t)3650 * 86400 * 1000);
    assert_true(tls_certificate_expiry(SLICE_LITERAL("x"), &expiry_ms) < 0);
}

#define TLS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_TEST(a_handshake_gives_version_and_cipher),
        TLS_TEST(a_verifying_client_wants_chain_and_name),
        TLS_TEST(sni_chooses_the_certificate),
        TLS_TEST(sessions_resume_also_under_another_context_of_the_same_tickets),
        TLS_TEST(ticket_keys_change_every_hour_and_are_forgotten),
        TLS_TEST(text_before_the_handshake_is_never_text_inside),
        TLS_TEST(text_in_the_kernel_breaks_the_handshake),
        TLS_TEST(a_peer_that_goes_away_in_the_handshake_is_told_so),
        TLS_TEST(only_modern_versions_and_ciphers_are_spoken),
        TLS_TEST(large_messages_pass_through_tls_in_order),
        TLS_TEST(a_reader_that_pauses_gets_every_octet),
        TLS_TEST(records_that_came_together_are_offered_together),
        TLS_TEST(input_inside_tls_is_bounded_and_goes_on_when_consumed),
        TLS_TEST(records_without_data_starve_nobody),
        TLS_TEST(the_last_reply_is_read_behind_records_without_data),
        TLS_TEST(bad_certificates_are_refused_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
