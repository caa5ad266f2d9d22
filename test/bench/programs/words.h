/* The words behind a program's name: --NAME VALUE, or --NAME alone for a flag. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One of the four is set: where the value goes. */
struct word {
    const char *name;
    const char **text;
    long *number;
    double *real;
    bool *flag;
};

/* Ends the program with status 64 at a word that is not in the table. */
void read_words(const struct word *table, size_t n, int argc, char **argv);
