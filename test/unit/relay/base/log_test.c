#include "test/support/test_support.h"

#include <fcntl.h>
#include <unistd.h>

#include "relay/base/log.h"

static struct buffer line;

static void format(enum log_format log_format, const struct event_field *fields, unsigned n_fields)
{
    struct event event = {EVENT_QUEUED, 1795368303120, n_fields, fields};

    buffer_clear(&line);
    log_format_event(&line, log_format, &event);
}

static void a_line_starts_with_time_level_and_event(void **state)
{
    const struct event_field fields[] = {field_text("msg", "7Q2F"), field_number("size", 12),
                                         field_seconds("secs", 1800)};

    (void)state;
    format(LOG_FORMAT_LOGFMT, fields, 3);
    assert_slice_is(buffer_slice(&line), "ts=2026-11-22T17:25:03.120Z level=info event=queued "
                                         "msg=7Q2F size=12 secs=1.800\n");
}

static void spans_have_three_places_and_a_sign(void **state)
{
    const struct event_field fields[] = {field_seconds("a", 0), field_seconds("b", -50),
                                         field_seconds("c", -61007), field_number("d", INT64_MIN)};

    (void)state;
    format(LOG_FORMAT_LOGFMT, fields, 4);
    assert_slice_is(buffer_slice(&line),
                    "ts=2026-11-22T17:25:03.120Z level=info event=queued a=0.000 b=-0.050 "
                    "c=-61.007 d=-9223372036854775808\n");
}

static void values_that_could_forge_a_line_are_quoted_and_escaped(void **state)
{
    const struct event_field fields[] = {
        field_text("a", "x y"),  field_text("b", "k=v"),
        field_text("c", "\"\\"), field_text("d", "\r\nevent=login"),
        field_text("e", ""),     field_text("f", "\xc3\xa8")};

    (void)state;
    format(LOG_FORMAT_LOGFMT, fields, 6);
    assert_slice_is(buffer_slice(&line),
                    "ts=2026-11-22T17:25:03.120Z level=info event=queued a=\"x y\" b=\"k=v\" "
                    "c=\"\\\"\\\\\" d=\"\\x0d\\x0aevent=login\" e=\"\" f=\"\\xc3\\xa8\"\n");
}

static void json_is_valid_whatever_the_bytes(void **state)
{
    const struct event_field fields[] = {field_text("a", "\x01\"\xff"), field_number("n", -1)};

    (void)state;
    format(LOG_FORMAT_JSON, fields, 2);
    assert_slice_is(buffer_slice(&line),
                    "{\"ts\":\"2026-11-22T17:25:03.120Z\",\"level\":\"info\",\"event\":\"queued\","
                    "\"a\":\"\\u0001\\\"\\u00ff\",\"n\":-1}\n");
}

static void an_absent_field_is_left_out(void **state)
{
    const struct event_field fields[] = {field_text("tls", NULL)};

    (void)state;
    format(LOG_FORMAT_LOGFMT, fields, 1);
    assert_slice_is(buffer_slice(&line), "ts=2026-11-22T17:25:03.120Z level=info event=queued\n");
}

static void a_level_is_set_by_its_name(void **state)
{
    static const char *const names[] = {"debug", "warning", "error", "info"};
    static const enum event_level levels[] = {LEVEL_DEBUG, LEVEL_WARNING, LEVEL_ERROR, LEVEL_INFO};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        log_set("logfmt", names[i]);
        assert_int_equal(log_level(), levels[i]);
    }
}

/* What write() says on stderr, in heard. */
static void hear(void (*write_lines)(void), struct buffer *heard)
{
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    char room[4096];
    ssize_t n;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(dup2(pipe_fds[1], STDERR_FILENO), STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fds[1]);
    while ((n = read(pipe_fds[0], room, sizeof(room))) > 0)
        buffer_append(heard, slice_from(room, (size_t)n));
    close(pipe_fds[0]);
}

static void write_two(void)
{
    struct event event = {EVENT_QUEUED, 1795368303120, 0, NULL};
    struct buffer lines = BUFFER_INIT;

    log_write(&event);
    log_set("json", "info");
    log_append(&lines, &event);
    log_append(&lines, &event);
    log_flush(&lines);
    assert_int_equal(lines.len, 0);
    log_set("logfmt", "info");
    buffer_fini(&lines);
}

static void lines_go_to_stderr_in_the_format_that_is_set(void **state)
{
    static const char json[] =
        "{\"ts\":\"2026-11-22T17:25:03.120Z\",\"level\":\"info\",\"event\":\"queued\"}\n";
    struct buffer heard = BUFFER_INIT, wanted = BUFFER_INIT;

    (void)state;
    hear(write_two, &heard);
    buffer_printf(&wanted, "ts=2026-11-22T17:25:03.120Z level=info event=queued\n%s%s%c", json,
                  json, '\0');
    assert_slice_is(buffer_slice(&heard), wanted.data);
    buffer_fini(&heard);
    buffer_fini(&wanted);
}

static void write_nowhere(void)
{
    struct event event = {EVENT_QUEUED, 1795368303120, 0, NULL};

    close(STDERR_FILENO); /* hear() gives it back */
    log_write(&event);
}

static void nowhere_to_complain_is_not_the_end(void **state)
{
    struct buffer heard = BUFFER_INIT;

    (void)state;
    hear(write_nowhere, &heard);
    assert_int_equal(heard.len, 0);
    buffer_fini(&heard);
}

static void write_hunt(void)
{
    log_set("logfmt", "info");
    log_debug("here", "not %s", "seen");
    log_set("logfmt", "debug");
    log_debug("there", "n=%d\n", 5);
    log_set("logfmt", "info");
}

static void a_hunt_is_logged_at_its_level_alone(void **state)
{
    struct buffer heard = BUFFER_INIT;

    (void)state;
    hear(write_hunt, &heard);
    assert_true(slice_search(buffer_slice(&heard), SLICE_LITERAL("seen")) < 0);
    assert_true(slice_search(buffer_slice(&heard),
                             SLICE_LITERAL("event=fault at=there text=\"n=5\\x0a\"\n")) > 0);
    buffer_fini(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_starts_with_time_level_and_event),
        cmocka_unit_test(spans_have_three_places_and_a_sign),
        cmocka_unit_test(values_that_could_forge_a_line_are_quoted_and_escaped),
        cmocka_unit_test(json_is_valid_whatever_the_bytes),
        cmocka_unit_test(an_absent_field_is_left_out),
        cmocka_unit_test(a_level_is_set_by_its_name),
        cmocka_unit_test(lines_go_to_stderr_in_the_format_that_is_set),
        cmocka_unit_test(nowhere_to_complain_is_not_the_end),
        cmocka_unit_test(a_hunt_is_logged_at_its_level_alone),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&line);
    return n_failed;
}
