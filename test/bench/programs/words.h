/* The words behind a program's name: --NAME VALUE, or --NAME alone for a flag. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum word_kind { WORD_TEXT, WORD_NUMBER, WORD_REAL, WORD_FLAG };

struct word {
    const char *name;
    enum word_kind kind;
    void *value; /* const char *, long, double or bool */
};

/* Ends the program with status 64 at a word that is not in the table. */
void read_words(const struct word *table, size_t n, int argc, char **argv);
