#include "policy/bounce_classes.h"

#include <errno.h>

struct reading {
    struct data_reader reader;
    struct arena *arena;
    struct bounce_classes *classes;
    struct bounce_block *block; /* being read, not counted yet; NULL: none */
    int error;
};

static const struct bounce_block *find_block(const struct bounce_classes *classes,
                                             const struct reply_facts *facts)
{
    for (size_t i = 0; i < classes->n_blocks; i++)
        if (reply_condition_fits(&classes->blocks[i].condition, facts))
            return &classes->blocks[i];
    return NULL;
}

enum bounce_class bounce_classes_find(const struct bounce_classes *classes,
                                      const struct reply_facts *facts)
{
    const struct bounce_block *block = find_block(classes, facts);

    return block ? block->bounce_class : BOUNCE_OTHER;
}

void bounce_classes_fini(struct bounce_classes *classes)
{
    for (size_t i = 0; i < classes->n_blocks; i++)
        reply_condition_fini(&classes->blocks[i].condition);
    classes->n_blocks = 0;
}

static struct slice name_of(const struct bounce_block *block)
{
    return slice_of(bounce_class_name(block->bounce_class));
}

static void close_block(struct reading *reading)
{
    if (!reading->block)
        return;
    if (reading->error == 0)
        reply_condition_check(&reading->block->condition, &reading->reader, reading->block->line,
                              name_of(reading->block));
    reading->classes->n_blocks++;
    reading->block = NULL;
}

static void open_block(struct reading *reading)
{
    struct slice name = reading->reader.line.value;

    close_block(reading);
    if (reading->classes->n_blocks == BOUNCE_BLOCK_MOST) {
        data_problem(&reading->reader, "more than %d blocks", BOUNCE_BLOCK_MOST);
        return;
    }
    reading->block = &reading->classes->blocks[reading->classes->n_blocks];
    *reading->block = (struct bounce_block){.line = reading->reader.line.number};
    for (unsigned i = 0; i < N_BOUNCE_CLASSES; i++) {
        if (slice_equal(name, slice_of(bounce_class_name((enum bounce_class)i)))) {
            reading->block->bounce_class = (enum bounce_class)i;
            return;
        }
    }
    data_problem(&reading->reader, "no bounce class is called %.*s", (int)name.len, name.data);
}

static void read_line(struct reading *reading)
{
    struct slice word = reading->reader.line.word;

    if (slice_equal(word, SLICE_LITERAL("class")))
        open_block(reading);
    else if (!reading->block)
        data_problem(&reading->reader, "%.*s outside of a class", (int)word.len, word.data);
    else if (!reply_condition_read(&reading->block->condition, &reading->reader, reading->arena,
                                   &reading->error))
        data_problem(&reading->reader, "no such word: %.*s", (int)word.len, word.data);
}

static void check_sample(const struct bounce_classes *classes, const struct bounce_block *block,
                         const struct reply_sample *sample, struct data_reader *reader)
{
    const struct bounce_block *found;
    struct reply_facts facts;

    reply_facts_fill(&facts, sample->phase, &sample->reply);
    found = find_block(classes, &facts);
    if (found != block && !sample->is_other)
        data_problem_at(reader, sample->line, "class %s: this sample is decided in line %u",
                        bounce_class_name(block->bounce_class), found ? found->line : 0);
}

static void check_all(struct reading *reading)
{
    for (size_t i = 0; i < reading->classes->n_blocks; i++) {
        const struct bounce_block *block = &reading->classes->blocks[i];

        for (size_t k = 0; k < block->condition.n_samples; k++)
            check_sample(reading->classes, block, &block->condition.samples[k], &reading->reader);
    }
}

int bounce_classes_read(struct bounce_classes *out, const struct data_file *file,
                        struct arena *arena, struct buffer *problem)
{
    struct bounce_classes classes = {0};
    struct reading reading = {.arena = arena, .classes = &classes};
    int error;

    classes.blocks = arena_alloc(arena, BOUNCE_BLOCK_MOST * sizeof(*classes.blocks));
    if (!classes.blocks)
        return FAULT(-ENOMEM);
    data_reader_init(&reading.reader, file, problem);
    while (reading.error == 0 && data_reader_next(&reading.reader))
        read_line(&reading);
    close_block(&reading);
    if (reading.error == 0 && reading.reader.n_problems == 0)
        check_all(&reading);
    error = data_reader_result(&reading.reader, reading.error);
    if (error < 0)
        bounce_classes_fini(&classes);
    else
        *out = classes;
    return error;
}
