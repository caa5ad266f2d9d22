/* A book of one rule, its engine, and a clock of the test's own. */
#pragma once

#include "policy/reply_rule_engine.h"

#include <stdio.h>

#include "policy/receiver_book.h"
#include "relay/base/secret.h"
#include "test/support/test_support.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t BEGIN = 5000LL * 3600 * 1000;

static const char providers[] = "provider big\n"
                                "  mx .big.example\n"
                                "provider small\n"
                                "  mx .small.example\n";

/* One rule that fits "421 slow"; its lines `when` are the test's. */
static inline struct receiver_book *book_with(const char *when)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES] = {
        {"p", slice_of(providers)}
    };
    struct receiver_book *book = NULL;

    buffer_printf(&text,
                  "rule tested\nprovider big\ncode 421\ntext slow\nreason it said so\n"
                  "sample mail 421 4.7.0 slow\n%s\n",
                  when);
    files[RECEIVER_RULES] = (struct data_file){"r", buffer_slice(&text)};
    if (receiver_book_new(&book, files, &problem) < 0)
        fprintf(stderr, "%.*s", (int)problem.len, problem.data);
    assert_non_null(book);
    return book;
}

struct bench {
    struct receiver_book *book;
    struct reply_rule_engine engine;
    struct reply_subject subject;
    int64_t now_ms;
    struct rule_action actions[RULE_STEPS];
};

static inline void begin(struct bench *bench, const char *when)
{
    *bench = (struct bench){.book = book_with(when), .now_ms = BEGIN};
    bench->subject = (struct reply_subject){.provider = &bench->book->providers.entries[0],
                                            .egress = 1,
                                            .site = 11,
                                            .from_domain = 12,
                                            .campaign = 13,
                                            .user = 14,
                                            .recipient = 15};
    reply_rule_engine_init(&bench->engine);
}

static inline void end(struct bench *bench)
{
    reply_rule_engine_fini(&bench->engine);
    receiver_book_unref(bench->book);
}

static inline size_t hear(struct bench *bench, const char *text)
{
    struct smtp_reply reply = {
        421, {4, 7, 0},
         slice_of(text)
    };
    struct reply_facts facts;

    reply_facts_fill(&facts, SMTP_PHASE_MAIL, &reply);
    return reply_rule_engine_hear(&bench->engine, &bench->book->rules, &bench->subject, &facts,
                                  bench->now_ms, bench->actions);
}

static inline int start(void **state)
{
    (void)state;
    return secret_start();
}
