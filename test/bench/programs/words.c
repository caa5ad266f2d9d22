#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(const struct word *word, const char *value)
{
    if (word->text)
        *word->text = value;
    else if (word->number)
        *word->number = strtol(value, NULL, 10);
    else if (word->real)
        *word->real = strtod(value, NULL);
    else
        *word->flag = true;
}

static const struct word *find(const struct word *table, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(text, "--", 2) == 0 && strcmp(text + 2, table[i].name) == 0)
            return &table[i];
    }
    return NULL;
}

void read_words(const struct word *table, size_t n, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const struct word *word = find(table, n, argv[i]);
        const bool has_value = word && !word->flag;

        if (!word || i + has_value >= argc) {
            fprintf(stderr, "%s: unknown, or without its value: %s\n", argv[0], argv[i]);
            exit(64);
        }
        i += has_value;
        set(word, argv[i]);
    }
}
