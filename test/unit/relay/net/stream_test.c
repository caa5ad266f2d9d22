#include "test/unit/relay/net/stream_support.h"

#include <errno.h>

#include "relay/net/listener.h"
#include "relay/net/ports.h"

static void what_is_written_arrives_whole(void **state)
{
    (void)state;
    open_both();
    write_text(&left, "EHLO ");
    write_text(&left, "client.example\r\n");
    assert_int_equal(right.n_inputs, 0); /* nothing happens inside the call */
    RUN_UNTIL(right.n_inputs);
    assert_int_equal(right.n_inputs, 1); /* both writes left in one packet */
    assert_slice_is(buffer_slice(&right.received), "EHLO client.example\r\n");
    RUN_UNTIL(left.n_drained);
    assert_int_equal(stream_bytes_read(right.stream), 21);
}

static void a_peer_of_single_octets_loses_none(void **state)
{
    static const char text[] = "MAIL FROM:<a@example.org>\r\n";
    int fd;

    (void)state;
    open_left(&fd);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(write(fd, &text[i], 1), 1);
        RUN_UNTIL(left.received.len == i + 1);
    }
    assert_slice_is(buffer_slice(&left.received), text);
    close(fd);
}

static void left_over_input_is_offered_with_the_next(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    left.keeps_input = true;
    assert_int_equal(write(fd, "ab", 2), 2);
    RUN_UNTIL(left.n_inputs == 1);
    assert_int_equal(write(fd, "cd", 2), 2);
    RUN_UNTIL(left.n_inputs == 2);
    assert_slice_is(stream_input(left.stream), "abcd");
    stream_consume(left.stream, 3);
    assert_slice_is(stream_input(left.stream), "d");
    assert_int_equal(stream_discard_input(left.stream), 1);
    assert_int_equal(stream_discard_input(left.stream), 0);
    close(fd);
}

static void on_nothing(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void let_pass(int ms)
{
    struct timer timer;

    timer_init(&timer, loop, on_nothing);
    timer_set(&timer, ms);
    while (timer.is_set)
        loop_run(loop);
}

static void a_paused_stream_reads_nothing_until_resumed(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    stream_pause(left.stream);
    assert_int_equal(write(fd, "quiet", 5), 5);
    let_pass(20);
    assert_int_equal(left.n_inputs, 0);
    assert_int_equal(stream_input(left.stream).len, 0);
    stream_resume(left.stream);
    RUN_UNTIL(left.n_inputs);
    assert_slice_is(buffer_slice(&left.received), "quiet");
    close(fd);
}

static void pause_in_handler(struct peer *peer)
{
    stream_pause(peer->stream);
}

static void resume_offers_what_was_left_and_then_the_end(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    left.keeps_input = true;
    left.then = pause_in_handler;
    assert_int_equal(write(fd, "QUIT\r\n", 6), 6);
    close(fd);
    RUN_UNTIL(left.n_inputs);
    let_pass(20);
    assert_int_equal(left.n_ends, 0); /* the owner is busy; the end waits */
    left.keeps_input = false;
    left.then = NULL;
    stream_resume(left.stream);
    RUN_UNTIL(left.n_ends);
    assert_slice_is(buffer_slice(&left.received), "QUIT\r\n");
    assert_int_equal(left.end, STREAM_PEER_CLOSED);
}

static void input_is_bounded_and_goes_on_when_consumed(void **state)
{
    enum { TOTAL = 3 * STREAM_INPUT_BYTES };
    static char bytes[TOTAL];
    size_t at = 0;
    int fd;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (char)(i * 31 >> 3);
    open_left(&fd);
    left.keeps_input = true;
    while (at < TOTAL || left.received.len < TOTAL) {
        ssize_t n = at < TOTAL ? write(fd, bytes + at, TOTAL - at) : 0;

        if (n > 0)
            at += (size_t)n;
        loop_stop(loop);
        loop_run(loop);
        let_pass(0);
        assert_true(stream_input(left.stream).len <= STREAM_INPUT_BYTES);
        if (stream_input(left.stream).len == STREAM_INPUT_BYTES || at == TOTAL) {
            buffer_append(&left.received, stream_input(left.stream));
            stream_consume(left.stream, stream_input(left.stream).len);
        }
    }
    assert_memory_equal(left.received.data, bytes, TOTAL);
    close(fd);
}

static void output_is_bounded_and_nothing_is_half_taken(void **state)
{
    char chunk[1000];
    size_t n_taken = 0;
    int fd, error = 0;

    (void)state;
    memset(chunk, 'x', sizeof(chunk));
    open_left(&fd);
    while ((error = stream_write(left.stream, slice_from(chunk, sizeof(chunk)))) == 0)
        n_taken++;
    assert_int_equal(error, -ENOBUFS);
    assert_int_equal(n_taken, STREAM_OUTPUT_BYTES / sizeof(chunk));
    assert_int_equal(stream_pending_output(left.stream), n_taken * sizeof(chunk));
    assert_int_equal(stream_output_room(left.stream), STREAM_OUTPUT_BYTES % sizeof(chunk));
    close(fd);
}

static void a_slow_reader_gets_everything_in_order(void **state)
{
    enum { TOTAL = 2000000 };
    static char bytes[TOTAL], got[TOTAL];
    size_t written = 0, read_at = 0;
    int fd;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (char)(i * 17 >> 5);
    open_left(&fd);
    while (read_at < TOTAL) {
        size_t room = stream_output_room(left.stream);
        struct slice next = slice_head(slice_from(bytes + written, TOTAL - written), room);
        const struct slice pieces[] = {slice_head(next, 100), slice_skip(next, 100)};
        ssize_t n;

        assert_int_equal(stream_write_pieces(left.stream, pieces, 2), 0);
        written += next.len;
        let_pass(0);
        n = read(fd, got + read_at, TOTAL - read_at < 70000 ? TOTAL - read_at : 70000);
        if (n > 0)
            read_at += (size_t)n;
    }
    assert_memory_equal(got, bytes, TOTAL);
    close(fd);
}

static void a_closed_peer_can_still_be_answered(void **state)
{
    char answer[16] = "";
    int fd;

    (void)state;
    open_left(&fd);
    assert_int_equal(write(fd, "QUIT\r\n", 6), 6);
    shutdown(fd, SHUT_WR);
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_PEER_CLOSED);
    assert_slice_is(buffer_slice(&left.received), "QUIT\r\n"); /* input first, then the end */
    write_text(&left, "221 bye\r\n");
    stream_close_when_written(left.stream);
    RUN_UNTIL(left.n_ends == 2);
    assert_int_equal(left.end, STREAM_CLOSED);
    assert_int_equal(read(fd, answer, sizeof(answer)), 9);
    assert_int_equal(read(fd, answer, sizeof(answer)), 0);
    close(fd);
}

static void closing_writes_everything_first_and_waits_for_the_peer(void **state)
{
    char answer[16];
    int fd;

    (void)state;
    open_left(&fd);
    write_text(&left, "421 4.3.2 no\r\n");
    stream_close_when_written(left.stream);
    write_text(&left, "never");
    assert_int_equal(write(fd, "MAIL", 4), 4); /* unread input must not turn the FIN into a RST */
    let_pass(20);
    assert_int_equal(left.n_ends, 0);
    assert_int_equal(read(fd, answer, sizeof(answer)), 14);
    assert_int_equal(read(fd, answer, sizeof(answer)), 0);
    close(fd);
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_CLOSED);
    assert_int_equal(left.n_inputs, 0);
}

static void free_in_handler(struct peer *peer)
{
    peer->stream = stream_free(peer->stream);
}

static void a_handler_may_free_its_stream(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    left.then = free_in_handler;
    assert_int_equal(write(fd, "x", 1), 1);
    shutdown(fd, SHUT_WR);
    RUN_UNTIL(!left.stream);
    let_pass(0);
    assert_int_equal(left.n_ends, 0); /* no handler after stream_free() */
    close(fd);
}

static void a_broken_connection_is_told_after_its_last_words(void **state)
{
    int fd;

    (void)state;
    open_left(&fd);
    assert_int_equal(write(fd, "554 go away\r\n", 13), 13);
    write_text(&left, "EHLO x\r\n");
    close(fd);
    RUN_UNTIL(left.n_ends && left.end == STREAM_RESET);
    assert_slice_is(buffer_slice(&left.received), "554 go away\r\n");
    assert_int_equal(stream_write(left.stream, SLICE_LITERAL("x")), 0); /* thrown away */
}

static void on_accept(void *owner, int fd, const struct socket_address *peer)
{
    (void)owner;
    (void)peer;
    assert_int_equal(stream_new(&right.stream, loop, fd, &peer_handlers, &right), 0);
}

static void tcp_connects_from_the_address_asked_for(void **state)
{
    struct address_pair pair = {0};
    struct socket_address asked;
    struct listener *listener;
    char text[SOCKET_TEXT_SIZE];
    int fd;

    (void)state;
    assert_true(socket_address_parse(SLICE_LITERAL("127.0.0.1:0"), -1, &asked));
    assert_int_equal(port_listen_tcp(&fd, &asked, &pair.remote), 0);
    assert_int_not_equal(socket_address_port(&pair.remote), 0);
    assert_true(socket_address_parse(SLICE_LITERAL("127.0.0.7:0"), -1, &pair.local));
    assert_int_equal(listener_new(&listener, loop, fd, on_accept, NULL), 0);
    assert_int_equal(stream_connect(&left.stream, loop, &pair, &peer_handlers, &left), 0);
    write_text(&left, "early"); /* before it is connected */
    RUN_UNTIL(right.n_inputs);
    assert_int_equal(left.n_connected, 1);
    assert_slice_is(buffer_slice(&right.received), "early");
    assert_int_equal(
        strncmp(socket_address_print(stream_peer_address(right.stream), text), "127.0.0.7:", 10),
        0);
    assert_true(socket_address_equal(stream_peer_address(left.stream), &pair.remote));
    stream_set_quickack(right.stream, true);
    write_text(&right, "220 hello\r\n");
    RUN_UNTIL(left.n_inputs);
    listener_free(listener);
    close(fd);
}

static void connecting_fails_with_the_reason(void **state)
{
    struct address_pair pair = {0};
    struct socket_address asked;
    int fd;

    (void)state;
    assert_true(socket_address_parse(SLICE_LITERAL("127.0.0.1:0"), -1, &asked));
    assert_int_equal(port_listen_tcp(&fd, &asked, &pair.remote), 0);
    close(fd); /* a port where surely nobody listens */
    assert_int_equal(stream_connect(&left.stream, loop, &pair, &peer_handlers, &left), 0);
    assert_int_equal(left.n_ends, 0);
    RUN_UNTIL(left.n_ends);
    assert_int_equal(left.end, STREAM_CONNECT_FAILED);
    assert_string_equal(left.detail, "Connection refused");
    left.stream = stream_free(left.stream);

    /* An egress address that is not ours fails at once, and is told all the same. */
    assert_true(socket_address_parse(SLICE_LITERAL("192.0.2.77:0"), -1, &pair.local));
    assert_int_equal(stream_connect(&left.stream, loop, &pair, &peer_handlers, &left), 0);
    RUN_UNTIL(left.n_ends == 2);
    assert_int_equal(left.end, STREAM_CONNECT_FAILED);
    assert_string_equal(left.detail, "Cannot assign requested address");
}

#define STREAM_TEST(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(what_is_written_arrives_whole),
        STREAM_TEST(a_peer_of_single_octets_loses_none),
        STREAM_TEST(left_over_input_is_offered_with_the_next),
        STREAM_TEST(a_paused_stream_reads_nothing_until_resumed),
        STREAM_TEST(resume_offers_what_was_left_and_then_the_end),
        STREAM_TEST(input_is_bounded_and_goes_on_when_consumed),
        STREAM_TEST(output_is_bounded_and_nothing_is_half_taken),
        STREAM_TEST(a_slow_reader_gets_everything_in_order),
        STREAM_TEST(a_closed_peer_can_still_be_answered),
        STREAM_TEST(closing_writes_everything_first_and_waits_for_the_peer),
        STREAM_TEST(a_handler_may_free_its_stream),
        STREAM_TEST(a_broken_connection_is_told_after_its_last_words),
        STREAM_TEST(tcp_connects_from_the_address_asked_for),
        STREAM_TEST(connecting_fails_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
