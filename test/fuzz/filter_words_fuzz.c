/* Filter words: whatever is typed, each value lies in the text, a refusal names a place in it, and
 * what was taken holds no word that it does not have. */
#include "test/fuzz/fuzz.h"

#include "webui/filter_words.h"

static bool lies_in(struct slice whole, struct slice part)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_from(data, size);
    struct filter_problem problem;
    struct filter_words words;

    if (!filter_words_parse(text, &words, &problem)) {
        PROMISE(problem.detail && problem.at <= size && problem.length <= size - problem.at);
        return 0;
    }
    PROMISE(size <= FILTER_MOST_BYTES);
    PROMISE(lies_in(text, words.to) && lies_in(text, words.from) && lies_in(text, words.user));
    PROMISE(lies_in(text, words.dest) && lies_in(text, words.msgid) && lies_in(text, words.reply));
    PROMISE(lies_in(text, words.campaign) && lies_in(text, words.text));
    PROMISE(words.states < 1U << N_FILTER_STATES && words.older_ms >= 0 && words.larger_than >= 0);
    /* Nothing but blanks selects everything. */
    for (size_t i = 0; filter_is_empty(&words) && i < size; i++)
        PROMISE(data[i] == ' ' || data[i] == '\t');
    return 0;
}
