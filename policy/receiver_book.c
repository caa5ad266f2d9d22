#include "policy/receiver_book.h"

#include <errno.h>

#include "policy/embedded.h"

static const struct data_file built_in[N_RECEIVER_FILES] = {
    [RECEIVER_PROVIDERS] = {"providers.conf",      SLICE_LITERAL(text_providers)     },
    [RECEIVER_RULES] = {"reply_rules.conf",    SLICE_LITERAL(text_reply_rules)   },
    [RECEIVER_CLASSES] = {"bounce_classes.conf", SLICE_LITERAL(text_bounce_classes)},
};

struct data_file receiver_book_built_in(enum receiver_file file)
{
    return built_in[file];
}

/* What says that a mailbox does not exist, or is full, must not slow anybody down: with an old list
 * such replies come by the thousand. */
static int check_recipients(const struct receiver_book *book, const struct data_file *file,
                            struct buffer *problem)
{
    struct data_reader reader;
    struct reply_facts facts;

    data_reader_init(&reader, file, problem);
    for (size_t i = 0; i < book->classes.n_blocks; i++) {
        const struct bounce_block *block = &book->classes.blocks[i];

        for (size_t k = 0; k < block->condition.n_samples; k++) {
            const struct reply_sample *sample = &block->condition.samples[k];
            const struct reply_rule *rule;

            if (sample->is_other || !bounce_class_is_about_recipient(block->bounce_class))
                continue;
            reply_facts_fill(&facts, sample->phase, &sample->reply);
            rule = reply_rules_find(&book->rules, NULL, &facts);
            if (rule)
                data_problem_at(&reader, sample->line,
                                "class %s: rule %.*s for all takes this for more than one "
                                "recipient's matter",
                                bounce_class_name(block->bounce_class), (int)rule->name.len,
                                rule->name.data);
        }
    }
    return reader.n_problems > 0 ? -EINVAL : 0;
}

static int fill(struct receiver_book *book, const struct data_file files[N_RECEIVER_FILES],
                struct buffer *problem)
{
    struct data_file used[N_RECEIVER_FILES];
    int error, rules_error;

    for (int i = 0; i < N_RECEIVER_FILES; i++)
        used[i] = files && files[i].text.data ? files[i] : built_in[i];
    error = provider_table_read(&book->providers, &used[RECEIVER_PROVIDERS], &book->arena, problem);
    if (error < 0)
        return error; /* rules name providers */
    error = bounce_classes_read(&book->classes, &used[RECEIVER_CLASSES], &book->arena, problem);
    rules_error =
        reply_rules_read(&book->rules, &used[RECEIVER_RULES], &book->providers,
                         used[RECEIVER_RULES].text.data == text_reply_rules, &book->arena, problem);
    if (error == 0)
        error = rules_error;
    return error < 0 ? error : check_recipients(book, &used[RECEIVER_CLASSES], problem);
}

int receiver_book_new(struct receiver_book **out, const struct data_file files[N_RECEIVER_FILES],
                      struct buffer *problem)
{
    struct receiver_book *book = calloc(1, sizeof(*book));
    int error;

    if (!book)
        return FAULT(-ENOMEM);
    arena_init(&book->arena, 0);
    book->n_references = 1;
    error = fill(book, files, problem);
    if (error < 0) {
        receiver_book_unref(book);
        return error;
    }
    *out = book;
    return 0;
}

struct receiver_book *receiver_book_ref(struct receiver_book *book)
{
    atomic_fetch_add(&book->n_references, 1);
    return book;
}

struct receiver_book *receiver_book_unref(struct receiver_book *book)
{
    if (book && atomic_fetch_sub(&book->n_references, 1) == 1) {
        bounce_classes_fini(&book->classes);
        reply_rules_fini(&book->rules);
        arena_reset(&book->arena);
        free(book);
    }
    return NULL;
}

enum bounce_class receiver_book_class(const struct receiver_book *book, enum smtp_phase phase,
                                      const struct smtp_reply *reply)
{
    struct reply_facts facts;

    reply_facts_fill(&facts, phase, reply);
    return bounce_classes_find(&book->classes, &facts);
}
