#include "policy/registry_rule_words.h"

#include <stdio.h>

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

enum { N_FIGURES = sizeof(struct rule_limits) / sizeof(uint32_t), FIGURES_SIZE = 12 * N_FIGURES };

/* ---- storing ---- */

static void print_limits(const struct rule_limits *limits, char out[FIGURES_SIZE])
{
    (void)snprintf(out, FIGURES_SIZE, "%u %u %u %u %u %u", limits->messages_per_second,
                   limits->messages_per_minute, limits->messages_per_hour, limits->messages_per_day,
                   limits->connections, limits->connection_messages);
}

static int put(struct registry *registry, const struct rule_word *word)
{
    struct statement *put = db_statement(registry->db, STAFFETTA_PUT_RULE_WORD);
    char limits[FIGURES_SIZE];

    print_limits(&word->limits, limits);
    bind_text(put, 1, slice_of(rule_scope_name(word->scope)));
    bind_text(put, 2, slice_of(word->place));
    bind_text(put, 3, slice_of(word->part));
    bind_text(put, 4, slice_of(rule_verb_name(word->verb)));
    bind_text(put, 5, slice_of(limits));
    bind_text(put, 6, slice_of(word->reason));
    bind_number(put, 7, word->until_utc_ms);
    bind_text(put, 8, slice_of(word->rule));
    bind_number(put, 9, word->lasts_ms);
    return statement_run(put);
}

static int forget(struct registry *registry, const struct rule_word *word)
{
    struct statement *statement = db_statement(registry->db, STAFFETTA_DELETE_RULE_WORDS_OF);

    bind_text(statement, 1, slice_of(word->place));
    return statement_run(statement);
}

static enum registry_result store(struct registry *registry, struct registry_request *base)
{
    struct rule_words_request *request = (struct rule_words_request *)(void *)base;
    int error = registry_run_number(registry, STAFFETTA_DELETE_PAST_RULE_WORDS, clock_utc_ms());

    for (uint32_t i = 0; !error && i < request->n_words; i++)
        error = request->words[i].verb == N_RULE_VERBS ? forget(registry, &request->words[i])
                                                       : put(registry, &request->words[i]);
    return registry_stored(base, error);
}

bool registry_store_rule_words(struct registry *registry, struct rule_words_request *request)
{
    return registry_ask(registry, &request->request, store, false);
}

/* ---- at the start ---- */

static bool read_limits(struct slice text, struct rule_limits *out)
{
    uint32_t *const fields[] = {&out->messages_per_second, &out->messages_per_minute,
                                &out->messages_per_hour,   &out->messages_per_day,
                                &out->connections,         &out->connection_messages};

    for (unsigned i = 0; i < N_FIGURES; i++) {
        ptrdiff_t end = slice_find(text, ' ');
        uint64_t figure;

        if (!slice_to_number(end < 0 ? text : slice_head(text, (size_t)end), UINT32_MAX, &figure))
            return false;
        *fields[i] = (uint32_t)figure;
        text = end < 0 ? SLICE_LITERAL("") : slice_skip(text, (size_t)end + 1);
    }
    return true;
}

/* A row of another version, or one that was damaged, says nothing. */
static bool read_word(struct statement *row, struct rule_word *out)
{
    *out = (struct rule_word){.until_utc_ms = column_number(row, 6),
                              .lasts_ms = column_number(row, 8)};
    return rule_scope_parse(column_text(row, 0), &out->scope) &&
           slice_copy_to(column_text(row, 1), out->place, sizeof(out->place)) &&
           slice_copy_to(column_text(row, 2), out->part, sizeof(out->part)) &&
           rule_verb_parse(column_text(row, 3), &out->verb) &&
           read_limits(column_text(row, 4), &out->limits) &&
           slice_copy_to(column_text(row, 5), out->reason, sizeof(out->reason)) &&
           slice_copy_to(column_text(row, 7), out->rule, sizeof(out->rule));
}

int rule_words_load(struct registry *registry,
                    int (*visit)(void *owner, const struct rule_word *word), void *owner)
{
    struct statement *all = db_statement(registry->db, STAFFETTA_ALL_RULE_WORDS);
    int result;

    bind_number(all, 1, clock_utc_ms());
    while ((result = statement_step(all)) == STATEMENT_ROW) {
        struct rule_word word;
        int error = read_word(all, &word) ? visit(owner, &word) : 0;

        if (error) {
            statement_reset(all);
            return error;
        }
    }
    return result;
}
