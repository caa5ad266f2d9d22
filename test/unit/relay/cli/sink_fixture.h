/* A session of the test receiver that is fed from texts, with a script from a text. */
#pragma once

#include "test/support/test_support.h"

#include <stdio.h>
#include <string.h>

#include "relay/cli/sink_session.h"

struct fixture {
    struct sink_session session;
    struct sink_script *script;
    struct buffer said;   /* all replies so far */
    struct buffer stored; /* the last message */
};

static inline struct sink_script *load_script(const char *text)
{
    char path[] = "/tmp/sink-script-XXXXXX";
    struct sink_script *script = NULL;
    struct buffer problem = BUFFER_INIT;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(sink_script_load(&script, path, &problem), 0);
    unlink(path);
    return script;
}

static inline void begin(struct fixture *fixture, const char *script)
{
    *fixture = (struct fixture){0};
    if (script)
        fixture->script = load_script(script);
    sink_session_init(&fixture->session, fixture->script, true);
    assert_int_equal(sink_session_greet(&fixture->session), SINK_STEP_MORE);
}

static inline void end(struct fixture *fixture)
{
    sink_session_fini(&fixture->session);
    sink_script_free(fixture->script);
    buffer_fini(&fixture->said);
    buffer_fini(&fixture->stored);
}

/* Feeds text in pieces of at most piece octets; messages are kept; returns the last step. */
static inline enum sink_step feed_pieces(struct fixture *fixture, struct slice text, size_t piece)
{
    struct sink_session *session = &fixture->session;
    enum sink_step step = SINK_STEP_MORE;
    struct buffer waiting = BUFFER_INIT;

    for (; step == SINK_STEP_MORE && text.len > 0; text = slice_skip(text, piece)) {
        buffer_append(&waiting, slice_head(text, piece));
        do {
            struct slice input = buffer_slice(&waiting);

            step = sink_session_feed(session, &input);
            buffer_consume(&waiting, waiting.len - input.len);
            if (step == SINK_STEP_MESSAGE) {
                buffer_clear(&fixture->stored);
                buffer_append(&fixture->stored, sink_session_message(session));
                step = sink_session_kept(session, true);
                continue;
            }
            break;
        } while (waiting.len > 0);
    }
    buffer_append(&fixture->said, buffer_slice(&session->output));
    buffer_clear(&session->output);
    buffer_fini(&waiting);
    return step;
}

static inline enum sink_step feed(struct fixture *fixture, const char *text)
{
    return feed_pieces(fixture, slice_of(text), strlen(text));
}

#define TRANSACTION                                                                                \
    "EHLO client.example\r\nMAIL FROM:<a@example.org> BODY=8BITMIME\r\n"                           \
    "RCPT TO:<\"x>y\"@example.net> NOTIFY=NEVER\r\nRCPT TO:<c@example.net>\r\nDATA\r\n"
