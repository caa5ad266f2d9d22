#include "policy/reply_condition.h"

#include <errno.h>

/* ---- matching ---- */

void reply_facts_fill(struct reply_facts *facts, enum smtp_phase phase,
                      const struct smtp_reply *reply)
{
    struct slice text = slice_head(reply->text, sizeof(facts->text));

    facts->phase = phase;
    facts->code = reply->code;
    facts->status = reply->status;
    facts->n_text = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\n' || text.data[i] == '\r')
            facts->text[i] = ' ';
        else
            facts->text[i] = text.data[i];
}

static bool code_fits(const struct reply_condition *condition, uint16_t code)
{
    for (size_t i = 0; i < condition->n_codes; i++)
        if (code >= condition->codes[i].first && code <= condition->codes[i].last)
            return true;
    return condition->n_codes == 0;
}

static bool status_fits(const struct reply_condition *condition, struct enhanced_status status)
{
    for (size_t i = 0; i < condition->n_statuses; i++) {
        struct enhanced_status wanted = condition->statuses[i];

        if (status.class == wanted.class &&
            (wanted.subject == CONDITION_ANY || wanted.subject == status.subject) &&
            (wanted.detail == CONDITION_ANY || wanted.detail == status.detail))
            return true;
    }
    return condition->n_statuses == 0;
}

static bool text_fits(const struct reply_condition *condition, const struct reply_facts *facts)
{
    for (size_t i = 0; i < condition->n_patterns; i++)
        if (reply_pattern_fits(condition->patterns[i], slice_from(facts->text, facts->n_text)))
            return true;
    return condition->n_patterns == 0;
}

bool reply_condition_fits(const struct reply_condition *condition, const struct reply_facts *facts)
{
    return (condition->phases == 0 || condition->phases & 1U << facts->phase) &&
           code_fits(condition, facts->code) && status_fits(condition, facts->status) &&
           text_fits(condition, facts);
}

void reply_condition_fini(struct reply_condition *condition)
{
    while (condition->n_patterns > 0)
        reply_pattern_free(condition->patterns[--condition->n_patterns]);
}

/* ---- reading ---- */

static bool find_phase(struct slice word, enum smtp_phase *out)
{
    for (unsigned i = 0; i < SMTP_N_PHASES; i++) {
        if (slice_equal(word, slice_of(smtp_phase_name((enum smtp_phase)i)))) {
            *out = (enum smtp_phase)i;
            return true;
        }
    }
    return false;
}

static void read_phases(struct reply_condition *condition, struct data_reader *reader)
{
    struct slice rest = reader->line.value, word;
    enum smtp_phase phase;

    while ((word = data_take_word(&rest)).len > 0) {
        if (find_phase(word, &phase))
            condition->phases |= 1U << phase;
        else
            data_problem(reader, "no phase is called %.*s", (int)word.len, word.data);
    }
}

static bool read_code(struct slice word, uint16_t *out)
{
    uint64_t code;

    if (word.len != 3 || !slice_to_number(word, 599, &code) || code < 200)
        return false;
    *out = (uint16_t)code;
    return true;
}

static bool read_range(struct slice word, struct code_range *out)
{
    if (slice_equal(word, SLICE_LITERAL("none"))) {
        *out = (struct code_range){0, 0};
        return true;
    }
    if (word.len == 3 && word.data[0] >= '2' && word.data[0] <= '5' && word.data[1] == 'x' &&
        word.data[2] == 'x') {
        out->first = (uint16_t)((word.data[0] - '0') * 100);
        out->last = (uint16_t)(out->first + 99);
        return true;
    }
    if (word.len == 7 && word.data[3] == '-')
        return read_code(slice_head(word, 3), &out->first) &&
               read_code(slice_skip(word, 4), &out->last) && out->first <= out->last;
    if (!read_code(word, &out->first))
        return false;
    out->last = out->first;
    return true;
}

static void read_codes(struct reply_condition *condition, struct data_reader *reader)
{
    struct slice rest = reader->line.value, word;

    while ((word = data_take_word(&rest)).len > 0) {
        if (condition->n_codes == CONDITION_MOST)
            data_problem(reader, "more than %d codes", CONDITION_MOST);
        else if (read_range(word, &condition->codes[condition->n_codes]))
            condition->n_codes++;
        else
            data_problem(reader, "a code is 421, 450-459, 4xx or none, not %.*s", (int)word.len,
                         word.data);
    }
}

static bool read_status_part(struct slice part, uint16_t *out)
{
    uint64_t number;

    *out = CONDITION_ANY;
    if (slice_equal(part, SLICE_LITERAL("x")))
        return true;
    if (part.len > 3 || !slice_to_number(part, 999, &number))
        return false;
    *out = (uint16_t)number;
    return true;
}

/* "4.7.28", "4.7.x", "5.x.x" */
static bool read_status(struct slice word, struct enhanced_status *out)
{
    struct slice rest = slice_skip(word, 2);
    ptrdiff_t dot = slice_find(rest, '.');

    if (word.len < 5 || !strchr("245", word.data[0]) || word.data[1] != '.' || dot < 0)
        return false;
    out->class = (uint8_t)(word.data[0] - '0');
    return read_status_part(slice_head(rest, (size_t)dot), &out->subject) &&
           read_status_part(slice_skip(rest, (size_t)dot + 1), &out->detail);
}

static void read_statuses(struct reply_condition *condition, struct data_reader *reader)
{
    struct slice rest = reader->line.value, word;

    while ((word = data_take_word(&rest)).len > 0) {
        if (condition->n_statuses == CONDITION_MOST)
            data_problem(reader, "more than %d enhanced codes", CONDITION_MOST);
        else if (read_status(word, &condition->statuses[condition->n_statuses]))
            condition->n_statuses++;
        else
            data_problem(reader, "an enhanced code is 4.7.28 or 4.7.x, not %.*s", (int)word.len,
                         word.data);
    }
}

static int read_text(struct reply_condition *condition, struct data_reader *reader)
{
    char why[PATTERN_WHY_SIZE] = "";
    int error;

    if (condition->n_patterns == CONDITION_TEXTS) {
        data_problem(reader, "more than %d texts", CONDITION_TEXTS);
        return 0;
    }
    error = reply_pattern_new(&condition->patterns[condition->n_patterns], reader->line.value, why);
    if (error == 0)
        condition->n_patterns++;
    else if (error == -EINVAL)
        data_problem(reader, "the text's pattern %s%s",
                     strchr(why, ',') ? "does not compile: " : "", why);
    return error == -EINVAL ? 0 : error;
}

/* "dot 421 4.7.28 text", "rcpt none 4.4.1 text" */
static bool parse_sample(struct slice text, struct reply_sample *out)
{
    struct slice code;

    if (!find_phase(data_take_word(&text), &out->phase))
        return false;
    code = data_take_word(&text);
    if (!slice_equal(code, SLICE_LITERAL("none")) && !read_code(code, &out->reply.code))
        return false;
    (void)enhanced_status_read(&text, &out->reply.status);
    out->reply.text = text;
    return true;
}

static int read_sample(struct reply_condition *condition, struct data_reader *reader,
                       struct arena *arena, bool is_other)
{
    struct reply_sample sample = {.line = reader->line.number, .is_other = is_other};
    struct slice kept = arena_copy(arena, reader->line.value);

    if (!condition->samples)
        condition->samples = arena_alloc(arena, CONDITION_SAMPLES * sizeof(sample));
    if (!condition->samples || !kept.data)
        return FAULT(-ENOMEM);
    if (condition->n_samples == CONDITION_SAMPLES)
        data_problem(reader, "more than %d samples", CONDITION_SAMPLES);
    else if (parse_sample(kept, &sample))
        condition->samples[condition->n_samples++] = sample;
    else
        data_problem(reader, "a sample is a phase, a code (or none) and the reply's text");
    return 0;
}

bool reply_condition_read(struct reply_condition *condition, struct data_reader *reader,
                          struct arena *arena, int *error)
{
    struct slice word = reader->line.word;
    int result = 0;

    if (slice_equal(word, SLICE_LITERAL("phase")))
        read_phases(condition, reader);
    else if (slice_equal(word, SLICE_LITERAL("code")))
        read_codes(condition, reader);
    else if (slice_equal(word, SLICE_LITERAL("enhanced")))
        read_statuses(condition, reader);
    else if (slice_equal(word, SLICE_LITERAL("text")))
        result = read_text(condition, reader);
    else if (slice_equal(word, SLICE_LITERAL("sample")))
        result = read_sample(condition, reader, arena, false);
    else if (slice_equal(word, SLICE_LITERAL("other")))
        result = read_sample(condition, reader, arena, true);
    else
        return false;
    if (result < 0)
        *error = result;
    return true;
}

/* ---- checking ---- */

static bool says_something(const struct reply_condition *condition)
{
    return condition->n_codes > 0 || condition->n_statuses > 0 || condition->n_patterns > 0;
}

void reply_condition_check(const struct reply_condition *condition, struct data_reader *reader,
                           unsigned line, struct slice name)
{
    struct reply_facts facts;
    size_t n_good = 0;

    if (!says_something(condition))
        data_problem_at(reader, line, "%.*s: no code, no enhanced code and no text: all would fit",
                        (int)name.len, name.data);
    for (size_t i = 0; i < condition->n_samples; i++) {
        const struct reply_sample *sample = &condition->samples[i];

        reply_facts_fill(&facts, sample->phase, &sample->reply);
        if (reply_condition_fits(condition, &facts) == sample->is_other)
            data_problem_at(reader, sample->line, "%.*s: this %s", (int)name.len, name.data,
                            sample->is_other ? "fits, and must not" : "sample does not fit");
        n_good += !sample->is_other;
    }
    if (n_good == 0)
        data_problem_at(reader, line, "%.*s: no sample shows what it means", (int)name.len,
                        name.data);
}
