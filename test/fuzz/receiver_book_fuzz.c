/* Files about receivers, and replies before them: refused with sentences that name file and line,
 * or in order; then each sample is decided by its rule, and what is due has an end and a place.
 *   input = file of providers / rules / classes, lines of "%" between them, then replies, one a
 * line */
#include "test/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "policy/receiver_book.h"
#include "policy/reply_rule_engine.h"
#include "relay/base/secret.h"

static const int64_t longest_ms = 8LL * 30 * 86400 * 1000;

static struct slice take_part(struct slice *rest)
{
    ptrdiff_t at = slice_search(*rest, SLICE_LITERAL("\n%\n"));
    struct slice part = at < 0 ? *rest : slice_head(*rest, (size_t)at + 1);

    *rest = at < 0 ? slice_head(*rest, 0) : slice_skip(*rest, (size_t)at + 3);
    return part;
}

static void check_problem(struct slice problem)
{
    size_t n_lines = 0;

    for (size_t i = 0; i < problem.len; i++) {
        PROMISE(problem.data[i] == '\n' ||
                ((unsigned char)problem.data[i] >= ' ' && problem.data[i] != '\x7f'));
        n_lines += problem.data[i] == '\n';
    }
    PROMISE(n_lines > 0 && n_lines <= 4 * DATA_MAX_PROBLEMS);
    PROMISE(problem.data[problem.len - 1] == '\n');
    PROMISE(slice_search(problem, SLICE_LITERAL(".conf:")) >= 0);
}

static void check_rules(const struct receiver_book *book)
{
    for (size_t i = 0; i < book->rules.n_rules; i++) {
        const struct reply_rule *rule = &book->rules.rules[i];

        PROMISE(rule->n_steps > 0 && rule->n_steps <= RULE_STEPS && rule->condition.n_samples > 0);
        for (size_t k = 0; rule->is_for_all && k < rule->condition.n_samples; k++) {
            const struct reply_sample *sample = &rule->condition.samples[k];
            struct reply_facts facts;

            reply_facts_fill(&facts, sample->phase, &sample->reply);
            PROMISE((reply_rules_find(&book->rules, NULL, &facts) == rule) != sample->is_other);
        }
    }
}

struct hearing {
    const struct receiver_book *book;
    struct reply_rule_engine engine;
    int64_t now_ms;
};

static void hear(struct hearing *hearing, struct slice line, uint32_t n)
{
    const struct receiver_book *book = hearing->book;
    struct smtp_reply reply = {
        (uint16_t)(400 + n % 200), {4, 7, (uint16_t)(n % 3)},
             line
    };
    struct reply_subject subject = {
        .provider = n % 2 && book->providers.n_entries ? &book->providers.entries[0] : NULL,
        .egress = n % 3,
        .site = n % 5,
        .from_domain = n % 4,
        .campaign = n % 3,
        .user = 7,
        .recipient = n % 7};
    struct rule_action actions[RULE_STEPS];
    struct reply_facts facts;
    size_t n_actions;

    reply_facts_fill(&facts, (enum smtp_phase)(n % SMTP_N_PHASES), &reply);
    PROMISE((unsigned)bounce_classes_find(&book->classes, &facts) < N_BOUNCE_CLASSES);
    n_actions = reply_rule_engine_hear(&hearing->engine, &book->rules, &subject, &facts,
                                       hearing->now_ms, actions);
    PROMISE(n_actions <= RULE_STEPS && hearing->engine.n_blocks <= RULE_BLOCKS);
    for (size_t i = 0; i < n_actions; i++)
        PROMISE(actions[i].for_ms >= 0 && actions[i].for_ms <= longest_ms);
    (void)reply_rule_engine_block(&hearing->engine, &subject, hearing->now_ms);
    if (n % 5 == 0)
        reply_rule_engine_went_well(&hearing->engine, &book->rules, &subject, n, hearing->now_ms);
    hearing->now_ms += 10000;
}

static void hear_all(const struct receiver_book *book, struct slice lines)
{
    struct hearing hearing = {.book = book, .now_ms = 1000000};

    reply_rule_engine_init(&hearing.engine);
    for (uint32_t n = 0; lines.len > 0 && n < 200; n++) {
        ptrdiff_t end = slice_find(lines, '\n');
        struct slice line = end < 0 ? lines : slice_head(lines, (size_t)end);

        hear(&hearing, line, n);
        lines = slice_skip(lines, line.len + 1);
    }
    reply_rule_engine_fini(&hearing.engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct slice rest = slice_from(data, size);
    struct data_file files[N_RECEIVER_FILES] = {
        {"providers.conf", take_part(&rest)},
        {"rules.conf",     take_part(&rest)},
        {"classes.conf",   take_part(&rest)}
    };
    struct receiver_book *book = NULL;
    static bool is_started;
    int error;

    if (!is_started)
        PROMISE(secret_start() == 0);
    is_started = true;
    for (int i = 0; i < N_RECEIVER_FILES; i++)
        if (!files[i].text.data)
            files[i].text.data = "";
    error = receiver_book_new(&book, files, &problem);
    PROMISE(error == 0 || error == -EINVAL);
    if (error < 0) {
        check_problem(buffer_slice(&problem));
        return 0;
    }
    PROMISE(problem.len == 0);
    check_rules(book);
    hear_all(book, rest);
    receiver_book_unref(book);
    return 0;
}
